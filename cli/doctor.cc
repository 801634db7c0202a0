// `headgate doctor`: is the controller well, and are we of one version?
#include <fmt/format.h>

#include "cli/json.h"
#include "cli/session.h"
#include "cli/text.h"
#include "cli/words.h"

namespace headgate::cli {
namespace {

// Each line: what is wrong, and what to do.
std::vector<std::string> Complaints(const v1::Controller& controller) {
  std::vector<std::string> complaints;
  if (!controller.journal_trouble().empty()) {
    complaints.push_back(fmt::format("the journal: {}: nothing is raised (docs/JOURNAL.md)",
                                     Clean(controller.journal_trouble())));
  }
  if (controller.software_version() != HEADGATE_VERSION) {
    complaints.push_back(
        fmt::format("the controller is of version {}, this program of {}: "
                    "bring both to one (docs/INSTALL.md)",
                    Clean(controller.software_version()), HEADGATE_VERSION));
  }
  return complaints;
}

}  // namespace

ExitCode RunDoctor(const Command& command, Controller& controller, Session& session) {
  v1::Controller answer;
  const CallResult result = controller.GetController(v1::GetControllerRequest(), answer);
  if (!result.ok()) return Fail(result, command, session);
  const std::vector<std::string> complaints = Complaints(answer);
  std::ostream& out = session.terminal.out;
  if (command.output == Output::kJson) {
    out << ToJson({{"controller", controller.address()},
                   {"version", Clean(answer.software_version())},
                   {"reign", std::to_string(answer.epoch())},
                   {"agents_connected", std::to_string(answer.agents_connected())},
                   {"complaints", fmt::format("{}", fmt::join(complaints, "; "))}});
  } else {
    out << fmt::format("controller {} lives: reign {}, {}\n", controller.address(), answer.epoch(),
                       AgentsConnectedText(answer.agents_connected()));
    for (const std::string& complaint : complaints) out << complaint << '\n';
    if (complaints.empty()) out << "All is well.\n";
  }
  return complaints.empty() || command.only_life ? ExitCode::kDone : ExitCode::kRefused;
}

}  // namespace headgate::cli
