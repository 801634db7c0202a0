#include "agents/core/counter_sums.h"

#include <gtest/gtest.h>

namespace headgate::agent {
namespace {

RawCounters Raw(const char* instance, std::uint64_t admitted, std::uint64_t slow) {
  RawCounters raw;
  raw.instance = instance;
  raw.admitted = admitted;
  raw.slow[500] = slow;
  return raw;
}

TEST(CounterSummer, BeginsAtZeroWhateverTheLoadBalancerHasCountedBefore) {
  CounterSummer summer;
  summer.Add(Raw("1", 1000, 5));
  EXPECT_EQ(summer.sums().admitted, 0U);
  EXPECT_EQ(summer.sums().slow.at(500), 0U);
  summer.Add(Raw("1", 1010, 6));
  EXPECT_EQ(summer.sums().admitted, 10U);
  EXPECT_EQ(summer.sums().slow.at(500), 1U);
}

TEST(CounterSummer, GoesOnAfterAReload) {
  CounterSummer summer;
  summer.Add(Raw("1", 1000, 5));
  summer.Add(Raw("1", 1010, 5));
  summer.Add(Raw("2", 3, 1));
  EXPECT_EQ(summer.sums().admitted, 13U);
  EXPECT_EQ(summer.sums().slow.at(500), 1U);
  // A new process may have counted more than the old one.
  summer.Add(Raw("3", 500, 0));
  EXPECT_EQ(summer.sums().admitted, 513U);
}

TEST(CounterSummer, NeverGoesDownWhenCountersAreClearedByHand) {
  CounterSummer summer;
  summer.Add(Raw("1", 100, 5));
  summer.Add(Raw("1", 150, 5));
  summer.Add(Raw("1", 2, 0));
  EXPECT_EQ(summer.sums().admitted, 52U);
}

TEST(CounterSummer, IsNotLiveWhileNothingCanBeRead) {
  CounterSummer summer;
  EXPECT_FALSE(summer.sums().live);
  summer.Add(Raw("1", 1, 0));
  EXPECT_TRUE(summer.sums().live);
  summer.MarkSilent();
  EXPECT_FALSE(summer.sums().live);
}

}  // namespace
}  // namespace headgate::agent
