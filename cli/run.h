// One command, from its words to its exit code. One thread.
#pragma once

#include <ostream>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/session.h"

namespace headgate::cli {

ExitCode Run(const Command& command, Session& session);

// The last that is done: what was said must have been written. Else says so on `err`, and a command
// that is done did not succeed. Who reads no further (a closed pipe) needs no message.
ExitCode Written(ExitCode code, std::ostream& out, std::ostream& err);

}  // namespace headgate::cli
