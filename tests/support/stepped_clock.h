// A wall clock of one child process that can be stepped while it runs; the machine's stays as it
// is. For programs that wait by the monotonic clock, as load balancers do. One thread.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "tests/support/temp_folder.h"

namespace headgate::test {

class SteppedClock {
 public:
  SteppedClock();
  ~SteppedClock();
  SteppedClock(const SteppedClock&) = delete;
  SteppedClock& operator=(const SteppedClock&) = delete;

  // For Process::Options.
  std::vector<std::string> environment() const;
  // From what the machine's says.
  void Set(std::chrono::seconds ahead);

 private:
  const TempFolder folder_;
  volatile long* shared_ = nullptr;
};

}  // namespace headgate::test
