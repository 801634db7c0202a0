// One command, from its words to its exit code. One thread.
#pragma once

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/session.h"

namespace headgate::cli {

ExitCode Run(const Command& command, Session& session);

}  // namespace headgate::cli
