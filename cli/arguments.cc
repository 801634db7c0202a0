#include "cli/arguments.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "cli/certs_options.h"
#include "cli/dbcheck_options.h"
#include "cli/empty_words.h"
#include "cli/gate_options.h"
#include "cli/help_texts.h"
#include "cli/plan_options.h"
#include "cli/raw_values.h"
#include "cli/unknown_words.h"

namespace headgate::cli {
namespace {

// A lowering needs none of these; one that stands last, without its value, keeps nobody from it.
constexpr std::string_view kNotNeeded[] = {
    "--timeout",  "-o",           "--output", "--reason", "--request-id", "--expected-revision",
    "--wait-for", "--controller", "--socket", "--ca",     "--cert",       "--key"};

constexpr char kSaysNothing[] = " says nothing; done without it";

bool IsNotNeeded(const std::string& option) {
  return std::ranges::find(kNotNeeded, option) != std::end(kNotNeeded);
}

constexpr auto kLast = CLI::MultiOptionPolicy::TakeLast;

class Grammar {
 public:
  Grammar();

  const CLI::App& app() const { return app_; }

  std::variant<Command, Answer> Parse(const std::vector<std::string>& words,
                                      const Variable& variable);
  // Of a verb, or of a verb below it; of all where none is named.
  std::variant<Command, Answer> Help(const std::vector<std::string>& verbs);

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

  // Of words that parse as a verb's.
  std::variant<Command, Answer> Read(const Variable& variable);
  // What was given without a value; what a lowering does not need is only noted.
  std::string RefuseEmpty();

