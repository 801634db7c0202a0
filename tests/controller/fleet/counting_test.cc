#include "controller/fleet/counting.h"

#include <gtest/gtest.h>

namespace headgate::fleet {
namespace {

constexpr TimePoint kStart{Duration(1'000'000)};

CountersPush Push(std::uint64_t sequence, std::uint64_t admitted, std::uint64_t bad,
                  const std::string& boot = "boot-1") {
  return {.boot_id = boot,
          .sequence = sequence,
          .gates = {{.gate = "shop", .admitted = admitted, .http_5xx = bad, .live = true}}};
}

TEST(Counting, TellsWhatWasCountedSinceThePushBefore) {
  Counting counting;
  EXPECT_TRUE(counting.Add(Push(1, 1'000, 5), kStart).deltas.empty());
  const CountingResult result = counting.Add(Push(2, 1'100, 7), kStart + Duration(250));
  ASSERT_EQ(result.deltas.size(), 1U);
  EXPECT_EQ(result.deltas[0].admitted, 100U);
  EXPECT_EQ(result.deltas[0].http_5xx, 2U);
  EXPECT_FALSE(result.needs_full_state);
}

TEST(Counting, LossAndRepetitionCountNothingTwiceAndLoseNothing) {
  Counting counting;
  counting.Add(Push(1, 0, 0), kStart);
  EXPECT_EQ(counting.Add(Push(2, 10, 0), kStart).deltas[0].admitted, 10U);
  EXPECT_TRUE(counting.Add(Push(2, 10, 0), kStart).deltas.empty());
  const CountingResult result = counting.Add(Push(5, 40, 0), kStart);
  EXPECT_EQ(result.deltas[0].admitted, 30U);
  EXPECT_TRUE(result.needs_full_state);
}

TEST(Counting, ARestartedAgentBeginsAnewAndIsAskedForFullState) {
  Counting counting;
  counting.Add(Push(1, 5'000, 0), kStart);
  const CountingResult first = counting.Add(Push(1, 3, 0, "boot-2"), kStart);
  EXPECT_TRUE(first.deltas.empty());
  EXPECT_TRUE(first.needs_full_state);
  EXPECT_EQ(counting.Add(Push(2, 8, 0, "boot-2"), kStart).deltas[0].admitted, 5U);
}

TEST(Counting, RefusesWhatCannotBe) {
  Counting counting;
  counting.Add(Push(1, 100, 0), kStart);
  EXPECT_EQ(counting.Add(Push(2, 50, 0), kStart).implausible.size(), 1U);
  EXPECT_EQ(counting.Add(Push(3, 60, 20), kStart).implausible.size(), 1U);
  const CountingResult flood =
      counting.Add(Push(4, 60 + 2 * kRequestsPerSecondMax, 20), kStart + Duration(250));
  EXPECT_TRUE(flood.deltas.empty());
  EXPECT_EQ(flood.implausible.size(), 1U);
}

TEST(Counting, ALoadBalancerThatCannotBeReadCountsNothing) {
  Counting counting;
  counting.Add(Push(1, 100, 0), kStart);
  CountersPush dead = Push(2, 100, 0);
  dead.gates[0].live = false;
  EXPECT_TRUE(counting.Add(dead, kStart).deltas.empty());
}

}  // namespace
}  // namespace headgate::fleet
