// headgate-agent: reads flags, and calls what they ask for.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <iterator>

#include "agents/core/files.h"
#include "agents/haproxy/map_file.h"
#include "agents/haproxy/snippet.h"
#include "agents/main/box.h"
#include "agents/main/check.h"
#include "agents/main/config.h"
#include "agents/main/exit_codes.h"
#include "agents/main/folders.h"
#include "agents/main/run.h"
#include "agents/main/until.h"
#include "common/base/bucket.h"
#include "common/base/duration.h"
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
  // Of snippet.
  headgate::haproxy::SnippetOptions snippet;
  std::string key = "cookie headgate_uid";
  std::vector<std::string> slow{"500ms"};
  bool write_map = false;
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

// Of an existing map nothing is changed: it may hold a share.
int WriteMap(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) == 0) {
    std::cerr << path << " is already there: left as it is\n";
    return headgate::agent::kExitDone;
  }
  const std::string folder = headgate::agent::FolderOf(path);
  struct stat folder_found {};
  const bool is_there = stat(folder.c_str(), &folder_found) == 0;
  if (const absl::Status made =
          headgate::agent::MakeFolder(folder, headgate::agent::kMapFolderMode);
      !made.ok()) {
    return Fail(made, headgate::agent::kExitInternal);
  }
  if (!is_there) {
    std::cerr << fmt::format(
        "{} made, for user {}: if the agent runs as another, give it to them (`chown headgate {}`)"
        "\n",
        folder, geteuid(), folder);
  }
  const absl::Status status =
      headgate::agent::WriteDurably(path, headgate::haproxy::MapText({headgate::kBuckets, 10}));
  if (!status.ok()) return Fail(status, headgate::agent::kExitInternal);
  // HAProxy reads it, maybe as another user; it holds no secret.
  chmod(path.c_str(), 0644);
  std::cerr << path << " written: it admits everybody until the gate exists\n";
  return headgate::agent::kExitDone;
}

int Snippet(Flags flags) {
  const auto key = headgate::haproxy::UserKey::Parse(flags.key);
  if (!key.ok()) return Fail(key.status(), headgate::agent::kExitUsage);
  flags.snippet.key = *key;
  for (const std::string& slow : flags.slow) {
    const auto threshold = headgate::ParseDuration(slow);
    const bool fits = threshold.ok() && threshold->count() >= 1 && threshold->count() <= 600'000;
    if (!fits) {
      return Fail(absl::InvalidArgumentError(
                      fmt::format("--slow '{}': write a duration from 1ms to 10m", slow)),
                  headgate::agent::kExitUsage);
    }
    flags.snippet.slow_ms.push_back(static_cast<std::uint32_t>(threshold->count()));
  }
  const auto text = headgate::haproxy::Snippet(flags.snippet);
  if (!text.ok()) return Fail(text.status(), headgate::agent::kExitUsage);
  std::cout << *text;
  return flags.write_map ? WriteMap(flags.snippet.map) : headgate::agent::kExitDone;
}

// Support's question: "this user is out; when do they get in?"
int Buckets(const std::vector<std::string>& keys) {
  const auto print = [](const std::string& key) {
    const std::uint32_t bucket = headgate::BucketOf(key);
    // The least share whose width is above the bucket.
    Share share = headgate::haproxy::ShareOfWidth(bucket + 1);
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

void AddSnippet(CLI::App& app, Flags& flags) {
  CLI::App* snippet = app.add_subcommand("snippet", "print configuration to paste");
  snippet->require_subcommand(1);
  CLI::App* haproxy = snippet->add_subcommand("haproxy", "for HAProxy 2.6 and newer");
  haproxy->add_option("--gate", flags.snippet.gate, "the gate's name")->required();
  haproxy
      ->add_option("--app-backend", flags.snippet.app_backend,
                   "the backend that serves admitted users")
      ->required();
  haproxy->add_option("--map", flags.snippet.map, "the map file")->required();
  haproxy->add_option("--socket", flags.snippet.socket, "HAProxy's stats socket, for the text only")
      ->default_val("/run/haproxy/admin.sock");
  haproxy->add_option("--key", flags.key, "'cookie NAME', 'header NAME' or 'client_address'")
      ->capture_default_str();
  haproxy->add_option("--slow", flags.slow, "count answers slower than this; up to six")
      ->delimiter(',')
      ->capture_default_str();
  haproxy->add_option("--bypass", flags.snippet.bypass,
                      "always let through, and on to --app-backend: path=/healthz or "
                      "cidr=203.0.113.0/24; repeatable");
  haproxy
      ->add_option("--probe-path", flags.snippet.probe_path, "a path that HAProxy answers itself")
      ->capture_default_str();
  haproxy->add_option("--page", flags.snippet.page_file,
                      "a waiting page of your own, in HAProxy's log format");
  haproxy->add_option("--track-slot", flags.snippet.track_slot, "which of sc0 to sc2 to use")
      ->capture_default_str();
  haproxy->add_flag("--write-map", flags.write_map,
                    "also make the map file, unless it is there, admitting everybody");
}

}  // namespace

int main(int argc, char** argv) {
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
  AddSnippet(app, flags);
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
    return app.exit(error) == 0 ? headgate::agent::kExitDone : headgate::agent::kExitUsage;
  }
  if (*version) {
    std::cout << "headgate-agent " << HEADGATE_VERSION << "\n";
    return headgate::agent::kExitDone;
  }
  if (app.got_subcommand("snippet")) return Snippet(flags);
  if (*bucket) return Buckets(flags.keys);
  const absl::StatusOr<Config> config = headgate::agent::LoadConfig(flags.config);
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
