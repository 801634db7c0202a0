#include "controller/rehearsal/platform.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "controller/rehearsal/scenario.h"

namespace headgate::rehearsal {
namespace {

Share Percent(std::uint64_t percent) { return Share::FromPpm(percent * 10'000).value(); }

Scenario BuiltIn(std::string_view name) { return FindScenario(name).value(); }

std::vector<Second> RunAt(const Scenario& scenario, Share share, int seconds,
                          std::uint64_t seed = 1) {
  Platform platform(scenario, seed);
  std::vector<Second> run;
  run.reserve(static_cast<std::size_t>(seconds));
  for (int second = 0; second < seconds; ++second) run.push_back(platform.Step(share));
  return run;
}

double ErrorRatio(const std::vector<Second>& run, std::size_t from) {
  double errors = 0;
  double requests = 0;
  for (std::size_t at = from; at < run.size(); ++at) {
    errors += double(run[at].seen.errors);
    requests += double(run[at].seen.requests);
  }
  return errors / requests;
}

TEST(Platform, HealthyOneServesEverybodyButItsOwnErrors) {
  const std::vector<Second> run = RunAt(BuiltIn("H1"), Share::All(), 600);
  EXPECT_NEAR(run.back().truth.served, 0.997, 1e-6);
  EXPECT_NEAR(run.back().truth.errors, 6, 1e-3);
  EXPECT_FALSE(run.back().truth.is_collapsed);
  EXPECT_NEAR(ErrorRatio(run, 0), 0.003, 0.0003);
  EXPECT_NEAR(double(run.back().seen.requests), 2'000, 5 * std::sqrt(2'000));
  ASSERT_TRUE(run.back().seen.utilisation.has_value());
  EXPECT_NEAR(*run.back().seen.utilisation, 1.0 / 3, 0.06);
}

TEST(Platform, AgentsAreQuickerDownThanUp) {
  Platform platform(BuiltIn("H1"), 1);
  EXPECT_NEAR(platform.Step(Share::All()).truth.share, 0.2, 1e-9);
  EXPECT_NEAR(platform.Step(Share::All()).truth.share, 0.36, 1e-9);
  const Second down = platform.Step(Share::None());
  EXPECT_NEAR(down.truth.share, 0.4 * 0.36, 1e-9);
  EXPECT_EQ(down.seen.applied.ppm(), 144'000U);
  EXPECT_EQ(down.seen.at_s, 3);
}

TEST(Platform, TheSameSeedGivesTheSameSeconds) {
  const Scenario scenario = BuiltIn("H7");
  const std::vector<Second> one = RunAt(scenario, Share::All(), 300, 42);
  const std::vector<Second> same = RunAt(scenario, Share::All(), 300, 42);
  const std::vector<Second> other = RunAt(scenario, Share::All(), 300, 43);
  int differences = 0;
  for (std::size_t at = 0; at < one.size(); ++at) {
    EXPECT_EQ(one[at].seen.requests, same[at].seen.requests);
    EXPECT_EQ(one[at].seen.errors, same[at].seen.errors);
    EXPECT_EQ(one[at].seen.utilisation, same[at].seen.utilisation);
    differences += one[at].seen.requests == other[at].seen.requests ? 0 : 1;
  }
  EXPECT_GT(differences, 200);
}

TEST(Platform, ItsNoiseDoesNotDependOnThePolicy) {
  Scenario scenario = BuiltIn("H4");
  scenario.errors.burst_every_s = 60;
  Platform steady(scenario, 9);
  Platform wavering(scenario, 9);
  for (int second = 0; second < 600; ++second) {
    const Second one = steady.Step(Percent(50));
    const Second other = wavering.Step(Percent(second % 7 < 3 ? 5 : 60));
    // No overload in either: what fails is the application, the same in both.
    EXPECT_DOUBLE_EQ(one.truth.error_ratio, other.truth.error_ratio);
  }
}

TEST(Platform, CorrelatedErrorsAreCorrelatedAsTheyShould) {
  const Scenario scenario = BuiltIn("H4");
  const std::vector<Second> run = RunAt(scenario, Percent(10), 40'000);
  // The mean of the ratio stays what it is without noise: its logarithm is lower by half the
  // variance.
  const double middle = std::log(0.005) - 0.7 * 0.7 / 2;
  double sum = 0;
  double variance = 0;
  double covariance = 0;
  for (std::size_t at = 10; at < run.size(); ++at) {
    const double now = std::log(run[at].truth.error_ratio) - middle;
    const double before = std::log(run[at - 10].truth.error_ratio) - middle;
    sum += run[at].truth.error_ratio;
    variance += now * now;
    covariance += now * before;
  }
  const double count = double(run.size() - 10);
  EXPECT_NEAR(sum / count, 0.005, 0.0003);
  EXPECT_NEAR(std::sqrt(variance / count), 0.7, 0.05);
  EXPECT_NEAR(covariance / variance, std::exp(-1.0), 0.07);
}

TEST(Platform, BurstsComeAsOftenAndLastAsLongAsTheyShould) {
  const std::vector<Second> run = RunAt(BuiltIn("H5"), Percent(10), 200'000);
  int bursts = 0;
  int seconds = 0;
  for (std::size_t at = 1; at < run.size(); ++at) {
    const bool is_burst = run[at].truth.error_ratio > 0.1;
    seconds += is_burst ? 1 : 0;
    bursts += is_burst && run[at - 1].truth.error_ratio < 0.1 ? 1 : 0;
  }
  EXPECT_NEAR(bursts, 200'000 / 300.0, 100);
  EXPECT_NEAR(double(seconds) / bursts, 3, 0.4);
}

TEST(Platform, HardKneeHoldsBelowAndFallsAbove) {
  const Scenario scenario = BuiltIn("M3");
  const Second below = RunAt(scenario, Percent(55), 300).back();
  EXPECT_NEAR(below.truth.served, 0.55 * 0.997, 1e-3);
  EXPECT_LT(below.truth.slow_ratio, 0.01);
  const Second at_the_slow_limit = RunAt(scenario, Percent(57), 300).back();
  EXPECT_GT(at_the_slow_limit.truth.slow_ratio, 0.01);
  EXPECT_NEAR(at_the_slow_limit.truth.served, 0.57 * 0.997, 1e-3);
  const Second above = RunAt(scenario, Percent(70), 300).back();
  EXPECT_TRUE(above.truth.is_collapsed);
  EXPECT_LT(above.truth.served, 0.1);
  EXPECT_NEAR(above.truth.load, 1.2, 1e-9);
}

TEST(Platform, RetriesAmplifyATotalFailureTo244) {
  const Second run = RunAt(BuiltIn("M3"), Share::All(), 300).back();
  EXPECT_NEAR(run.truth.offered, 2.44, 1e-3);
  EXPECT_EQ(run.truth.good, 0);
  EXPECT_NEAR(run.truth.delay_s, 8, 1e-6);
}

TEST(Platform, ARetreatTakesItsRetriesAlong) {
  Platform platform(BuiltIn("M3"), 1);
  for (int second = 0; second < 300; ++second) platform.Step(Share::All());
  const Second cut = platform.Step(Share::None());
  EXPECT_NEAR(cut.truth.offered, 0.4 * 2.44, 0.01);
  for (int second = 0; second < 60; ++second) platform.Step(Share::None());
  const Second nobody = platform.Step(Share::None());
  EXPECT_EQ(nobody.truth.share, 0);
  EXPECT_EQ(nobody.seen.requests, 0);
  EXPECT_TRUE(nobody.seen.has_data);
  EXPECT_FALSE(nobody.truth.is_collapsed);
}

TEST(Platform, AFullPlatformDoesNotComeBackByItselfAfterATrigger) {
  const std::vector<Second> run = RunAt(BuiltIn("M4"), Share::All(), 1'800);
  EXPECT_NEAR(run[890].truth.served, 0.997, 1e-3);
  EXPECT_TRUE(run[1'000].truth.is_collapsed);
  EXPECT_TRUE(run.back().truth.is_collapsed);
}

TEST(Platform, ItsCacheWarmsWithThoseWhoAreServed) {
  const Scenario scenario = BuiltIn("M1");
  EXPECT_NEAR(RunAt(scenario, Percent(50), 1).back().truth.capacity, 0.6, 1e-9);
  const double w = 1 - std::exp(-0.5 * 1'800 / 600);
  EXPECT_NEAR(RunAt(scenario, Percent(50), 1'800).back().truth.capacity, 0.6 + 0.7 * w, 0.01);
  // Not by those who are refused, nor by those who wait in vain.
  EXPECT_NEAR(RunAt(scenario, Share::None(), 1'800).back().truth.capacity, 0.6, 1e-9);
  EXPECT_LT(RunAt(scenario, Share::All(), 1'800).back().truth.capacity, 0.65);
}

TEST(Platform, NewcomersCostMoreUntilTheySettle) {
  Scenario scenario;
  scenario.newcomers.cost = 3;
  Platform platform(scenario, 1);
  EXPECT_NEAR(platform.Step(Share::All()).truth.load, 0.2 * 3 / 3, 1e-9);
  for (int second = 0; second < 1'000; ++second) platform.Step(Share::All());
  EXPECT_NEAR(platform.Step(Share::All()).truth.load, 1.0 / 3, 1e-3);
}

TEST(Platform, NewcomersAskMoreOftenUntilTheyCalm) {
  Scenario scenario;
  scenario.newcomers.surge = 2.5;
  Platform platform(scenario, 1);
  const Second first = platform.Step(Share::All());
  EXPECT_NEAR(first.truth.offered, 0.2 * 2.5, 1e-9);
  EXPECT_NEAR(first.truth.served, 0.2 * 0.997, 1e-9);
  for (int second = 0; second < 1'000; ++second) platform.Step(Share::All());
  EXPECT_NEAR(platform.Step(Share::All()).truth.offered, 1, 1e-3);
}

TEST(Platform, FaultsBeginGrowAndEndWhenTheyShould) {
  const std::vector<Second> drift = RunAt(BuiltIn("B7"), Share::All(), 1'200);
  EXPECT_NEAR(drift[59].truth.error_ratio, 0.003, 1e-9);
  EXPECT_LT(drift[293].truth.error_ratio, 0.01);
  EXPECT_GT(drift[294].truth.error_ratio, 0.01);
  EXPECT_NEAR(drift[1'000].truth.error_ratio, 0.03, 1e-9);
  const std::vector<Second> outage = RunAt(BuiltIn("Y3"), Percent(10), 100);
  EXPECT_NEAR(outage[59].truth.error_ratio, 0.003, 1e-9);
  EXPECT_NEAR(outage[60].truth.error_ratio, 1, 1e-9);
  EXPECT_NEAR(outage[80].truth.error_ratio, 0.003, 1e-9);
  const Scenario above = BuiltIn("B4");
  EXPECT_NEAR(RunAt(above, Percent(20), 60).back().truth.error_ratio, 0.003, 1e-9);
  EXPECT_NEAR(RunAt(above, Percent(21), 60).back().truth.error_ratio, 0.05, 1e-9);
}

TEST(Platform, CapacityFallsLeaksSwingsAndHasAColdKnee) {
  const std::vector<Second> lost = RunAt(BuiltIn("Y4"), Percent(10), 700);
  EXPECT_NEAR(lost[599].truth.capacity, 1.3, 1e-9);
  EXPECT_NEAR(lost[600].truth.capacity, 0.7, 1e-9);
  Scenario scenario;
  scenario.capacity = {.base = 1, .swing = 0.3, .swing_every_s = 120};
  EXPECT_NEAR(RunAt(scenario, Percent(10), 31).back().truth.capacity, 1.3, 1e-9);
  EXPECT_NEAR(RunAt(scenario, Percent(10), 91).back().truth.capacity, 0.7, 1e-9);
  scenario.capacity = {.base = 1, .leak_per_hour = 0.5};
  EXPECT_NEAR(RunAt(scenario, Percent(10), 1'801).back().truth.capacity, 0.75, 1e-9);
  scenario.capacity = {.base = 1.3, .cold = 0.45, .cold_until = 0.5};
  EXPECT_NEAR(RunAt(scenario, Percent(40), 1'000).back().truth.capacity, 0.45, 1e-9);
  EXPECT_NEAR(RunAt(scenario, Percent(40), 1'100).back().truth.capacity, 1.3, 1e-9);
}

TEST(Platform, TellsNothingDuringABlackout) {
  const std::vector<Second> run = RunAt(BuiltIn("H8"), Percent(10), 400);
  // What is read at 59 s is there, what would be read at 60 s is not.
  EXPECT_TRUE(run[58].seen.has_data);
  EXPECT_FALSE(run[59].seen.has_data);
  EXPECT_EQ(run[59].seen.requests, 0);
  EXPECT_FALSE(run[59].seen.utilisation.has_value());
  EXPECT_FALSE(run[358].seen.has_data);
  EXPECT_TRUE(run[359].seen.has_data);
}

TEST(Platform, TellsLateWhatIsLate) {
  Scenario scenario;
  scenario.metrics.delay_s = 10;
  scenario.utilisation.delay_s = 30;
  scenario.utilisation.noise = 0;
  Scenario prompt = scenario;
  prompt.metrics.delay_s = 0;
  prompt.utilisation.delay_s = 0;
  const std::vector<Second> late = RunAt(scenario, Percent(50), 100);
  const std::vector<Second> now = RunAt(prompt, Percent(50), 100);
  // Until then counts are those of before the start.
  EXPECT_TRUE(late[9].seen.has_data);
  EXPECT_EQ(late[9].seen.requests, 0);
  EXPECT_GT(late[10].seen.requests, 0);
  EXPECT_FALSE(late[29].seen.utilisation.has_value());
  for (std::size_t at = 30; at < late.size(); ++at) {
    EXPECT_EQ(late[at].seen.requests, now[at - 10].seen.requests);
    EXPECT_EQ(late[at].seen.utilisation, now[at - 30].seen.utilisation);
    EXPECT_EQ(late[at].seen.utilisation_age_s, 30);
  }
}

TEST(Platform, TellsWrongWhatIsBiased) {
  Scenario scenario;
  scenario.metrics.errors_factor = 0.5;
  scenario.utilisation = {.noise = 0, .factor = 0.5};
  const std::vector<Second> run = RunAt(scenario, Share::All(), 2'000);
  EXPECT_NEAR(ErrorRatio(run, 0), 0.0015, 0.0001);
  EXPECT_NEAR(run.back().truth.error_ratio, 0.003, 1e-9);
  EXPECT_NEAR(*run.back().seen.utilisation, 1.0 / 6, 1e-6);
  scenario.utilisation.available = 0;
  EXPECT_FALSE(RunAt(scenario, Share::All(), 10).back().seen.utilisation.has_value());
}

TEST(Platform, FailingUsersAreAlwaysTheSameOnes) {
  Scenario scenario;
  scenario.errors.base = 0;
  scenario.failing_users = {.part = 0.02, .from_share = 0.4, .to_share = 0.5};
  EXPECT_EQ(RunAt(scenario, Percent(40), 60).back().truth.error_ratio, 0);
  // All 400 of them are below a half: 400 of 10,000.
  EXPECT_NEAR(RunAt(scenario, Percent(50), 100).back().truth.error_ratio, 0.04, 1e-6);
  EXPECT_NEAR(RunAt(scenario, Share::All(), 100).back().truth.error_ratio, 0.02, 1e-6);
}

TEST(Platform, AgentsThatIgnoreKeepTheirShare) {
  Scenario scenario;
  scenario.agents = {.ignoring = 0.5, .ignoring_from_s = 100, .ignoring_until_s = 200};
  Platform platform(scenario, 1);
  for (int second = 0; second < 100; ++second) platform.Step(Percent(80));
  for (int second = 100; second < 199; ++second) platform.Step(Share::None());
  const Second ignoring = platform.Step(Share::None());
  EXPECT_NEAR(ignoring.truth.share, 0.4, 1e-6);
  EXPECT_NEAR(double(ignoring.seen.applied.ppm()), 400'000, 1);
  for (int second = 200; second < 260; ++second) platform.Step(Share::None());
  EXPECT_EQ(platform.Step(Share::None()).truth.share, 0);
}

}  // namespace
}  // namespace headgate::rehearsal
