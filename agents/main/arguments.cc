#include "agents/main/arguments.h"

namespace headgate::agent {
namespace {

constexpr char kExitCodes[] =
    "Exit codes: 0 done, 1 internal, 2 usage or a configuration that cannot be used, 3 refused, or "
    "check or doctor found something,\n4 no such gate here, 11 not proven that it is in force or "
    "lasts, 12 could not tell";

// `--gate "$GATE"` of a variable that is not set does not mean all of them.
std::string IsNotEmpty(const std::string& gate) {
  return gate.empty() ? "'' is empty: write a gate's name, or leave it out for all of them" : "";
}

}  // namespace

Grammar::Grammar() {
  app.require_subcommand(1);
  app.set_version_flag("--version", HEADGATE_VERSION);
  app.footer(kExitCodes);
  const auto add = [&](const char* name, const char* help) {
    CLI::App* command = app.add_subcommand(name, help);
    command->add_option("--config", flags.config, "the agent's configuration")
        ->capture_default_str();
    return command;
  };
  const auto add_on_box = [&](const char* name, const char* help) {
    CLI::App* command = add(name, help);
    command->add_option("--gate", flags.gate, "only this gate (default: all of them)")
        ->check(IsNotEmpty);
    return command;
  };
  run = add("run", "keep the load balancer at its share");
  check = add("check", "say what is wrong with the configuration in place");
  doctor = add("doctor", "say whether the agent that runs here is well");
  doctor->add_flag("--live", flags.only_life,
                   "only whether it lives: what it waits for is told, and no reason to end with 3");
  status = add_on_box("status", "say what is enforced here");
  status->add_option("-o,--output", flags.output, "json")->check(CLI::IsMember({"json"}));
  lower = add_on_box("lower", "admit no more than SHARE, until `release`");
  lower->add_option("SHARE", flags.share, "as in 5%")->required();
  override_share = add_on_box("override", "admit exactly SHARE, until a time");
  override_share->add_option("SHARE", flags.share, "as in 5%")->required();
  override_share->add_option("--until", flags.until, "30m, or 2024-08-14T18:30:00Z")->required();
  release = add_on_box("release", "end `lower` or `override`");
  AddSnippet(app, flags.snippet);
  bucket = app.add_subcommand(
      "bucket", "say where users stand: bucket, the share (ppm) that admits them, key");
  bucket->add_option("KEY", flags.keys, "the cookie's whole value; '-' reads lines")->required();
  version = app.add_subcommand("version", "say which version this is");
}

}  // namespace headgate::agent
