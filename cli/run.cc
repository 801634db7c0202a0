#include "cli/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "cli/json.h"
#include "cli/on_the_box.h"
#include "cli/text.h"
#include "cli/words.h"

namespace headgate::cli {
namespace {

void PrintOnTheBox(const Command& command, Session& session) {
  for (const std::string& line : OnTheBox(command)) session.terminal.err << line << '\n';
}

ExitCode PrintVersion(const Command& command, Session& session) {
  std::ostream& out = session.terminal.out;
  const bool is_json = command.output == Output::kJson;
  const auto endpoints = OpenEndpoints(command.connection, session.is_root, session.clock.Now());
  if (!endpoints.ok()) {
    // No controller is named, or its certificates cannot be read: our own version needs neither.
    if (is_json) {
      out << ToJson({{"headgate", HEADGATE_VERSION}});
    } else {
      out << "headgate " HEADGATE_VERSION "\n";
    }
    return ExitCode::kDone;
  }
  Controller controller(*endpoints, session.interrupt);
  v1::Controller answer;
  const CallResult result = controller.GetController(v1::GetControllerRequest(), answer);
  const std::string theirs = result.ok() ? Clean(answer.software_version()) : "";
  if (is_json) {
    out << ToJson({{"headgate", HEADGATE_VERSION}, {"controller", theirs}});
  } else {
    out << "headgate " HEADGATE_VERSION "\n";
    if (result.ok()) {
      out << fmt::format(
          "controller {} at {}, reign {}, {}{}\n", theirs, controller.address(), answer.epoch(),
          AgentsConnectedText(answer.agents_connected()),
          answer.journal_trouble().empty() ? "" : "; JOURNAL: " + Clean(answer.journal_trouble()));
    }
  }
  return result.ok() ? ExitCode::kDone : Fail(result, command, session);
}

void PrintError(ExitCode code, const std::string& why, const Command& command, Session& session) {
  // `version` has said its own already, and one document is all that a program reads.
  if (command.output != Output::kJson || command.verb == Verb::kVersion) return;
  session.terminal.out << ErrorJson(static_cast<int>(code), why,
                                    ReadFileErrors(why, NameOfPlan(command)));
}

}  // namespace

std::string NameOfPlan(const Command& command) {
  return command.plan_file == "-" ? "standard input" : command.plan_file;
}

std::string PlanErrors(const Command& command, const std::string& errors) {
  const std::string name = NameOfPlan(command);
  if (name.empty() || errors.rfind(name + ":", 0) != 0) return errors;
  return fmt::format("{} is no sound plan:\n{}", Clean(name), errors);
}

ExitCode Refuse(ExitCode code, const std::string& why, const Command& command, Session& session) {
  session.terminal.err << "headgate: " << why << '\n';
  PrintError(code, why, command, session);
  return code;
}

ExitCode Fail(const CallResult& result, const Command& command, Session& session) {
  std::ostream& err = session.terminal.err;
  const ExitCode code = ExitCodeOf(result, command.verb);
  // Several lines only where the controller names several errors of a plan.
  std::string why(result.status.message());
  for (std::size_t at = 0; at < why.size();) {
    const std::size_t end = std::min(why.find('\n', at), why.size());
    why.replace(at, end - at, Clean(std::string_view(why).substr(at, end - at)));
    const std::size_t next = why.find('\n', at);
    if (next == std::string::npos) break;
    at = next + 1;
  }
  if (session.interrupt.IsRaised()) {
    err << (result.reach == Reach::kNever ? "headgate: detached: nothing was sent\n"
                                          : "headgate: detached before the controller answered: it "
                                            "may have been carried out; "
                                            "headgate status tells\n");
    PrintError(ExitCode::kDetached, "detached", command, session);
    return ExitCode::kDetached;
  }
  PrintError(code, why, command, session);
  switch (code) {
    case ExitCode::kNoController:
      err << "headgate: no controller can be reached: " << why << '\n';
      PrintOnTheBox(command, session);
      break;
    case ExitCode::kCouldNotTell:
      err << "headgate: the call was cut off, and may or may not have been carried out: " << why
          << "\nheadgate status tells, once a controller answers.\n";
      PrintOnTheBox(command, session);
      break;
    case ExitCode::kDone:
    case ExitCode::kInternal:
    case ExitCode::kUsage:
    case ExitCode::kRefused:
    case ExitCode::kNotFound:
    case ExitCode::kVersionConflict:
    case ExitCode::kNotAllowed:
    case ExitCode::kTimeout:
    case ExitCode::kRetreatedOrAborted:
    case ExitCode::kWaitsForApproval:
    case ExitCode::kUnconfirmed:
    case ExitCode::kDetached:
      err << "headgate: " << PlanErrors(command, why) << '\n';
      break;
  }
  return code;
}

ExitCode Run(const Command& command, Session& session) {
  for (const std::string& notice : command.notices) {
    session.terminal.err << "headgate: " << Clean(notice) << '\n';
  }
  if (command.verb == Verb::kValidate) return RunValidate(command, session);
  if (command.verb == Verb::kSimulate) return RunSimulate(command, session);
  if (command.verb == Verb::kCertsInit || command.verb == Verb::kCertsIssue ||
      command.verb == Verb::kCertsCheck) {
    return RunCerts(command, session);
  }
  if (command.verb == Verb::kDbcheck) return RunDbcheck(command, session);
  if (command.verb == Verb::kVersion) return PrintVersion(command, session);
  auto endpoints = OpenEndpoints(command.connection, session.is_root, session.clock.Now());
  if (!endpoints.ok()) {
    // Who must lower cannot mend a way in first: it is as if no controller could be reached.
    const ExitCode code =
        Refuse(IsLowering(command.verb) ? ExitCode::kNoController : ExitCode::kUsage,
               std::string(endpoints.status().message()), command, session);
    PrintOnTheBox(command, session);
    return code;
  }
  Controller controller(*std::move(endpoints), session.interrupt);
  switch (command.verb) {
    case Verb::kStatus:
    case Verb::kWatch:
    case Verb::kExplain:
    case Verb::kAgents:
    case Verb::kGates:
    case Verb::kTimeline:
    case Verb::kDatabases:
      return RunView(command, controller, session);
    case Verb::kDoctor:
      return RunDoctor(command, controller, session);
    case Verb::kStart:
    case Verb::kHold:
    case Verb::kResume:
    case Verb::kAdvance:
    case Verb::kRetreat:
    case Verb::kAbort:
    case Verb::kClose:
    case Verb::kApprove:
    case Verb::kOpen:
    case Verb::kRemoveAgent:
    case Verb::kCreateGate:
    case Verb::kSplitGate:
    case Verb::kRemoveGate:
    case Verb::kRotateKey:
      return RunMutation(command, controller, session);
    case Verb::kValidate:
    case Verb::kSimulate:
    case Verb::kCertsInit:
    case Verb::kCertsIssue:
    case Verb::kCertsCheck:
    case Verb::kDbcheck:
    case Verb::kVersion:
      break;
  }
  return ExitCode::kInternal;
}

ExitCode Written(ExitCode code, std::ostream& out, std::ostream& err) {
  const bool was_good = out.good();
  out.clear();
  errno = 0;
  // What failed before has left no reason behind: one more byte, after text that is cut anyway, has
  // the system say it again.
  if (!was_good) out << '\n';
  out.flush();
  if (was_good && out.good()) return code;
  const int reason = errno;
  if (reason != EPIPE) {
    err << fmt::format("headgate: cannot write to standard output: {}\n",
                       reason == 0 ? "a part of it is missing" : std::strerror(reason));
  }
  return code == ExitCode::kDone ? ExitCode::kInternal : code;
}

}  // namespace headgate::cli