  CLI::App app_{kAbout, "headgate"};
  std::map<CLI::App*, Verb> verbs_;
  RawValues raw_;
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
                  "text, or json: one document on standard output, of watch one a line for each "
                  "change (docs/JSON.md); simulate also draws svg [text]")
      ->multi_option_policy(kLast);
  app_.add_option(
          "--timeout", raw_.timeout,
          "how long to wait, e.g. 10m: for the end of a restoration (start --wait, "
          "watch; preflight included), for dbcheck to end, or for agents to confirm (default "
          "2s, at most 60s)")
      ->multi_option_policy(kLast);
}

void Grammar::AddMutationFlags(CLI::App& verb, bool is_lowering) {
  MutationFlags& flags = command_.mutation;
  verb.add_option("--reason", flags.reason, "why; kept in the journal and the timeline")
      ->multi_option_policy(kLast)
      ->type_name(verbs_.at(&verb) == Verb::kOpen ? "TEXT REQUIRED" : "TEXT");
  verb.add_flag("--dry-run", flags.dry_run, "say what would happen, and change nothing");
  verb.add_option("--request-id", flags.request_id,
                  "a repeat with the same id does nothing twice [random]")
      ->multi_option_policy(kLast);
  verb.add_option("--expected-revision", raw_.expected_revision,
                  "refuse if the gate has another revision (never asked of a lowering)")
      ->multi_option_policy(kLast);
  verb.add_option("--wait-for", raw_.wait_for,
                  fmt::format("recorded, sent, applied or observed [{}]",
                              is_lowering ? "observed" : "sent"))
      ->multi_option_policy(kLast);
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
    added
        ->add_option("--for", raw_.open_for,
                     "how long, 1s to 24h; when it is over the share is what it was before")
        ->required();
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
  AddGateVerb(Verb::kOpen, "open",
              "Admit everybody WITHOUT evidence, for a while. A restoration that runs is ABORTED",
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
  CLI::App* databases = Add(app_, Verb::kDatabases, "databases",
                            "Databases watched all the time: 0 all HEALTHY, 3 not, 12 unknown",
                            "headgate databases orders --limit 20");
  databases->add_option("DATABASE", command_.database, "its name; all if left out")->type_name("");
  databases->add_option("--limit", command_.limit, "only the newest changes, at most 1000 [50]")
      ->check(CLI::Range(1, 1'000));
  CLI::App* agents =
      Add(app_, Verb::kAgents, "agents",
          "The load balancers of a gate; REQ/S are requests of everybody, those refused too",
          "headgate agents shop");
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
  CLI::App* doctor = Add(app_, Verb::kDoctor, "doctor",
                         "Is the controller well, and can you reach it? 0 yes, 3 no, 7 not reached",
                         "headgate doctor --controller headgate-1.example.org:7443");
  doctor->add_flag("--live", command_.only_life,
                   "only whether it lives: what is wrong is told, and no reason to end with 3");
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
  CLI::App* dbcheck = Add(app_, Verb::kDbcheck, "dbcheck",
                          "Are the replicas the same as the primary? Needs no controller",
                          "headgate dbcheck --primary 'host=db1 dbname=shop' --replica "
                          "'db2=host=db2 dbname=shop'");
  AddDbcheckOptions(*dbcheck, command_, raw_.cpu_share);
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
  CLI::App* check = Add(*group, Verb::kCertsCheck, "check",
                        "Do these files work together, and how long? 0 they do, 3 they do not",
                        "headgate certs check --ca ca.crt --cert agent.crt --key agent.key --role "
                        "agent --for 14d");
  AddCertsOptions({*init, *issue, *check}, command_.certs, raw_.lifetime, raw_.open_for);
}

std::string Grammar::RefuseEmpty() {
  for (const CLI::Option* option : OptionsWithoutValue(app_)) {
    const std::string name = option->get_name();
    if (!IsLowering(command_.verb) || !IsNotNeeded(name)) {
      return fmt::format("{} '' is empty: write its value{}", name,
                         option->get_required() ? "" : ", or leave it out");
    }
    command_.notices.push_back(name + kSaysNothing);
  }
  std::erase(raw_.controllers, "");
  return "";
}

std::variant<Command, Answer> Grammar::Read(const Variable& variable) {
  for (const CLI::App* parsed = &app_; !parsed->get_subcommands().empty();) {
    parsed = parsed->get_subcommands().front();
    for (const auto& [app, verb] : verbs_) {
      if (app == parsed) command_.verb = verb;
    }
  }
  for (const std::string& wrong :
       {RefuseEmpty(), ReadConnection(raw_, variable, command_), ReadValues(raw_, command_),
        ReadLifetime(raw_.lifetime, command_.certs), ReadLabels(raw_.labels, command_),
        ReadCpuShare(raw_.cpu_share, command_.dbcheck)}) {
    if (!wrong.empty()) return Answer{ExitCode::kUsage, "headgate: " + wrong + "\n"};
  }
  for (const std::string& wrong :
       {CheckWhole(command_), CheckPlanOptions(command_), CheckDbcheckOptions(command_)}) {
    if (!wrong.empty()) return Answer{ExitCode::kUsage, "headgate: " + wrong + "\n"};
  }
  return command_;
}

std::variant<Command, Answer> Grammar::Parse(const std::vector<std::string>& words,
                                             const Variable& variable) {
  try {
    app_.parse(ReversedWords(words));
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
  return Read(variable);
}

std::variant<Command, Answer> Grammar::Help(const std::vector<std::string>& verbs) {
  CLI::App* of = &app_;
  for (const std::string& verb : verbs) {
    const auto known = of->get_subcommands([&](CLI::App* app) { return app->get_name() == verb; });
    if (!known.empty()) {
      of = known.front();
      continue;
    }
    std::string why = UnknownWord(app_, verbs);
    if (why.empty()) why = fmt::format("there is no verb '{}'", verb);
    return Answer{ExitCode::kUsage, fmt::format("headgate: {}\nTry headgate --help.\n", why)};
  }
  std::vector<std::string> words = verbs;
  words.emplace_back("--help");
  return Parse(words, [](const std::string&) { return std::string(); });
}

}  // namespace

void ShowGrammar(const std::function<void(const CLI::App&)>& show) { show(Grammar().app()); }

std::variant<Command, Answer> ParseArguments(const std::vector<std::string>& words,
                                             const Variable& variable) {
  if (!words.empty() && words.front() == "help") {
    return Grammar().Help({words.begin() + 1, words.end()});
  }
  std::variant<Command, Answer> parsed = Grammar().Parse(words, variable);
  if (std::holds_alternative<Command>(parsed) || words.empty() || !IsNotNeeded(words.back())) {
    return parsed;
  }
  std::variant<Command, Answer> shorter =
      Grammar().Parse({words.begin(), words.end() - 1}, variable);
  auto* command = std::get_if<Command>(&shorter);
  if (command == nullptr || !IsLowering(command->verb)) return parsed;
  command->notices.push_back(words.back() + kSaysNothing);
  return shorter;
}

}  // namespace headgate::cli
