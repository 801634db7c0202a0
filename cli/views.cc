// The verbs that only look.
#include <algorithm>
#include <memory>

#include "cli/document.h"
#include "cli/follow.h"
#include "cli/json.h"
#include "cli/picture.h"
#include "cli/session.h"

namespace headgate::cli {
namespace {

void Print(const Lines& lines, Session& session) {
  for (const std::string& line : lines) session.terminal.out << line << '\n';
}

ExitCode ShowGates(const Command& command, Controller& controller, Session& session) {
  v1::ListGatesResponse gates;
  const CallResult result = controller.ListGates(v1::ListGatesRequest(), gates);
  if (!result.ok()) return Fail(result, command, session);
  // Whether there is none, or none is known.
  v1::Controller state;
  if (gates.gates().empty()) {
    const CallResult asked = controller.GetController(v1::GetControllerRequest(), state);
    if (!asked.ok()) return Fail(asked, command, session);
  }
  const Lines table = GateTable(gates, state.journal_trouble());
  if (command.output != Output::kJson) {
    Print(table, session);
    return ExitCode::kDone;
  }
  session.terminal.out << ToJson(gates);
  if (!state.journal_trouble().empty()) session.terminal.err << "headgate: " << table[0] << '\n';
  return ExitCode::kDone;
}

ExitCode ShowGate(const Command& command, Controller& controller, Session& session) {
  v1::GetGateRequest request;
  request.set_gate(command.gate);
  v1::Gate gate;
  const CallResult result = controller.GetGate(request, gate);
  if (!result.ok()) return Fail(result, command, session);
  const TimePoint now = session.clock.Now();
  const bool is_json = command.output == Output::kJson;
  if (is_json && command.verb == Verb::kExplain) {
    session.terminal.out << DocumentWith(gate, "explanation", Explanation(gate, now));
  } else if (is_json) {
    session.terminal.out << ToJson(gate);
  } else if (command.verb == Verb::kExplain) {
    Print(Explanation(gate, now), session);
  } else if (command.verb == Verb::kAgents) {
    Print(AgentTable(gate, now), session);
  } else {
    Print(Picture(gate, PictureOptions{.now = now,
                                       .size = session.terminal.size(),
                                       .has_color = session.terminal.has_color,
                                       .is_cut = false,
                                       // What is piped is searched and kept: nothing is cut.
                                       .is_whole = !session.terminal.is_live}),
          session);
  }
  return ExitCode::kDone;
}

ExitCode ShowTimeline(const Command& command, Controller& controller, Session& session) {
  v1::ListTimelineRequest request;
  request.set_gate(command.gate);
  request.set_limit(command.limit);
  v1::ListTimelineResponse timeline;
  const CallResult result = controller.ListTimeline(request, timeline);
  if (!result.ok()) return Fail(result, command, session);
  if (command.output == Output::kJson) {
    session.terminal.out << ToJson(timeline);
    return ExitCode::kDone;
  }
  for (const v1::TimelineEntry& entry : timeline.entries()) {
    // Its text begins with the time of day; an incident may last past midnight.
    const std::string at = FormatTime(FromUnixMillis(entry.record().at_unix_ms()));
    std::string text = Clean(entry.text());
    if (entry.record().gate_changed().cause().what() == "open") {
      text.insert(std::min(text.find(' '), text.size()), " !!");
    }
    session.terminal.out << at.substr(0, at.find(' ')) << ' ' << text << '\n';
  }
  return ExitCode::kDone;
}

ExitCode Watch(const Command& command, Controller& controller, Session& session) {
  std::unique_ptr<Screen> screen;
  if (command.output == Output::kJson) {
    screen = JsonScreen(session.terminal, session.clock);
  } else if (session.terminal.is_live) {
    screen = PictureScreen(session.terminal, session.clock);
  } else {
    screen = LineScreen(session.terminal.out, session.clock);
  }
  const Followed followed = Follow(FollowRequest{.gate = command.gate,
                                                 .restoration = "",
                                                 .until_end = command.wait,
                                                 .timeout = command.timeout},
                                   FollowParts{.controller = controller,
                                               .screen = *screen,
                                               .interrupt = session.interrupt,
                                               .clock = session.clock});
  session.terminal.err << "headgate: " << Clean(followed.text) << '\n';
  return followed.code;
}

}  // namespace

ExitCode RunView(const Command& command, Controller& controller, Session& session) {
  if (command.verb == Verb::kTimeline) return ShowTimeline(command, controller, session);
  if (command.verb == Verb::kDatabases) return RunDatabases(command, controller, session);
  if (command.verb == Verb::kWatch) return Watch(command, controller, session);
  if (command.gate.empty()) return ShowGates(command, controller, session);
  return ShowGate(command, controller, session);
}

}  // namespace headgate::cli
