#include "controller/engine/judge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>

namespace headgate::engine {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kNow{Duration(1'000'000)};

// Probability of at least `bad` of `total` events at `limit`, summed up exactly.
double BinomialTail(Tally tally, double limit) {
  const double n = double(tally.total);
  double tail = 0;
  for (std::uint64_t k = tally.bad; k <= tally.total; ++k) {
    const double x = double(k);
    tail += std::exp(std::lgamma(n + 1) - std::lgamma(x + 1) - std::lgamma(n - x + 1) +
                     x * std::log(limit) + (n - x) * std::log1p(-limit));
  }
  return tail;
}

// One plan with a check of each kind, and its evidence.
class Bench {
 public:
  explicit Bench(OnDrift on_drift = OnDrift::kDrain) {
    spec_.checks.push_back(
        {.name = "errors", .kind = RatioCheck{.limit_ppm = 10'000, .window = 10s}, .fresh = 5s});
    spec_.checks.push_back({.name = "lag",
                            .kind = ValueCheck{.soft = 80, .hard = 95, .hysteresis_ppm = 50'000},
                            .fresh = 5s});
    spec_.checks.push_back({.name = "free",
                            .kind = ValueCheck{.soft = 20, .hard = 5, .hysteresis_ppm = 100'000},
                            .fresh = 5s});
    spec_.checks.push_back({.name = "payments",
                            .kind = RatioCheck{.source = PrometheusRatio{.every = 10s},
                                               .limit_ppm = 10'000,
                                               .window = 30s},
                            .fresh = 20s});
    spec_.checks.push_back({.name = "orders", .kind = DatabaseCheck{"orders"}, .fresh = 5s});
    spec_.databases["orders"] = {};
    spec_.databases["orders"].on_drift = on_drift;
    PrepareEvidence(evidence_, spec_);
  }

  void Count(const std::string& agent, std::uint64_t total, std::uint64_t bad, TimePoint at) {
    AddCounts(evidence_, &spec_, agent, {.admitted = total, .http_5xx = bad}, at);
  }
  void Read(const std::string& source, decltype(Reading::value) value, TimePoint at = kNow) {
    AddReading(evidence_, spec_, source, {.observed_at = at, .value = std::move(value)});
  }
  Judgement JudgeCheck(const std::string& name, TimePoint now = kNow) const {
    const auto found = std::find_if(spec_.checks.begin(), spec_.checks.end(),
                                    [&](const CheckSpec& check) { return check.name == name; });
    return Judge(*found, evidence_, now);
  }
  Evidence& evidence() { return evidence_; }

 private:
  PlanSpec spec_;
  Evidence evidence_;
};

TEST(NatsAgainst, BoundsTheExactBinomialTailAndIsNotFarFromIt) {
  for (const double limit : {0.001, 0.01, 0.05, 0.3}) {
    for (const std::uint64_t total : {20U, 50U, 200U, 1'000U, 5'000U}) {
      for (const double part : {1.2, 2.0, 4.0, 10.0}) {
        const auto bad = static_cast<std::uint64_t>(std::ceil(double(total) * limit * part));
        if (bad >= total) continue;
        const Tally tally{.total = total, .bad = bad};
        const double bound = std::exp(-NatsAgainst(tally, limit));
        const double exact = BinomialTail(tally, limit);
        EXPECT_GE(bound * (1 + 1e-9), exact) << bad << " of " << total << " at " << limit;
        // Ash 1990, lemma 4.7.2: never further below than this.
        const double x = double(bad);
        EXPECT_LE(bound, exact * std::sqrt(8 * x * (1 - x / double(total))) * (1 + 1e-9))
            << bad << " of " << total << " at " << limit;
      }
    }
  }
}

TEST(NatsAgainst, IsZeroUpToTheLimitAndGrowsWithEveryBadEvent) {
  EXPECT_EQ(NatsAgainst({}, 0.01), 0);
  EXPECT_EQ(NatsAgainst({.total = 1'000, .bad = 10}, 0.01), 0);
  double before = 0;
  for (std::uint64_t bad = 11; bad <= 1'000; ++bad) {
    const double nats = NatsAgainst({.total = 1'000, .bad = bad}, 0.01);
    EXPECT_GT(nats, before);
    before = nats;
  }
  EXPECT_NEAR(before, 1'000 * std::log(100), 1e-6);
}

TEST(JudgeRatio, IsUnknownWithoutDataAndWithTooFew) {
  Bench bench;
  EXPECT_EQ(bench.JudgeCheck("errors").verdict, Verdict::kUnknown);
  EXPECT_EQ(bench.JudgeCheck("errors").unknown_why, UnknownWhy::kNoData);
  bench.Count("edge-1", 49, 0, kNow);
  EXPECT_EQ(bench.JudgeCheck("errors").verdict, Verdict::kUnknown);
  EXPECT_EQ(bench.JudgeCheck("errors").unknown_why, UnknownWhy::kTooFew);
  bench.Count("edge-1", 1, 0, kNow);
  EXPECT_EQ(bench.JudgeCheck("errors").verdict, Verdict::kHealthy);
  EXPECT_EQ(bench.JudgeCheck("errors", kNow + 5s).verdict, Verdict::kHealthy);
  EXPECT_EQ(bench.JudgeCheck("errors", kNow + 5'001ms).unknown_why, UnknownWhy::kNoData);
}

TEST(JudgeRatio, IsDegradedAboveTheLimitAndFailedWhereChanceDoesNotExplainIt) {
  Bench degraded;
  degraded.Count("edge-1", 1'000, 15, kNow);
  EXPECT_EQ(degraded.JudgeCheck("errors").verdict, Verdict::kDegraded);
  Bench failed;
  failed.Count("edge-1", 1'000, 30, kNow);
  EXPECT_EQ(failed.JudgeCheck("errors").verdict, Verdict::kFailed);
}

TEST(JudgeRatio, FailsOnOneSevereSecondThatDrownsInTheWindow) {
  Bench bench;
  for (int i = 0; i < 8; ++i) bench.Count("edge-1", 100'000, 0, kNow + i * 1s);
  bench.Count("edge-1", 50, 15, kNow + 9s);
  EXPECT_EQ(bench.JudgeCheck("errors", kNow + 9s).verdict, Verdict::kFailed);
}

TEST(JudgeRatio, IsDegradedWhileOneAgentAloneFails) {
  Bench bench;
  bench.Count("edge-1", 100'000, 0, kNow - 2s);
  bench.Count("edge-2", 100, 20, kNow - 2s);
  bench.Count("edge-1", 1, 0, kNow);
  const Judgement judgement = bench.JudgeCheck("errors");
  EXPECT_EQ(judgement.verdict, Verdict::kDegraded);
  EXPECT_NE(judgement.detail.find("edge-2 alone"), std::string::npos) << judgement.detail;
}

TEST(JudgeRatio, NeverCountsMoreBadEventsThanEvents) {
  Bench bench;
  bench.Count("edge-1", 100, 1'000'000, kNow);
  EXPECT_EQ(bench.JudgeCheck("errors").value, "100 %");
}

TEST(JudgeRatio, AWindowFromBeforeARaiseCanOnlyRefute) {
  Bench bench;
  ForgetCounts(bench.evidence(), kNow, false);
  bench.Read("payments", Tally{.total = 1'000, .bad = 0}, kNow + 5s);
  EXPECT_EQ(bench.JudgeCheck("payments", kNow + 5s).unknown_why, UnknownWhy::kTooFew);
  bench.Read("payments", Tally{.total = 1'000, .bad = 100}, kNow + 6s);
  EXPECT_EQ(bench.JudgeCheck("payments", kNow + 6s).verdict, Verdict::kFailed);
}

TEST(JudgeRatio, AWindowFromBeforeALoweringSaysNothing) {
  Bench bench;
  ForgetCounts(bench.evidence(), kNow, true);
  bench.Read("payments", Tally{.total = 1'000, .bad = 500}, kNow + 5s);
  EXPECT_EQ(bench.JudgeCheck("payments", kNow + 5s).unknown_why, UnknownWhy::kTooFew);
  bench.Read("payments", Tally{.total = 1'000, .bad = 500}, kNow + 10s);
  EXPECT_EQ(bench.JudgeCheck("payments", kNow + 10s).verdict, Verdict::kFailed);
}

TEST(JudgeValue, FailsBeyondTheHardBoundAndComesBackOnlyByTheHysteresis) {
  Bench bench;
  const auto verdict = [&](double value) {
    bench.Read("lag", Value{value});
    return bench.JudgeCheck("lag").verdict;
  };
  EXPECT_EQ(verdict(80), Verdict::kHealthy);
  EXPECT_EQ(verdict(80.1), Verdict::kDegraded);
  EXPECT_EQ(verdict(76.1), Verdict::kDegraded);
  EXPECT_EQ(verdict(76), Verdict::kHealthy);
  EXPECT_EQ(verdict(79), Verdict::kHealthy);
  EXPECT_EQ(verdict(95), Verdict::kDegraded);
  EXPECT_EQ(verdict(95.1), Verdict::kFailed);
  EXPECT_EQ(verdict(79), Verdict::kDegraded);
}

TEST(JudgeValue, TurnsRoundWhereSmallValuesAreBad) {
  Bench bench;
  const auto verdict = [&](double value) {
    bench.Read("free", Value{value});
    return bench.JudgeCheck("free").verdict;
  };
  EXPECT_EQ(verdict(20), Verdict::kHealthy);
  EXPECT_EQ(verdict(19), Verdict::kDegraded);
  EXPECT_EQ(verdict(21.9), Verdict::kDegraded);
  EXPECT_EQ(verdict(22), Verdict::kHealthy);
  EXPECT_EQ(verdict(4.9), Verdict::kFailed);
}

TEST(JudgeRatio, WithAdaptiveStepsSaysHowFarTheEvidenceIsFromProof) {
  PlanSpec spec;
  spec.adaptive.emplace();
  spec.checks.push_back({.name = "errors", .kind = RatioCheck{.limit_ppm = 10'000}, .fresh = 5s});
  Evidence evidence;
  PrepareEvidence(evidence, spec);
  AddCounts(evidence, &spec, "edge-1", {.admitted = 0}, kNow - 1s);
  AddCounts(evidence, &spec, "edge-1", {.admitted = 1'000}, kNow);
  // The sample is large, and speaks for no share yet.
  const Judgement judgement = Judge(spec.checks[0], evidence, kNow, {.against_bar = 100});
  EXPECT_EQ(judgement.verdict, Verdict::kUnknown);
  EXPECT_EQ(judgement.unproven, "0.0 of 3.0");
  Bench fixed_steps;
  fixed_steps.Count("edge-1", 10, 0, kNow);
  EXPECT_EQ(fixed_steps.JudgeCheck("errors").unknown_why, UnknownWhy::kTooFew);
  EXPECT_EQ(fixed_steps.JudgeCheck("errors").unproven, "");
}

TEST(JudgeValue, TakesNoValueThatIsNoNumberAndNoneThatIsOlder) {
  Bench bench;
  for (const double nonsense :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity()}) {
    bench.Read("lag", Value{nonsense});
    EXPECT_EQ(bench.JudgeCheck("lag").unknown_why, UnknownWhy::kNoData);
  }
  bench.Read("lag", Value{99}, kNow);
  bench.Read("lag", Value{1}, kNow - 1s);
  EXPECT_EQ(bench.JudgeCheck("lag").verdict, Verdict::kFailed);
}

TEST(JudgeValue, KeepsAGoodReadingNoLongerThanItIsFresh) {
  Bench bench;
  bench.Read("lag", Value{1});
  bench.Read("lag", NoData{"prometheus: timeout"}, kNow + 1s);
  EXPECT_EQ(bench.JudgeCheck("lag", kNow + 5s).verdict, Verdict::kHealthy);
  const Judgement judgement = bench.JudgeCheck("lag", kNow + 6s);
  EXPECT_EQ(judgement.verdict, Verdict::kUnknown);
  EXPECT_NE(judgement.detail.find("prometheus: timeout"), std::string::npos);
}

TEST(JudgeDatabase, IsTheWorstOfItsFindingsAndSaysWhetherItDrains) {
  using Severity = DatabaseFinding::Severity;
  Bench bench;
  bench.Read("database/orders", DatabaseReport{});
  EXPECT_EQ(bench.JudgeCheck("orders").verdict, Verdict::kHealthy);
  bench.Read("database/orders", DatabaseReport{{{Severity::kDegraded, false, "lag 2s"}}});
  EXPECT_EQ(bench.JudgeCheck("orders").verdict, Verdict::kDegraded);
  bench.Read("database/orders", DatabaseReport{{{Severity::kDegraded, false, "lag 2s"},
                                                {Severity::kUnknown, false, "db3 unreachable"}}});
  EXPECT_EQ(bench.JudgeCheck("orders").unknown_why, UnknownWhy::kNoData);
  bench.Read("database/orders", DatabaseReport{{{Severity::kUnknown, false, "db3 unreachable"},
                                                {Severity::kFailed, true, "drift"}}});
  EXPECT_EQ(bench.JudgeCheck("orders").verdict, Verdict::kFailed);
  EXPECT_TRUE(bench.JudgeCheck("orders").drains);
  // What weighs most stands first.
  EXPECT_EQ(bench.JudgeCheck("orders").detail, "drift");
  EXPECT_EQ(bench.JudgeCheck("orders").findings,
            (std::vector<std::string>{"drift", "db3 unreachable"}));
}

TEST(JudgeDatabase, DriftHoldsWhereThePlanSaysSoAndNothingElseHasFailed) {
  using Severity = DatabaseFinding::Severity;
  Bench bench(OnDrift::kHold);
  bench.Read("database/orders", DatabaseReport{{{Severity::kDegraded, false, "lag 2s"},
                                                {Severity::kFailed, true, "drift"}}});
  Judgement judgement = bench.JudgeCheck("orders");
  EXPECT_EQ(judgement.verdict, Verdict::kFailed);
  EXPECT_FALSE(judgement.drains);
  EXPECT_TRUE(judgement.holds);
  EXPECT_EQ(judgement.detail, "drift");
  bench.Read("database/orders", DatabaseReport{{{Severity::kFailed, true, "drift"},
                                                {Severity::kFailed, false, "lag 9s"}}});
  judgement = bench.JudgeCheck("orders");
  EXPECT_FALSE(judgement.drains);
  EXPECT_FALSE(judgement.holds);
  // It is the lag that is answered.
  EXPECT_EQ(judgement.detail, "lag 9s");
}

TEST(JudgeDatabase, NotesAreToldAndChangeNoVerdict) {
  Bench bench;
  bench.Read("database/orders", DatabaseReport{.findings = {}, .notes = {"the cache is cold"}});
  const Judgement judgement = bench.JudgeCheck("orders");
  EXPECT_EQ(judgement.verdict, Verdict::kHealthy);
  EXPECT_EQ(judgement.detail, "nothing found");
  EXPECT_EQ(judgement.notes, std::vector<std::string>{"the cache is cold"});
}

TEST(JudgeDatabase, DataThatHaveNotBeenComparedKeepOutWhoIsNotIn) {
  using Severity = DatabaseFinding::Severity;
  Bench bench;
  DatabaseReport report{.findings = {}, .notes = {}, .pending = "not compared", .progress = "0 %"};
  bench.Read("database/orders", report);
  const Scale preflight{.in_preflight = true};
  Judgement judgement = JudgeDatabase("orders", 5s, bench.evidence(), kNow, preflight);
  EXPECT_EQ(judgement.verdict, Verdict::kUnknown);
  EXPECT_EQ(judgement.unknown_why, UnknownWhy::kPending);
  EXPECT_EQ(judgement.detail, "not compared");
  // Whoever is in stays in.
  judgement = bench.JudgeCheck("orders");
  EXPECT_EQ(judgement.verdict, Verdict::kHealthy);
  EXPECT_EQ(judgement.detail, "nothing found; data 0 %");
  // What fails, fails.
  report.findings = {{Severity::kFailed, true, "a row differs"}};
  bench.Read("database/orders", report);
  EXPECT_EQ(JudgeDatabase("orders", 5s, bench.evidence(), kNow, preflight).verdict,
            Verdict::kFailed);
}

}  // namespace
}  // namespace headgate::engine
