// The controller of ./dev bench propagation: it directs agents of the gate "shop" as it is told.
// First line of its output: its port. Then for each line "20%" of its input two lines: the
// monotonic clock's nanoseconds just before the directive is handed to gRPC, and "observed" as
// soon as the agent says so and has saved it.
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <string>

#include "common/base/share.h"
#include "tests/support/fake_controller.h"
#include "tests/support/process.h"

namespace headgate::bench {
namespace {

constexpr std::chrono::seconds kObservedMax{20};
constexpr std::uint64_t kEpoch = 1;

bool WaitUntilObserved(const test::FakeController& controller, std::uint64_t revision) {
  const bool is_observed = test::Eventually(
      [&] {
        const v1::Report report = controller.report();
        return report.version().epoch() == kEpoch && report.version().revision() == revision &&
               report.stage() == v1::OBSERVED && !report.unsaved();
      },
      kObservedMax);
  if (!is_observed) {
    std::fprintf(stderr, "not observed: %s\n", controller.report().DebugString().c_str());
  }
  return is_observed;
}

int Run() {
  test::FakeController controller;
  fmt::print("{}\n", controller.port());
  std::fflush(stdout);
  std::uint64_t revision = 0;
  for (std::string line; std::getline(std::cin, line);) {
    const absl::StatusOr<Share> share = Share::Parse(line);
    if (!share.ok()) {
      std::fprintf(stderr, "%s\n", std::string(share.status().message()).c_str());
      return 2;
    }
    ++revision;
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    controller.Direct({.gate = "shop",
                       .version = {kEpoch, revision},
                       .share = *share,
                       .no_raise = false,
                       .retry_after_s = 10});
    fmt::print("{}\n", std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
    std::fflush(stdout);
    if (!WaitUntilObserved(controller, revision)) return 1;
    fmt::print("observed\n");
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace headgate::bench

int main() { return headgate::bench::Run(); }
