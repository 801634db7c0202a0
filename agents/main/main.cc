// headgate-agent: reads flags, and calls what they ask for.
#include <curl/curl.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <iterator>

#include "agents/core/share_file.h"
#include "agents/main/arguments.h"
#include "agents/main/box.h"
#include "agents/main/check.h"
#include "agents/main/config.h"
#include "agents/main/exit_codes.h"
#include "agents/main/health.h"
#include "agents/main/lock.h"
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
using headgate::agent::Flags;
using headgate::agent::Grammar;

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
  // Whoever checks may do more than the service, which may lack the group of a socket.
  const std::string complaint = headgate::agent::ComplaintOfAgent(config);
  if (!complaint.empty()) {
    std::cout << "warning: the agent that runs here finds otherwise: " << complaint << "\n";
  }
  std::cout << fmt::format("{}: {} gate(s). The agent is {}.\n",
                           complaint.empty() ? "All is well" : "Nothing is wrong as seen by you",
                           config.gates.size(),
                           headgate::agent::FindAgent(config.state_dir).ToString());
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

// What stands in the subcommand's place, or in that of a kind of snippet, and is none; empty if it
// is one. CLI11 would only say that it was not expected.
std::string UnknownSubcommand(const CLI::App& app, int argc, char** argv, int at = 1) {
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  if (commands.empty() || argc <= at || argv[at][0] == '-') return "";
  std::vector<std::string> known;
  for (const CLI::App* command : commands) {
    if (command->get_name() == argv[at]) return UnknownSubcommand(*command, argc, argv, at + 1);
    known.push_back(command->get_name());
  }
  return fmt::format("unknown subcommand '{}'{}", argv[at],
                     headgate::DidYouMeanOneOf(argv[at], known));
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

int Act(const Grammar& grammar, const Config& config) {
  const Flags& flags = grammar.flags;
  if (*grammar.run) return headgate::agent::Run(config);
  if (*grammar.check) return Check(config);
  if (*grammar.doctor) {
    return headgate::agent::PrintHealth(config, flags.only_life, std::cout);
  }
  const Box box(config, flags.gate, std::cout);
  if (*grammar.status) return box.Status(flags.output == "json", headgate::SteadyClock().Now());
  if (*grammar.lower) return Lower(box, flags);
  if (*grammar.override_share) return Override(box, flags);
  if (*grammar.release) return box.Release();
  return headgate::agent::kExitInternal;
}

int Do(int argc, char** argv, bool& acts) {
  headgate::QuietGrpc();
  Grammar grammar;
  CLI::App& app = grammar.app;
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
  acts = *grammar.run || *grammar.lower || *grammar.override_share || *grammar.release;
  if (*grammar.version) {
    std::cout << "headgate-agent " << HEADGATE_VERSION << "\n";
    return headgate::agent::kExitDone;
  }
  if (app.got_subcommand("snippet")) return headgate::agent::PrintSnippet(grammar.flags.snippet);
  if (*grammar.bucket) return Buckets(grammar.flags.keys);
  const absl::StatusOr<Config> config = headgate::agent::LoadConfig(grammar.flags.config);
  if (absl::IsNotFound(config.status())) {
    return Fail(absl::NotFoundError(std::string(config.status().message()) +
                                    ": --config FILE names another"),
                headgate::agent::kExitUsage);
  }
  if (!config.ok()) return Fail(config.status(), headgate::agent::kExitUsage);
  return Act(grammar, *config);
}

}  // namespace

int main(int argc, char** argv) {
  // Without it curl would set itself up on whichever thread comes first, which is not thread-safe.
  curl_global_init(CURL_GLOBAL_DEFAULT);
  bool acts = false;
  const int code = Do(argc, argv, acts);
  return Written(code, acts);
}
