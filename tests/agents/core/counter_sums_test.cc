#include "agents/core/counter_sums.h"

#include <gtest/gtest.h>

namespace headgate::agent {
namespace {

const TimePoint kNow = FromUnixMillis(1'723'658'400'000);

RawCounters Raw(const char* instance, std::uint64_t admitted, std::uint64_t slow) {
  RawCounters raw;
  raw.instance = instance;
  raw.answered = admitted;
  raw.slow[500] = slow;
  return raw;
}

TEST(CounterSummer, BeginsAtZeroWhateverTheLoadBalancerHasCountedBefore) {
  CounterSummer summer;
  summer.Add(Raw("1", 1000, 5), kNow);
  EXPECT_EQ(summer.sums().admitted, 0U);
  EXPECT_EQ(summer.sums().slow.at(500), 0U);
  summer.Add(Raw("1", 1010, 6), kNow);
  EXPECT_EQ(summer.sums().admitted, 10U);
  EXPECT_EQ(summer.sums().slow.at(500), 1U);
}

TEST(CounterSummer, GoesOnAfterAReload) {
  CounterSummer summer;
  summer.Add(Raw("1", 1000, 5), kNow);
  summer.Add(Raw("1", 1010, 5), kNow);
  summer.Add(Raw("2", 3, 1), kNow);
  EXPECT_EQ(summer.sums().admitted, 13U);
  EXPECT_EQ(summer.sums().slow.at(500), 1U);
  // A new process may have counted more than the old one.
  summer.Add(Raw("3", 500, 0), kNow);
  EXPECT_EQ(summer.sums().admitted, 513U);
}

TEST(CounterSummer, NeverGoesDownWhenCountersAreClearedByHand) {
  CounterSummer summer;
  summer.Add(Raw("1", 100, 5), kNow);
  summer.Add(Raw("1", 150, 5), kNow);
  summer.Add(Raw("1", 2, 0), kNow);
  EXPECT_EQ(summer.sums().admitted, 52U);
}

TEST(CounterSummer, ABypassedRequestIsNoAdmittedOneEvenBeforeItsAnswer) {
  CounterSummer summer;
  RawCounters raw = Raw("1", 0, 0);
  summer.Add(raw, kNow);
  raw.bypassed = 3;
  summer.Add(raw, kNow);
  EXPECT_EQ(summer.sums().admitted, 0U);
  raw.answered = 5;
  raw.http_5xx = 4;
  raw.bypassed_5xx = 3;
  summer.Add(raw, kNow);
  EXPECT_EQ(summer.sums().admitted, 2U);
  EXPECT_EQ(summer.sums().bypassed, 3U);
  EXPECT_EQ(summer.sums().http_5xx, 1U);
}

TEST(CounterSummer, NeverCountsMoreBadAnswersThanAnswersAndChargesNobodyLater) {
  CounterSummer summer;
  RawCounters raw = Raw("1", 0, 0);
  summer.Add(raw, kNow);
  raw.http_5xx = 2;
  raw.answered = 1;
  summer.Add(raw, kNow);
  EXPECT_EQ(summer.sums().http_5xx, 1U);
  raw.answered = 3;
  summer.Add(raw, kNow);
  EXPECT_EQ(summer.sums().http_5xx, 1U);
}

// At 0 % with the application down: the load balancer's own 503s for health probes.
TEST(CounterSummer, ErrorsOfBypassedRequestsAreNotChargedToThoseWhoAreAdmittedLater) {
  CounterSummer summer;
  RawCounters raw = Raw("1", 0, 0);
  summer.Add(raw, kNow);
  for (int i = 0; i < 100; ++i) {
    ++raw.bypassed;
    ++raw.answered;
    ++raw.http_5xx;
    summer.Add(raw, kNow);
  }
  EXPECT_EQ(summer.sums().admitted, 0U);
  raw.answered += 50;
  summer.Add(raw, kNow);
  EXPECT_EQ(summer.sums().admitted, 50U);
  EXPECT_EQ(summer.sums().http_5xx, 0U);
}

TEST(CounterSummer, ABypassedRequestWhoseAnswerIsNeverCountedHidesAnAdmittedOneForAMinuteAtMost) {
  CounterSummer summer;
  RawCounters raw = Raw("1", 0, 0);
  summer.Add(raw, kNow);
  raw.bypassed = 10;
  raw.bypassed_5xx = 10;
  summer.Add(raw, kNow);
  raw.answered = 4;
  raw.http_5xx = 4;
  summer.Add(raw, kNow + Debt::kForgivenAfter - Duration(1));
  EXPECT_EQ(summer.sums().admitted, 0U);
  raw.answered = 9;
  raw.http_5xx = 7;
  summer.Add(raw, kNow + Debt::kForgivenAfter);
  EXPECT_EQ(summer.sums().admitted, 5U);
  EXPECT_EQ(summer.sums().http_5xx, 3U);
}

TEST(CounterSummer, AReloadForgivesWhatTheOldProcessOwes) {
  CounterSummer summer;
  RawCounters raw = Raw("1", 0, 0);
  summer.Add(raw, kNow);
  raw.bypassed = 10;
  summer.Add(raw, kNow);
  summer.Add(Raw("2", 6, 0), kNow);
  EXPECT_EQ(summer.sums().admitted, 6U);
}

TEST(CounterSummer, AThresholdThatIsNotCountedAnyMoreIsNotOneThatNobodyExceeds) {
  CounterSummer summer;
  summer.Add(Raw("1", 0, 0), kNow);
  summer.Add(Raw("1", 10, 4), kNow);
  RawCounters without = Raw("1", 20, 0);
  without.slow.clear();
  summer.Add(without, kNow);
  EXPECT_TRUE(summer.sums().slow.empty());
  summer.Add(Raw("1", 30, 9), kNow);
  EXPECT_EQ(summer.sums().slow.at(500), 4U);
  summer.Add(Raw("1", 40, 10), kNow);
  EXPECT_EQ(summer.sums().slow.at(500), 5U);
}

TEST(CounterSummer, IsNotLiveWhileNothingCanBeRead) {
  CounterSummer summer;
  EXPECT_FALSE(summer.sums().live);
  summer.Add(Raw("1", 1, 0), kNow);
  EXPECT_TRUE(summer.sums().live);
  summer.MarkSilent();
  EXPECT_FALSE(summer.sums().live);
}

}  // namespace
}  // namespace headgate::agent
