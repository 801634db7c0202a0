// What a verb works with. Borrowed from main for the length of one command; one thread.
#pragma once

#include <istream>
#include <ostream>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/baselines.h"
#include "cli/command.h"
#include "cli/controller.h"
#include "cli/exit_code.h"
#include "cli/terminal.h"
#include "common/base/clock.h"
#include "controller/plan/plan.h"

namespace headgate::cli {

struct Session {
  Terminal& terminal;
  const Interrupt& interrupt;
  const Clock& clock;
  std::istream& in;
  bool is_root = false;
};

// Each carries out the verbs of its name, and says what happened.
ExitCode RunValidate(const Command& command, Session& session);
ExitCode RunSimulate(const Command& command, Session& session);
ExitCode RunCerts(const Command& command, Session& session);
ExitCode RunDbcheck(const Command& command, Session& session);
ExitCode RunView(const Command& command, Controller& controller, Session& session);
ExitCode RunDatabases(const Command& command, Controller& controller, Session& session);
ExitCode RunMutation(const Command& command, Controller& controller, Session& session);

// A plan as its file has it, with the baselines beside it that it expects: read here, because the
// controller has no access to them. Errors as plan::LoadPlan's.
absl::StatusOr<engine::Plan> LoadPlanOf(const Command& command, const std::string& yaml,
                                        Baselines& baselines, plan::Positions* positions = nullptr);

// The whole of the file, or of the standard input for "-"; at most the size of a plan and a byte.
absl::StatusOr<std::string> ReadPlanFile(const Command& command, Session& session);

// Says why the call did not succeed, and what to do.
ExitCode Fail(const CallResult& result, const Command& command, Session& session);

// Of a plan: `errors` begin with its file's name and their place, one on a line; else what was
// said.
std::string PlanErrors(const Command& command, const std::string& errors);
// As people know it: a file, or the standard input.
std::string NameOfPlan(const Command& command);

// The same for what this program refuses by itself. Both also write a JSON document where one was
// asked for.
ExitCode Refuse(ExitCode code, const std::string& why, const Command& command, Session& session);
// What LoadPlan says is wrong in a file, line by line: exit code 3.
ExitCode RefuseFile(const absl::Status& status, const Command& command, Session& session);

}  // namespace headgate::cli
