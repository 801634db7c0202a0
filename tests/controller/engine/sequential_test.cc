#include "controller/engine/sequential.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace headgate::engine {
namespace {

constexpr double kLimit = .01;
constexpr double kHour_s = 3'600;
// The prior is spent evenly over an hour.
constexpr double kMassPerSecond = 1 / kHour_s;
// What the engine asks for with one check and alpha = 1 %.
constexpr double kBar = 100;

// A second of `rate` requests, each bad with probability p.
Batch Drawn(std::mt19937_64& random, int rate, double p) {
  return {1, double(rate), double(std::binomial_distribution<int>(rate, p)(random))};
}

// Seconds until the bar, or the hour.
double SecondsToBar(std::mt19937_64& random, int rate, double p) {
  Sequential check(kLimit);
  for (double second = 1; second <= kHour_s; ++second) {
    check.AddAgainst(Drawn(random, rate, p), kMassPerSecond, second > 21);
    if (check.Against() >= kBar) return second;
  }
  return kHour_s;
}

double MedianSecondsToBar(int rate, double p) {
  std::mt19937_64 random(7);
  std::vector<double> seconds;
  seconds.reserve(51);
  for (int run = 0; run < 51; ++run) seconds.push_back(SecondsToBar(random, rate, p));
  std::nth_element(seconds.begin(), seconds.begin() + 25, seconds.end());
  return seconds[25];
}

TEST(Sequential, AtTheLimitItAlarmsInAnHourNoMoreOftenThanItPromises) {
  for (const int rate : {3, 40, 2'000}) {
    std::mt19937_64 random(11);
    int alarms = 0;
    constexpr int kRuns = 400;
    for (int run = 0; run < kRuns; ++run) {
      alarms += SecondsToBar(random, rate, kLimit) < kHour_s ? 1 : 0;
    }
    // One in a hundred, and three standard deviations.
    EXPECT_LE(alarms, 4 + 6) << rate << " requests a second";
  }
}

TEST(Sequential, FindsARegressionTheSoonerTheWorseItIs) {
  const double two = MedianSecondsToBar(2'000, .02);
  const double five = MedianSecondsToBar(2'000, .05);
  const double half = MedianSecondsToBar(2'000, .5);
  EXPECT_LT(five, 20);
  EXPECT_LE(five, two);
  EXPECT_LT(half, five);
  EXPECT_LE(half, 4);
  // Two bad ones in a hundred at three requests a second are three in a minute.
  EXPECT_LT(MedianSecondsToBar(3, .05), 300);
}

TEST(Sequential, AShortBurstIsNoRegression) {
  Sequential check(kLimit);
  const Batch sound{1, 2'000, 6};
  const Batch burst{1, 2'000, 300};
  for (int second = 0; second < 60; ++second) check.AddAgainst(sound, kMassPerSecond, true);
  for (int second = 0; second < 4; ++second) check.AddAgainst(burst, kMassPerSecond, true);
  EXPECT_LT(check.Against(), kBar / 10);
  EXPECT_TRUE(check.WasBad());
  for (int second = 0; second < 6; ++second) check.AddAgainst(sound, kMassPerSecond, true);
  EXPECT_FALSE(check.WasBad());
}

TEST(Sequential, ALullAtTwiceTheLimitIsNotTheEndOfABurst) {
  // Nats that two seconds at five times the limit add, some seconds after a lull.
  const auto pace_after = [](double bad_in_lull) {
    Sequential check(kLimit);
    const auto add = [&](int seconds, double bad) {
      for (int second = 0; second < seconds; ++second) {
        check.AddAgainst({.total = 2'000, .bad = bad}, kMassPerSecond, true);
      }
    };
    add(30, 6);
    add(2, 100);
    add(6, bad_in_lull);
    add(8, 100);
    const double before = check.Against();
    add(2, 100);
    return std::log(check.Against() / before);
  };
  EXPECT_LT(pace_after(6), 1);
  EXPECT_GT(pace_after(45), 1.5);
}

TEST(Sequential, BelievesSoonWhatHasHealedHoweverLongItWasBad) {
  Sequential check(kLimit);
  for (int second = 0; second < 3'000; ++second) {
    check.AddAgainst({.total = 1'000, .bad = 15}, kMassPerSecond, second > 21);
  }
  // Of the most checks that a plan can have.
  EXPECT_GE(check.Against(), 32 * kBar);
  int healed_s = 0;
  while (check.Against() >= kBar && healed_s < 1'000) {
    check.AddAgainst({.total = 1'000, .bad = 3}, kMassPerSecond, true);
    ++healed_s;
  }
  EXPECT_LT(healed_s, 180);
}

TEST(Sequential, ErrorsThatComeTogetherSayLess) {
  // The same number of errors, even and in waves of twenty seconds, below and above the limit.
  Sequential even(kLimit);
  Sequential waves(kLimit);
  for (int second = 0; second < 600; ++second) {
    even.AddAgainst({1, 1'000, 9}, kMassPerSecond, second > 21);
    waves.AddAgainst({1, 1'000, second / 20 % 2 == 0 ? 3.0 : 15.0}, kMassPerSecond, second > 21);
  }
  EXPECT_LT(waves.Against(), kBar);
  // A real regression is found by both, by the even one sooner.
  const auto seconds_to_bar = [](Sequential check) {
    int seconds = 0;
    while (check.Against() < kBar && seconds < 600) {
      check.AddAgainst({1, 1'000, 20}, kMassPerSecond, true);
      ++seconds;
    }
    return seconds;
  };
  EXPECT_LT(seconds_to_bar(even), seconds_to_bar(waves));
  EXPECT_LT(seconds_to_bar(waves), 300);
}

TEST(Sequential, ProvesASoundShareSoonAndABadOneNever) {
  std::mt19937_64 random(3);
  const auto seconds_to_proof = [&](double p) {
    Sequential check(kLimit);
    for (int second = 1; second <= 600; ++second) {
      const Batch batch = Drawn(random, 500, p);
      check.AddAgainst(batch, kMassPerSecond, true);
      check.AddFor(batch);
      if (check.For() >= std::log(20)) return second;
    }
    return 600;
  };
  EXPECT_LT(seconds_to_proof(.003), 10);
  EXPECT_LT(seconds_to_proof(.008), 60);
  EXPECT_EQ(seconds_to_proof(.03), 600);
}

TEST(Sequential, EvidenceForBeginsAnewWithEachShare) {
  Sequential check(kLimit);
  for (int second = 0; second < 20; ++second) check.AddFor({1, 500, 0});
  ASSERT_GT(check.For(), std::log(20));
  Sequential raised = check;
  raised.OnRaised(0);
  EXPECT_EQ(raised.For(), 0);
  check.OnLowered(0);
  EXPECT_EQ(check.For(), 0);
}

TEST(SequentialProperties, MoreErrorsNeverSpeakMoreForAnAdvance) {
  EXPECT_TRUE(rc::check("monotone", [] {
    Sequential fewer(kLimit);
    Sequential more(kLimit);
    for (int second = 0; second < 30; ++second) {
      const double total = *rc::gen::inRange(0, 3'000);
      const double bad = *rc::gen::inRange(0, int(total) + 1);
      const double less = *rc::gen::inRange(0, int(bad) + 1);
      fewer.AddFor({1, total, less});
      more.AddFor({1, total, bad});
      RC_ASSERT(more.For() <= fewer.For() + 1e-9);
    }
  }));
}

TEST(SequentialProperties, EvidenceIsAFiniteNumberWhateverIsCounted) {
  EXPECT_TRUE(rc::check("finite", [] {
    Sequential check(*rc::gen::elementOf(std::vector<double>{1e-6, .001, .01, .5, .99}));
    for (int i = 0; i < 200; ++i) {
      const double total = *rc::gen::inRange(0, 1'000'000);
      const Batch batch{*rc::gen::elementOf(std::vector<double>{.05, .25, 1}), total,
                        double(*rc::gen::inRange(0, int(total) + 1))};
      check.AddAgainst(batch, .001, true);
      check.AddFor(batch);
      if (*rc::gen::inRange(0, 20) == 0) check.OnLowered(.001);
      RC_ASSERT(std::isfinite(check.For()));
      // It saturates far above any bar.
      RC_ASSERT(!std::isnan(check.Against()));
      RC_ASSERT(check.Against() >= 0);
    }
  }));
}

TEST(SequentialProperties, FourQuartersWeighAsMuchAsTheirSecond) {
  EXPECT_TRUE(rc::check("split", [] {
    Sequential whole(kLimit);
    Sequential quarters(kLimit);
    const double rate = 4.0 * *rc::gen::inRange(25, 500);
    const double bad = *rc::gen::elementOf(std::vector<double>{.002, .01, .015, .02}) * rate;
    for (int second = 0; second < 60; ++second) {
      whole.AddAgainst({1, rate, bad}, 4 * .0001, true);
      whole.AddFor({1, rate, bad});
      for (int i = 0; i < 4; ++i) {
        quarters.AddAgainst({.25, rate / 4, bad / 4}, .0001, true);
        quarters.AddFor({.25, rate / 4, bad / 4});
      }
    }
    // The deflation of the first second is that of a quarter of it.
    RC_ASSERT(std::abs(std::log(whole.Against() / quarters.Against())) < 3);
    RC_ASSERT(std::abs(whole.For() - quarters.For()) < 1);
  }));
}

}  // namespace
}  // namespace headgate::engine
