// How `headgate` ends: the numbers that runbooks and automation read. Values.
#pragma once

namespace headgate::cli {

enum class ExitCode {
  kDone = 0,
  kInternal = 1,
  kUsage = 2,
  // By a check or a rule.
  kRefused = 3,
  kNotFound = 4,
  kVersionConflict = 5,
  kNotAllowed = 6,
  kNoController = 7,
  // --timeout passed; the restoration goes on.
  kTimeout = 8,
  kRetreatedOrAborted = 9,
  kWaitsForApproval = 10,
  kUnconfirmed = 11,
  kCouldNotTell = 12,
  // By Ctrl-C; the restoration goes on.
  kDetached = 130,
};

}  // namespace headgate::cli
