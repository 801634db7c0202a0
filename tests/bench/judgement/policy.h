// The seam of the benchmark: what decides, second by second, which share of the users gets in.
// One thread at a time; a policy serves one run.
#pragma once

#include <memory>

#include "common/base/share.h"
#include "controller/rehearsal/platform.h"
#include "controller/rehearsal/scenario.h"

namespace headgate::bench {

class Policy {
 public:
  virtual ~Policy() = default;
  // The share to command from now on. Called once at 0 s with nothing seen, then at the end of
  // each second.
  virtual Share Decide(const rehearsal::Seen& seen) = 0;
  // Whether the last Decide lowered the share because of what it saw.
  virtual bool RetreatedNow() const = 0;
};

// What a policy may know before the run.
struct Site {
  rehearsal::Scenario::Limits limits;
  // Requests per second at full share.
  double rps = 0;
};

using PolicyFactory = std::unique_ptr<Policy> (*)(const Site& site);

}  // namespace headgate::bench
