// The verbs that change something.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/follow.h"
#include "cli/json.h"
#include "cli/on_the_box.h"
#include "cli/order_calls.h"
#include "cli/session.h"
#include "cli/text.h"
#include "cli/words.h"
#include "common/base/gate_name.h"
#include "common/base/share.h"
#include "controller/plan/plan.h"

namespace headgate::cli {
namespace {

// A journal that works has a decision within 300 ms; nobody need know of one that takes a second.
constexpr int kJournalLooks = 21;
constexpr Duration kJournalPause{50};

bool IsUnconfirmed(const Command& command, const v1::Outcome& outcome) {
  return !outcome.unconfirmed().empty() && !command.mutation.dry_run;
}

std::string WithParts(const v1::Gate& gate) {
  std::string text;
  for (const std::string& part : gate.parts()) text += (text.empty() ? ", with " : ", ") + part;
  return text + (text.empty() ? "" : ",");
}

// The controller's words are about its decision: of what users meet only load balancers that were
// waited for, and confirmed, tell.
std::string SummaryOf(const Command& command, const v1::Outcome& outcome) {
  const v1::Gate& gate = outcome.gate();
  const bool is_closed = command.verb == Verb::kClose && gate.share_ppm() == 0;
  if (!is_closed || command.mutation.dry_run) return outcome.summary();
  if (IsUnconfirmed(command, outcome)) {
    return fmt::format("gate {} is closed at the controller, NOT on every load balancer",
                       gate.name());
  }
  const v1::WaitFor wait_for = ToWaitFor(command);
  if (wait_for == v1::WAIT_APPLIED || wait_for == v1::WAIT_OBSERVED) {
    return fmt::format("gate {}{} is closed: everybody gets the waiting page", gate.name(),
                       WithParts(gate));
  }
  const auto connected = std::count_if(gate.agents().begin(), gate.agents().end(),
                                       [](const v1::Agent& agent) { return agent.connected(); });
  return fmt::format(
      "gate {} is closed at the controller; load balancers were not waited for (agents: {} of {} "
      "connected)",
      gate.name(), connected, ExpectedAgents(gate));
}

// What stands in the way of a start, as a dry run's summary lists it.
std::vector<std::string> ObstaclesIn(std::string_view summary) {
  constexpr std::string_view kHead = "and wait for: ";
  constexpr std::string_view kChecks = "its checks, which are read once it has started";
  std::vector<std::string> obstacles;
  std::size_t from = summary.find(kHead);
  if (from == std::string_view::npos) return obstacles;
  for (from += kHead.size(); from < summary.size();) {
    const std::size_t end = std::min(summary.find("; ", from), summary.size());
    const std::string_view part = summary.substr(from, end - from);
    if (part != kChecks) obstacles.emplace_back(part);
    from = std::min(end + 2, summary.size());
  }
  return obstacles;
}

// A load balancer that is on its way to the present share is there long before preflight ends.
bool PassesByItself(std::string_view obstacle) {
  return obstacle.find(" has not observed its share yet") != std::string_view::npos ||
         obstacle.find(" has version ") != std::string_view::npos;
}

// A start that may not wait would be refused for these.
ExitCode RefuseDryStart(const Command& command, const v1::Outcome& outcome, Session& session) {
  if (command.verb != Verb::kStart || !command.mutation.dry_run || command.when_ready) {
    return ExitCode::kDone;
  }
  std::string why;
  for (const std::string& obstacle : ObstaclesIn(outcome.summary())) {
    if (!PassesByItself(obstacle)) why += (why.empty() ? "" : "; ") + obstacle;
  }
  if (why.empty()) return ExitCode::kDone;
  session.terminal.err << "headgate: as it stands this start would be refused: " << Clean(why)
                       << ". With --when-ready it would wait\n";
  return ExitCode::kRefused;
}

// Of a dry run the controller says so itself.
void PrintSummary(const v1::Outcome& outcome, std::ostream& out) {
  out << Clean(outcome.summary()) << (outcome.repeated() ? " (done before, not again)" : "")
      << '\n';
  out.flush();
}

// A mistyped label makes a part of nobody, which obeys nothing.
void WarnOfNobody(const Command& command, Controller& controller, Session& session) {
  if (command.verb != Verb::kSplitGate) return;
  // An agent is told by the part as soon as it has come over.
  for (const std::string& name : {WholeOf(command.gate), command.gate}) {
    v1::GetGateRequest request;
    request.set_gate(name);
    v1::Gate gate;
    const bool is_known = controller.GetGate(request, gate).ok();
    if (!is_known && name != command.gate) return;
    const bool has_one =
        std::any_of(gate.agents().begin(), gate.agents().end(), [&](const v1::Agent& agent) {
          return std::all_of(command.labels.begin(), command.labels.end(), [&](const auto& label) {
            const auto found = agent.labels().find(label.first);
            return found != agent.labels().end() && found->second == label.second;
          });
        });
    if (has_one) return;
  }
  session.terminal.err << fmt::format(
      "headgate: no load balancer has these labels: {} is nobody's until one comes (`headgate "
      "agents {}` shows whose labels are which)\n",
      Clean(command.gate), Clean(WholeOf(command.gate)));
}

void PrintJournal(const Command& command, const v1::Outcome& outcome, Controller& controller,
                  const Session& session, std::ostream& out) {
  if (outcome.recorded() || command.mutation.dry_run) return;
  // An answer may be before the disk has it, which takes milliseconds or never ends.
  v1::GetGateRequest request;
  request.set_gate(outcome.gate().name());
  std::string why = "The journal has not confirmed it yet.";
  for (int look = 0; look < kJournalLooks; ++look) {
    v1::Gate gate;
    if (!controller.GetGate(request, gate).ok()) break;
    if (gate.recorded()) return;
    v1::Controller state;
    const CallResult asked = controller.GetController(v1::GetControllerRequest(), state);
    if (asked.ok() && !state.journal_trouble().empty()) {
      why = "THE JOURNAL DOES NOT HAVE IT: " + Clean(state.journal_trouble());
      break;
    }
    if (session.interrupt.WaitFor(kJournalPause)) break;
  }
  out << "It is decided and sent. " << why << '\n';
  out.flush();
}

// By its own last word, on a link that lives: the order is not confirmed, and nothing is in danger.
bool LetsInNoMore(const v1::Unconfirmed& unconfirmed, const v1::Gate& gate) {
  return std::any_of(gate.agents().begin(), gate.agents().end(), [&](const v1::Agent& agent) {
    const v1::Report& report = agent.report();
    const bool is_told = report.has_override() || report.stage() == v1::RECEIVED ||
                         report.stage() == v1::APPLIED || report.stage() == v1::OBSERVED;
    return agent.name() == unconfirmed.agent() && agent.connected() && is_told &&
           report.trouble().empty() && report.enforced_ppm() <= gate.share_ppm();
  });
}

ExitCode PrintUnconfirmed(const Command& command, const v1::Outcome& outcome, Session& session) {
  std::ostream& err = session.terminal.err;
  if (!IsUnconfirmed(command, outcome)) return ExitCode::kDone;
  const int missing = outcome.unconfirmed_size();
  const std::string share = FormatPpm(outcome.gate().share_ppm());
  const bool may_let_in = !std::all_of(
      outcome.unconfirmed().begin(), outcome.unconfirmed().end(),
      [&](const v1::Unconfirmed& agent) { return LetsInNoMore(agent, outcome.gate()); });
  std::string but = "";
  if (IsLowering(command.verb)) but = fmt::format(" and may still let in more than {}", share);
  if (command.verb == Verb::kClose) but = " and may still let users in";
  if (!may_let_in) but = fmt::format(", though each says that it lets in no more than {}", share);
  err << fmt::format("{} of {} load balancers {} NOT confirmed{}:\n", missing,
                     std::max(missing, ExpectedAgents(outcome.gate())),
                     missing == 1 ? "has" : "have", but);
  for (const v1::Unconfirmed& agent : outcome.unconfirmed()) {
    err << fmt::format("  {}: {}\n", Clean(agent.agent()), Clean(agent.why()));
  }
  if (IsLowering(command.verb) && may_let_in) {
    const absl::StatusOr<Share> to = Share::FromPpm(outcome.gate().share_ppm());
    err << fmt::format("On each of them, as root: headgate-agent lower {} --gate {}\n",
                       to.ok() ? AsArgument(*to) : "0%", Clean(WholeOf(command.gate)));
  }
  return ExitCode::kUnconfirmed;
}

// --timeout passed while `start` waited for the end of preflight. What was started goes on; unset
// where nobody can tell that it was.
std::optional<ExitCode> EndInPreflight(const Command& command, const std::string& yaml,
                                       Controller& controller, Session& session) {
  Baselines baselines(command.plan_file);
  const auto plan = LoadPlanOf(command, yaml, baselines);
  if (!plan.ok()) return std::nullopt;
  v1::GetGateRequest request;
  request.set_gate(plan->spec().gate);
  v1::Gate gate;
  if (!controller.GetGate(request, gate).ok() || !IsRunning(gate)) return std::nullopt;
  session.terminal.err << fmt::format(
      "headgate: --timeout passed in preflight: the restoration goes on; headgate watch {0} to "
      "look again, headgate abort {0} to end it\n",
      Clean(gate.name()));
  if (command.output == Output::kJson) session.terminal.out << ToJson(gate);
  return ExitCode::kTimeout;
}

// `left`: of --timeout.
ExitCode FollowToTheEnd(const Command& command, const v1::Outcome& outcome,
                        std::optional<Duration> left, Controller& controller, Session& session) {
  const bool is_json = command.output == Output::kJson;
  const auto screen =
      LineScreen(is_json ? session.terminal.err : session.terminal.out, session.clock);
  const Followed followed = Follow(FollowRequest{.gate = outcome.gate().name(),
                                                 .restoration = outcome.gate().restoration().id(),
                                                 .until_end = true,
                                                 .timeout = left},
                                   FollowParts{.controller = controller,
                                               .screen = *screen,
                                               .interrupt = session.interrupt,
                                               .clock = session.clock});
  session.terminal.err << "headgate: " << Clean(followed.text) << '\n';
  if (is_json) session.terminal.out << ToJson(followed.gate ? *followed.gate : outcome.gate());
  return followed.code;
}

}  // namespace

ExitCode RunMutation(const Command& command, Controller& controller, Session& session) {
  std::string yaml;
  if (command.verb == Verb::kStart) {
    absl::StatusOr<std::string> read = ReadPlanFile(command, session);
    if (!read.ok()) {
      return Refuse(ExitCode::kUsage, std::string(read.status().message()), command, session);
    }
    yaml = *std::move(read);
    // What else is wrong with it the controller's own rules say, which may know more than ours.
    Baselines baselines(command.plan_file);
    if (const auto plan = LoadPlanOf(command, yaml, baselines); baselines.has_failed()) {
      return RefuseFile(plan.status(), command, session);
    }
  }
  const bool follows = command.verb == Verb::kStart && command.wait;
  const TimePoint began = session.clock.Now();
  const auto time_is_up = [&] {
    return follows && command.timeout && session.clock.Now() - began >= *command.timeout;
  };
  v1::Outcome outcome;
  const CallResult result = CallOrder(command, yaml, controller, session.terminal.err, outcome);
  if (!result.ok()) {
    if (result.reach == Reach::kSent && time_is_up() && !session.interrupt.IsRaised()) {
      if (const auto code = EndInPreflight(command, yaml, controller, session)) return *code;
    }
    return Fail(result, command, session);
  }
  outcome.set_summary(SummaryOf(command, outcome));
  WarnOfNobody(command, controller, session);
  const bool is_json = command.output == Output::kJson;
  std::ostream& people = is_json ? session.terminal.err : session.terminal.out;
  if (is_json && !follows) {
    session.terminal.out << ToJson(outcome);
    if (command.mutation.dry_run) return RefuseDryStart(command, outcome, session);
    return PrintUnconfirmed(command, outcome, session);
  }
  PrintSummary(outcome, people);
  if (command.mutation.dry_run) return RefuseDryStart(command, outcome, session);
  // Followed agents confirm in their own time, and every look at the gate names those who do not.
  if (follows) {
    PrintJournal(command, outcome, controller, session, people);
    std::optional<Duration> left;
    if (command.timeout) {
      left = std::max(*command.timeout - (session.clock.Now() - began), Duration(1));
    }
    return FollowToTheEnd(command, outcome, left, controller, session);
  }
  // First what people must act upon: the journal may take its time to answer.
  const ExitCode code = PrintUnconfirmed(command, outcome, session);
  PrintJournal(command, outcome, controller, session, people);
  return code;
}

}  // namespace headgate::cli
