// headgate-agent: reads flags, and calls what they ask for.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <iterator>

#include "agents/core/share_file.h"
#include "agents/main/box.h"
#include "agents/main/check.h"
#include "agents/main/config.h"
#include "agents/main/exit_codes.h"
#include "agents/main/run.h"
#include "agents/main/snippets.h"
#include "agents/main/until.h"
#include "common/base/bucket.h"
#include "common/base/nearest.h"
#include "common/base/quiet_grpc.h"

namespace {

using headgate::Share;
using headgate::agent::Box;
using headgate::agent::Config;

struct Flags {
  std::string config = "/etc/headgate/agent.yaml";
  std::string gate;
  std::string share;
  std::string until;
  std::string output;
  headgate::agent::SnippetFlags snippet;
  // Of bucket; "-": one key per line of stdin.
  std::vector<std::string> keys;
};

int Fail(const absl::Status& status, int code) {
  std::cerr << "headgate-agent: " << std::string(status.message()) << "\n";
  return code;
}

int Check(const Config& config) {
  const headgate::SteadyClock clock;
  auto controllers = headgate::agent::CheckControllers(config, clock.Now());
  std::vector<std::string> findings = headgate::agent::CheckAgent(config, clock.Now());
  std::move(controllers.findings.begin(), controllers.findings.end(), std::back_inserter(findings));
  for (const std::string& finding : findings) std::cout << finding << "\n";
  for (const std::string& warning : controllers.warnings) {
    std::cout << "warning: " << warning << "\n";
  }
  for (const std::string& answer : controllers.answers) std::cout << answer << "\n";
  if (!findings.empty()) return headgate::agent::kExitRefused;
  std::cout << fmt::format("All is well: {} gate(s).\n", config.gates.size());
  return headgate::agent::kExitDone;
}

// Support's question: "this user is out; when do they get in?"
int Buckets(const std::vector<std::string>& keys) {
  const auto print = [](const std::string& key) {
    const std::uint32_t bucket = headgate::BucketOf(key);
    // The least share whose width is above the bucket.
    Share share = headgate::agent::ShareOfWidth(bucket + 1);
    if (share.Width() <= bucket) share = *Share::FromPpm(share.ppm() + 1);
    std::cout << fmt::format("{}\t{}\t{}\n", bucket, share.ppm(), key);
  };
  for (const std::string& key : keys) {
    std::string line;
    if (key != "-") print(key);
    while (key == "-" && std::getline(std::cin, line)) print(line);
  }
  return headgate::agent::kExitDone;
}

int Lower(const Box& box, const Flags& flags) {
  const auto share = Share::Parse(flags.share);
  if (!share.ok()) return Fail(share.status(), headgate::agent::kExitUsage);
  return box.Lower(*share, headgate::SteadyClock().Now());
}

int Override(const Box& box, const Flags& flags) {
  const auto share = Share::Parse(flags.share);
  if (!share.ok()) return Fail(share.status(), headgate::agent::kExitUsage);
  const headgate::SteadyClock clock;
  const auto until = headgate::agent::ParseUntil(flags.until, clock.Now());
  if (!until.ok()) return Fail(until.status(), headgate::agent::kExitUsage);
  return box.Override(*share, *until);
}

// What stands in the subcommand's place and is none; empty if it is one. CLI11 would only say that
// it was not expected.
std::string UnknownSubcommand(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return "";
  std::vector<std::string> known;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == argv[1]) return "";
    known.push_back(command->get_name());
  }
  return fmt::format("unknown subcommand '{}'{}", argv[1],
                     headgate::DidYouMeanOneOf(argv[1], known));
}

// " snippet" of `headgate-agent snippet …`.
std::string Chosen(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? "" : " " + chosen.front()->get_name();
}

// What may follow the chosen subcommand, if it has subcommands of its own: ": haproxy or nginx".
std::string KindsOf(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  if (chosen.empty() || !chosen.front()->get_subcommands().empty()) return "";
  std::string kinds;
  for (const CLI::App* kind :
       chosen.front()->get_subcommands([](const CLI::App*) { return true; })) {
    kinds += (kinds.empty() ? ": " : " or ") + kind->get_name();
  }
  return kinds;
}

