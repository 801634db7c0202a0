// HEADGATE_CHECK: for what must be true. Always compiled in: a controller that has lost its own
// invariants stops, and a stopped controller raises nothing.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace headgate {

[[noreturn]] inline void FailCheck(const char* claim, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: this must be true and is not: %s\n", file, line, claim);
  std::abort();
}

}  // namespace headgate

#define HEADGATE_CHECK(claim) \
  ((claim) ? static_cast<void>(0) : ::headgate::FailCheck(#claim, __FILE__, __LINE__))
