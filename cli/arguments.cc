#include "cli/arguments.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "cli/certs_options.h"
#include "cli/gate_options.h"
#include "cli/help_texts.h"
#include "cli/plan_options.h"
#include "cli/unknown_words.h"
#include "common/base/duration.h"
#include "common/base/text.h"

namespace headgate::cli {
namespace {

constexpr Duration kMutationTimeoutMax{60'000};
constexpr std::size_t kRequestIdBytesMax = 64;
constexpr std::size_t kReasonBytesMax = 1'024;

// What CLI11 fills in, before it is judged.
struct Raw {
  std::vector<std::string> controllers;
  std::string socket, ca, certificate, key, output = "text", timeout, wait_for, share, open_for,
                                            lifetime;
  std::vector<std::string> labels;
};

class Grammar {
 public:
  Grammar();

  std::variant<Command, Answer> Parse(const std::vector<std::string>& words,
                                      const Variable& variable);

 private:
  CLI::App* Add(CLI::App& parent, Verb verb, const std::string& name, const std::string& what,
                const std::string& example);
  void AddConnection();
  void AddViews();
  void AddMutations();
  void AddPlans();
  void AddCerts();
  void AddMutationFlags(CLI::App& verb, bool is_lowering = false);
  void AddGate(CLI::App& verb);
  void AddGateVerb(Verb verb, const std::string& name, const std::string& what,
                   const std::string& example);

  // Each says what is wrong, or nothing.
  std::string ReadConnection(const Variable& variable);
  std::string ReadValues();
  void CleanTexts();
  std::string CheckWhole() const;

  CLI::App app_{kAbout, "headgate"};
  std::map<CLI::App*, Verb> verbs_;
  Raw raw_;
  Command command_;
};

Grammar::Grammar() {
  app_.formatter(std::make_shared<Usage>());
  app_.set_version_flag("--version", "headgate " HEADGATE_VERSION, "this program's version");
  app_.require_subcommand(1);
  app_.fallthrough();
  app_.footer(kExitCodes);
  AddConnection();
  AddMutations();
  AddPlans();
  AddViews();
  AddCerts();
}

CLI::App* Grammar::Add(CLI::App& parent, Verb verb, const std::string& name,
                       const std::string& what, const std::string& example) {
  CLI::App* added = parent.add_subcommand(name, what);
  added->footer(
      "Which controller, -o json, --timeout and exit codes: headgate --help\n\nExample:\n  " +
      example);
  added->fallthrough();
  verbs_[added] = verb;
  return added;
}

void Grammar::AddConnection() {
  const auto one = [](CLI::Option* option) { option->allow_extra_args(false); };
  one(app_.add_option("--controller", raw_.controllers,
                      "HOST:PORT of a controller; may be repeated [env HEADGATE_CONTROLLER, "
                      "separated by commas]"));
  app_.add_option("--socket", raw_.socket,
                  fmt::format("the controller's Unix socket: the way in for root on its host when "
                              "certificates are dead [{}]",
                              kDefaultSocket));
  app_.add_option("--ca", raw_.ca, "certificates of the authority [env HEADGATE_CA]");
  app_.add_option("--cert", raw_.certificate, "your certificate [env HEADGATE_CERT]");
  app_.add_option("--key", raw_.key, "its key [env HEADGATE_KEY]");
  app_.add_flag("--plaintext", command_.connection.plaintext,
                "no TLS; only to a controller on loopback");
  app_.add_option("-o,--output", raw_.output,
                  "text, or json: one document on standard output; simulate also draws svg")
      ->check(CLI::IsMember({"text", "json", "svg"}));
  app_.add_option("--timeout", raw_.timeout,
                  "how long to wait, e.g. 10m: for the end of a restoration (start --wait, "
                  "watch; preflight included), or for agents to confirm (default 2s, at most 60s)");
}

void Grammar::AddMutationFlags(CLI::App& verb, bool is_lowering) {
  MutationFlags& flags = command_.mutation;
  verb.add_option("--reason", flags.reason, "why; kept in the journal and the timeline");
  verb.add_flag("--dry-run", flags.dry_run, "say what would happen, and change nothing");
  verb.add_option("--request-id", flags.request_id,
                  "a repeat with the same id does nothing twice [random]");
  verb.add_option("--expected-revision", flags.expected_revision,
                  "refuse if the gate has another revision (never asked of a lowering)");
  verb.add_option("--wait-for", raw_.wait_for,
                  fmt::format("recorded, sent, applied or observed [{}]",
                              is_lowering ? "observed" : "sent"))
      ->check(CLI::IsMember({"recorded", "sent", "applied", "observed"}));
}

void Grammar::AddGate(CLI::App& verb) {
  verb.add_option("GATE", command_.gate, "the gate's name")->type_name("")->required();
}

void Grammar::AddGateVerb(Verb verb, const std::string& name, const std::string& what,
                          const std::string& example) {
  CLI::App* added = Add(app_, verb, name, what, example);
  AddGate(*added);
  AddMutationFlags(*added, IsLowering(verb));
  if (verb == Verb::kRetreat) {
    added->add_option(
        "--to", raw_.share,
        "at most this share instead of the last proven one, e.g. 5%; where fewer are in it "
        "holds there");
  }
  if (verb == Verb::kAbort) {
    added->add_option(
        "--to", raw_.share,
        "let in at most this share, e.g. 0%; else, and where fewer are in, the present "
        "one stays");
  }
  if (verb == Verb::kOpen) {
    added->add_option("--for", raw_.open_for, "how long, 1s to 24h")->required();
  }
}

void Grammar::AddMutations() {
  AddGateVerb(Verb::kClose, "close", "Refuse everybody: the waiting page, now",
              "headgate close shop --reason 'db1 corrupted'");
  CLI::App* start = Add(app_, Verb::kStart, "start", "Start a restoration from a plan",
                        "headgate start restore-shop.yaml --when-ready --wait --timeout 2h");
  start->add_option("PLAN", command_.plan_file, "the plan's YAML file; - is standard input")
      ->type_name("")
      ->required();
  start->add_flag("--when-ready", command_.when_ready,
                  "wait in preflight until it passes, instead of being refused");
  start->add_flag("--wait", command_.wait, "follow it to its end, one line for each change");
  AddMutationFlags(*start);
  AddGateVerb(Verb::kHold, "hold", "Stay at the present share", "headgate hold shop");
  AddGateVerb(Verb::kResume, "resume", "Go on after a hold", "headgate resume shop");
  AddGateVerb(Verb::kAdvance, "advance",
              "To the next step now, if every check is HEALTHY (skips only the bake time)",
              "headgate advance shop");
  AddGateVerb(Verb::kApprove, "approve",
              "Approve the step that waits for a person; it stands for the whole restoration",
              "headgate approve shop --reason 'orders look right'");
  AddGateVerb(Verb::kRetreat, "retreat", "Take users out again: to the last proven share",
              "headgate retreat shop --to 5%");
  AddGateVerb(Verb::kAbort, "abort", "End the restoration; the share is never raised by it",
              "headgate abort shop --to 0%");
  AddGateVerb(Verb::kOpen, "open", "Admit everybody WITHOUT evidence, for a while",
              "headgate open shop --for 10m --reason 'false alarm, checks are broken'");
}

void Grammar::AddViews() {
  CLI::App* status =
      Add(app_, Verb::kStatus, "status", "One gate, or all of them", "headgate status shop");
  status->add_option("GATE", command_.gate, "the gate's name; all if left out")->type_name("");
  CLI::App* watch = Add(app_, Verb::kWatch, "watch",
                        "Follow a gate: a live picture on a terminal, else a line for each change",
                        "headgate watch shop --wait");
  AddGate(*watch);
  watch->add_flag("--wait", command_.wait,
                  "end with the restoration, with the exit codes of start --wait");
  AddGate(*Add(app_, Verb::kExplain, "explain", "Why is the share what it is, what would move it?",
               "headgate explain shop"));
  CLI::App* timeline = Add(app_, Verb::kTimeline, "timeline", "What was decided, oldest first",
                           "headgate timeline shop > postmortem.txt");
  AddGate(*timeline);
  timeline->add_option("--limit", command_.limit, "only the newest, at most 10000 [1000]")
      ->check(CLI::Range(1, 10'000));
  CLI::App* agents =
      Add(app_, Verb::kAgents, "agents", "The load balancers of a gate", "headgate agents shop");
  agents->add_option("GATE", command_.gate, "the gate's name")->type_name("");
  CLI::App* remove = Add(*agents, Verb::kRemoveAgent, "remove",
                         "Take a silent agent out of the quorum: nobody waits for it any more",
                         "headgate agents remove shop edge-2 --reason 'host is gone'");
  AddGate(*remove);
  remove->add_option("AGENT", command_.agent, "the agent's name")->type_name("")->required();
  AddMutationFlags(*remove);
  CLI::App* gates = Add(app_, Verb::kGates, "gates", "All gates", "headgate gates");
  CLI::App* create = Add(*gates, Verb::kCreateGate, "create",
                         "Create a gate: until it exists its agents touch nothing",
                         "headgate gates create shop --share 100%");
  AddGate(*create);
  create->add_option("--share", raw_.share, "what its agents enforce from now on, e.g. 100%")
      ->required();
  AddMutationFlags(*create);
  CLI::App* split = Add(*gates, Verb::kSplitGate, "split",
                        "Make a part of a gate, with a share of its own: agents with these labels",
                        "headgate gates split shop@eu --label zone=eu");
  AddGate(*split);
  AddSplitOptions(*split, raw_.labels);
  AddMutationFlags(*split);
  CLI::App* unite = Add(*gates, Verb::kRemoveGate, "remove",
                        "Of a part: its agents obey the gate again. Of a gate: forget it",
                        "headgate gates remove shop@eu");
  AddGate(*unite);
  AddMutationFlags(*unite);
  CLI::App* rotate = Add(*gates, Verb::kRotateKey, "rotate-key",
                         "A new key for the gate's cookies; nobody loses a place",
                         "headgate gates rotate-key shop");
  AddGate(*rotate);
  AddMutationFlags(*rotate);
  Add(app_, Verb::kVersion, "version",
      "This program's version, and the controller's if one is given", "headgate version");
}

void Grammar::AddPlans() {
  CLI::App* validate =
      Add(app_, Verb::kValidate, "validate", "Is this plan sound? Needs no controller",
          "headgate validate restore-shop.yaml --rps 2000");
  CLI::App* simulate = Add(app_, Verb::kSimulate, "simulate",
                           "Rehearse this plan on modelled platforms. Needs no controller",
                           "headgate simulate restore-shop.yaml --scenario M1 -o svg > run.svg");
  AddPlanOptions(*validate, *simulate, command_);
}

void Grammar::AddCerts() {
  CLI::App* group =
      app_.add_subcommand("certs", "A private certificate authority, for those without a PKI");
  group->require_subcommand(1);
  group->fallthrough();
  CLI::App* init = Add(*group, Verb::kCertsInit, "init", "Make an authority",
                       "headgate certs init --dir ca --trust-domain shop.example");
  CLI::App* issue = Add(*group, Verb::kCertsIssue, "issue", "Issue a certificate",
                        "headgate certs issue --ca-dir ca --dir certs --role agent --name edge-1");
  AddCertsOptions(*init, *issue, command_.certs, raw_.lifetime);
}

std::string Grammar::ReadConnection(const Variable& variable) {
  Connection& connection = command_.connection;
  connection.controllers = raw_.controllers;
  connection.is_socket_given = !raw_.socket.empty();
  if (connection.is_socket_given) connection.socket = raw_.socket;
  if (connection.is_socket_given && !connection.controllers.empty()) {
    return "--socket and --controller are two ways in: give one";
  }
  if (connection.controllers.empty() && !connection.is_socket_given) {
    const std::string list = variable("HEADGATE_CONTROLLER");
    for (std::size_t from = 0; from < list.size();) {
      const std::size_t to = std::min(list.find(',', from), list.size());
      if (to > from) connection.controllers.push_back(list.substr(from, to - from));
      from = to + 1;
    }
  }
  connection.ca = raw_.ca.empty() ? variable("HEADGATE_CA") : raw_.ca;
  connection.certificate = raw_.certificate.empty() ? variable("HEADGATE_CERT") : raw_.certificate;
  connection.key = raw_.key.empty() ? variable("HEADGATE_KEY") : raw_.key;
  return "";
}

std::string Grammar::ReadValues() {
  const auto read = [](const std::string& flag, const std::string& text,
                       std::optional<Duration>& out) -> std::string {
    if (text.empty()) return "";
    const absl::StatusOr<Duration> duration = ParseDuration(text);
    if (!duration.ok()) return flag + ": " + std::string(duration.status().message());
    out = *duration;
    return "";
  };
  for (const std::string& wrong :
       {read("--timeout", raw_.timeout, command_.timeout),
        read("--for", raw_.open_for, command_.open_for),
        ReadLifetime(raw_.lifetime, command_.certs), ReadLabels(raw_.labels, command_)}) {
    if (!wrong.empty()) return wrong;
  }
  if (!raw_.share.empty()) {
    const absl::StatusOr<Share> share = Share::Parse(raw_.share);
    if (!share.ok()) return "share: " + std::string(share.status().message());
    command_.share = *share;
  }
  const std::map<std::string, WaitFor> wait_for = {{"recorded", WaitFor::kRecorded},
                                                   {"sent", WaitFor::kSent},
                                                   {"applied", WaitFor::kApplied},
                                                   {"observed", WaitFor::kObserved}};
  if (!raw_.wait_for.empty()) command_.mutation.wait_for = wait_for.at(raw_.wait_for);
  if (raw_.output == "json") command_.output = Output::kJson;
  if (raw_.output == "svg") command_.output = Output::kSvg;
  CleanTexts();
  return "";
}

// A terminal that types Latin-1, or a long story, must keep nobody from lowering.
void Grammar::CleanTexts() {
  for (std::string* text : {&command_.gate, &command_.agent, &command_.mutation.reason,
                            &command_.mutation.request_id}) {
    *text = ValidUtf8(*text);
  }
  static constexpr Verb kLowering[] = {Verb::kClose, Verb::kHold, Verb::kRetreat, Verb::kAbort};
  if (std::ranges::find(kLowering, command_.verb) == std::end(kLowering)) return;
  command_.mutation.reason = CutUtf8(command_.mutation.reason, kReasonBytesMax);
  // Half an id could be another's.
  if (command_.mutation.request_id.size() > kRequestIdBytesMax) command_.mutation.request_id = "";
}

std::string Grammar::CheckWhole() const {
  const Verb verb = command_.verb;
  if (command_.output == Output::kSvg && verb != Verb::kSimulate) {
    return "-o svg draws a run of simulate: write -o text or -o json here";
  }
  if (verb == Verb::kAgents && command_.gate.empty()) return "agents needs a GATE";
  if (verb == Verb::kOpen) {
    if (command_.mutation.reason.empty()) {
      return "open admits people without evidence: give --reason, it goes into the journal";
    }
    if (*command_.open_for < Duration(1'000) || *command_.open_for > Duration(86'400'000)) {
      return fmt::format("--for {} is out of range: 1s to 24h", FormatDuration(*command_.open_for));
    }
  }
  if (command_.mutation.reason.size() > kReasonBytesMax) {
    return fmt::format("--reason is {} characters long: at most {}",
                       command_.mutation.reason.size(), kReasonBytesMax);
  }
  if (command_.mutation.request_id.size() > kRequestIdBytesMax) {
    return fmt::format("--request-id is {} characters long: at most {}",
                       command_.mutation.request_id.size(), kRequestIdBytesMax);
  }
  const bool follows = command_.wait || verb == Verb::kWatch;
  if (!follows && verb != Verb::kStart &&
      command_.timeout.value_or(Duration(0)) > kMutationTimeoutMax) {
    return fmt::format("--timeout {} is above 60s: to wait longer, use headgate watch GATE",
                       FormatDuration(*command_.timeout));
  }
  if (std::string wrong = CheckPlanOptions(command_); !wrong.empty()) return wrong;
  if (command_.wait && command_.mutation.dry_run) {
    return "--wait and --dry-run contradict each other: a dry run starts nothing";
  }
  return "";
}

std::variant<Command, Answer> Grammar::Parse(const std::vector<std::string>& words,
                                             const Variable& variable) {
  std::vector<std::string> reversed(words.rbegin(), words.rend());
  try {
    app_.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return Answer{ExitCode::kDone, app_.help()};
  } catch (const CLI::CallForVersion& version) {
    return Answer{ExitCode::kDone, std::string(version.what()) + "\n"};
  } catch (const CLI::ParseError& error) {
    const std::string unknown = UnknownWord(app_, words);
    return Answer{ExitCode::kUsage,
                  fmt::format("headgate: {}\nTry headgate --help, or headgate VERB --help.\n",
                              unknown.empty() ? error.what() : unknown)};
  }
  for (const CLI::App* parsed = &app_; !parsed->get_subcommands().empty();) {
    parsed = parsed->get_subcommands().front();
    for (const auto& [app, verb] : verbs_) {
      if (app == parsed) command_.verb = verb;
    }
  }
  for (const std::string& wrong : {ReadConnection(variable), ReadValues()}) {
    if (!wrong.empty()) return Answer{ExitCode::kUsage, "headgate: " + wrong + "\n"};
  }
  if (const std::string wrong = CheckWhole(); !wrong.empty()) {
    return Answer{ExitCode::kUsage, "headgate: " + wrong + "\n"};
  }
  return command_;
}

}  // namespace

std::variant<Command, Answer> ParseArguments(const std::vector<std::string>& words,
                                             const Variable& variable) {
  return Grammar().Parse(words, variable);
}

}  // namespace headgate::cli