// A snippet that a full disk cut off must not look whole. What a word on the box did is done all
// the same: its exit code stays.
int Written(int code, bool acts) {
  const bool was_good = std::cout.good();
  std::cout.clear();
  errno = 0;
  // What failed before has left no reason behind: one more byte has the system say it again.
  if (!was_good) std::cout << '\n';
  std::cout.flush();
  if (was_good && std::cout.good()) return code;
  const int reason = errno;
  std::cerr << fmt::format("headgate-agent: cannot write to standard output: {}\n",
                           reason == 0 ? "a part of it is missing" : std::strerror(reason));
  const bool hides_it = code == headgate::agent::kExitDone && !acts;
  return hides_it ? headgate::agent::kExitInternal : code;
}

int Do(int argc, char** argv, bool& acts) {
  headgate::QuietGrpc();
  Flags flags;
  CLI::App app("Headgate's agent: makes the load balancer beside it obey.", "headgate-agent");
  app.require_subcommand(1);
  app.set_version_flag("--version", HEADGATE_VERSION);
  const auto add = [&](const char* name, const char* help) {
    CLI::App* command = app.add_subcommand(name, help);
    command->add_option("--config", flags.config, "the agent's configuration")
        ->capture_default_str();
    return command;
  };
  const auto add_on_box = [&](const char* name, const char* help) {
    CLI::App* command = add(name, help);
    command->add_option("--gate", flags.gate, "only this gate (default: all of them)");
    return command;
  };
  CLI::App* run = add("run", "keep the load balancer at its share");
  CLI::App* check = add("check", "say what is wrong with the configuration in place");
  CLI::App* status = add_on_box("status", "say what is enforced here");
  status->add_option("-o,--output", flags.output, "json")->check(CLI::IsMember({"json"}));
  CLI::App* lower = add_on_box("lower", "admit no more than SHARE, until `release`");
  lower->add_option("SHARE", flags.share, "as in 5%")->required();
  CLI::App* override_share = add_on_box("override", "admit exactly SHARE, until a time");
  override_share->add_option("SHARE", flags.share, "as in 5%")->required();
  override_share->add_option("--until", flags.until, "30m, or 2024-08-14T18:30:00Z")->required();
  CLI::App* release = add_on_box("release", "end `lower` or `override`");
  headgate::agent::AddSnippet(app, flags.snippet);
  CLI::App* bucket = app.add_subcommand(
      "bucket", "say where users stand: bucket, the share (ppm) that admits them, key");
  bucket->add_option("KEY", flags.keys, "the cookie's whole value; '-' reads lines")->required();
  CLI::App* version = app.add_subcommand("version", "say which version this is");
  if (const std::string unknown = UnknownSubcommand(app, argc, argv); !unknown.empty()) {
    return Fail(absl::InvalidArgumentError(unknown), headgate::agent::kExitUsage);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    std::cerr << fmt::format("headgate-agent: {}{}; `headgate-agent{} --help` tells more\n",
                             error.what(), KindsOf(app), Chosen(app));
    return headgate::agent::kExitUsage;
  }
  acts = *run || *lower || *override_share || *release;
  if (*version) {
    std::cout << "headgate-agent " << HEADGATE_VERSION << "\n";
    return headgate::agent::kExitDone;
  }
  if (app.got_subcommand("snippet")) return headgate::agent::PrintSnippet(flags.snippet);
  if (*bucket) return Buckets(flags.keys);
  const absl::StatusOr<Config> config = headgate::agent::LoadConfig(flags.config);
  if (absl::IsNotFound(config.status())) {
    return Fail(absl::NotFoundError(std::string(config.status().message()) +
                                    ": --config FILE names another"),
                headgate::agent::kExitUsage);
  }
  if (!config.ok()) return Fail(config.status(), headgate::agent::kExitUsage);
  if (*run) return headgate::agent::Run(*config);
  if (*check) return Check(*config);
  const Box box(*config, flags.gate, std::cout);
  if (*status) return box.Status(flags.output == "json", headgate::SteadyClock().Now());
  if (*lower) return Lower(box, flags);
  if (*override_share) return Override(box, flags);
  if (*release) return box.Release();
  return headgate::agent::kExitInternal;
}

}  // namespace

int main(int argc, char** argv) {
  bool acts = false;
  const int code = Do(argc, argv, acts);
  return Written(code, acts);
}
