// The rules of adaptive steps, one by one.
#include "controller/engine/adaptive.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace headgate::engine {
namespace {

constexpr TimePoint kNow{Duration(10'000'000)};
constexpr std::uint32_t kSlow_ms = 500;

Share Ppm(std::uint64_t ppm) { return *Share::FromPpm(ppm); }

// A restoration with two checks, and counts of one agent.
class Shop {
 public:
  Shop() : restoration_{.plan = ThePlan()} {
    PrepareEvidence(evidence_, restoration_.plan.spec());
    restoration_.passed_preflight = true;
  }

  void Count(int seconds, std::uint64_t requests, std::uint64_t bad, Share share) {
    Count(seconds, {.admitted = requests, .http_5xx = bad}, share);
  }
  // The same every second.
  void Count(int seconds, const Counts& counts, Share share) {
    for (int second = 0; second < seconds; ++second) {
      now_ += Duration(1'000);
      AddCounts(evidence_, &restoration_.plan.spec(), "edge-1", counts, now_);
      WeighCounts(evidence_, share, true, now_);
    }
  }
  Duration Stood() const { return evidence_.progress.since_observed; }
  void Busy(double utilisation) {
    AddReading(evidence_, restoration_.plan.spec(), kUtilisationSource,
               {.observed_at = now_, .value = Value{utilisation}});
  }
  Course Next(Share share) const { return NextShare(restoration_, evidence_, share, now_); }
  const Weighed& weighed(const std::string& check = "errors") const {
    return *evidence_.ratios.at(check).weighed;
  }

  Restoration restoration_;
  Evidence evidence_;
  TimePoint now_ = kNow;

 private:
  static Plan ThePlan() {
    PlanSpec spec{.gate = "shop", .agents = {"edge-1"}};
    spec.adaptive = AdaptiveSteps{.utilisation = PrometheusValue{.query = "busy"}};
    const AgentRatio slow{.metric = AgentRatio::Metric::kSlowerThan,
                          .slower_than = Duration(kSlow_ms)};
    spec.checks = {
        {.name = "errors", .kind = RatioCheck{.limit_ppm = 10'000}},
        {.name = "slow", .kind = RatioCheck{.source = slow, .limit_ppm = 10'000}},
    };
    return *Plan::Create(std::move(spec));
  }
};

TEST(Adaptive, TheFirstShareBringsSixRequestsASecond) {
  Shop shop;
  const auto first = [&](std::uint64_t refused) {
    Evidence evidence;
    for (int second = 0; second < 30; ++second) {
      AddCounts(evidence, nullptr, "edge-1", {.refused = refused}, kNow + second * Duration(1'000));
    }
    return FirstShare(shop.restoration_, evidence).ppm();
  };
  EXPECT_EQ(first(2'000), 50'000U);
  EXPECT_EQ(first(40), 150'000U);
  EXPECT_EQ(first(5), 250'000U);
}

TEST(Adaptive, LeavesHeadroomWhereTheDatabaseIsBusy) {
  Shop shop;
  shop.Count(3, 1'000, 1, Ppm(500'000));
  EXPECT_EQ(shop.Next(Ppm(500'000)).to, Ppm(800'000));
  // .92 - .69 leaves .23 at 1.38 per share: a sixth, of which seven tenths are used.
  shop.Busy(0.69);
  EXPECT_EQ(shop.Next(Ppm(500'000)).to, Ppm(616'000));
  // A utilisation that has grown old says nothing.
  shop.now_ += kUtilisationFresh + Duration(1);
  EXPECT_EQ(shop.Next(Ppm(500'000)).to, Ppm(800'000));
}

TEST(Adaptive, AFailedShareIsApproachedByHalves) {
  Shop shop;
  shop.restoration_.failed = Ppm(800'000);
  shop.restoration_.search.at = shop.now_;
  EXPECT_EQ(shop.Next(Ppm(600'000)).to, Ppm(700'000));
  EXPECT_EQ(shop.Next(Ppm(770'000)).to, Ppm(770'000));
  shop.now_ += Duration(120'000);
  EXPECT_EQ(shop.Next(Ppm(770'000)).to, Ppm(850'000));
}

TEST(Adaptive, AShareThatStoodForMinutesIsNotBlamed) {
  Shop shop;
  shop.restoration_.proven = Share::All();
  shop.Count(90, 2'000, 2, Share::All());
  shop.Count(8, 2'000, 200, Share::All());
  const Withdrawal withdrawal =
      Withdraw(shop.restoration_, shop.evidence_, Share::All(), "errors", shop.now_);
  EXPECT_EQ(withdrawal.restoration.search.why, Search::Why::kTime);
  EXPECT_EQ(withdrawal.restoration.failed, Share::None());
  EXPECT_EQ(withdrawal.to, Ppm(540'000));
}

TEST(Adaptive, ASlowSecondTellsOfLoadBeforeThereIsEvidence) {
  Shop shop;
  shop.restoration_.proven = Ppm(200'000);
  BeginShare(shop.evidence_, Ppm(200'000), 40, false);
  shop.Count(8, 100, 0, Ppm(500'000));
  shop.Count(1, {.admitted = 100, .slower_than_ms = {{kSlow_ms, 35}}}, Ppm(500'000));
  ASSERT_LT(shop.weighed("slow").evidence.Against(), kHoldPart * AgainstBar(shop.restoration_));
  const Withdrawal withdrawal =
      Withdraw(shop.restoration_, shop.evidence_, Ppm(500'000), "slow", shop.now_);
  EXPECT_EQ(withdrawal.restoration.search.why, Search::Why::kLoad);
  // Nobody is called for load.
  EXPECT_EQ(withdrawal.restoration.retreats_in_a_row, 0U);
}

TEST(Adaptive, CountsThatComeLateAreWaitedForAtEveryShare) {
  Shop shop;
  BeginShare(shop.evidence_, Share::None(), 1, false);
  shop.Count(10, {.refused = 2'000}, Ppm(50'000));
  EXPECT_EQ(shop.Stood(), Duration(0));
  shop.Count(3, 100, 0, Ppm(50'000));
  EXPECT_GE(shop.Stood(), Duration(2'000));
  BeginShare(shop.evidence_, Ppm(50'000), 2, false);
  shop.Count(10, 100, 0, Ppm(200'000));
  EXPECT_EQ(shop.Stood(), Duration(0));
  EXPECT_EQ(shop.weighed().evidence.For(), 0);
  shop.Count(8, 400, 0, Ppm(200'000));
  EXPECT_GE(shop.Stood(), kAnswersUnderWay);
  EXPECT_GT(shop.weighed().evidence.For(), kForNats);
}

TEST(Adaptive, FewUsersWhoAskSeldomAreNotTakenForLateCounts) {
  Shop shop;
  // Three requests a second are one in seven seconds at 5 %.
  for (int second = 0; second < 10; ++second) {
    shop.now_ += Duration(1'000);
    AddCounts(shop.evidence_, nullptr, "edge-1", {.refused = 3}, shop.now_);
  }
  BeginShare(shop.evidence_, Share::None(), 1, false);
  shop.Count(10, {.refused = 3}, Ppm(50'000));
  shop.Count(2, {.admitted = 1, .refused = 2}, Ppm(50'000));
  BeginShare(shop.evidence_, Ppm(50'000), 2, false);
  shop.Count(3, {.admitted = 1, .refused = 2}, Ppm(200'000));
  EXPECT_GE(shop.Stood(), Duration(2'000));
}

TEST(Adaptive, WhereNothingWasProvenEverybodyIsTakenOut) {
  Shop shop;
  shop.Count(8, 100, 10, Ppm(50'000));
  const Withdrawal withdrawal =
      Withdraw(shop.restoration_, shop.evidence_, Ppm(50'000), "errors", shop.now_);
  EXPECT_EQ(withdrawal.to, Share::None());
  EXPECT_TRUE(withdrawal.restoration.search.on_probation);
}

RC_GTEST_PROP(AdaptiveProperties, StepsStayWithinTheirBounds, ()) {
  Shop shop;
  const Share share = Ppm(*rc::gen::inRange<std::uint64_t>(1, 1'000'001));
  shop.restoration_.failed = Ppm(*rc::gen::inRange<std::uint64_t>(0, 1'000'001));
  shop.restoration_.search.failed_by_load = Ppm(*rc::gen::inRange<std::uint64_t>(0, 1'000'001));
  shop.restoration_.search.step_max = Ppm(*rc::gen::inRange<std::uint64_t>(0, 1'000'001));
  shop.restoration_.search.at = shop.now_ - Duration(*rc::gen::inRange(0, 1'000'000));
  shop.Count(3, *rc::gen::inRange<std::uint64_t>(0, 1'000), 0, share);
  if (*rc::gen::arbitrary<bool>()) shop.Busy(*rc::gen::inRange(0, 200) / 100.0);
  const Share to = shop.Next(share).to;
  RC_ASSERT(to >= share);
  RC_ASSERT(to.ppm() <= 4 * std::uint64_t{share.ppm()});
  RC_ASSERT(to.ppm() <= share.ppm() + 300'000U);
}

RC_GTEST_PROP(AdaptiveProperties, ARetreatAlwaysLowers, ()) {
  Shop shop;
  const Share share = Ppm(*rc::gen::inRange<std::uint64_t>(1, 1'000'001));
  shop.restoration_.proven = Ppm(*rc::gen::inRange<std::uint64_t>(0, share.ppm() + 1));
  const auto requests = *rc::gen::inRange<std::uint64_t>(0, 2'000);
  shop.Count(5, requests, *rc::gen::inRange<std::uint64_t>(0, requests + 1), share);
  const std::string check = *rc::gen::element<std::string>("errors", "lag", "");
  const Withdrawal withdrawal =
      Withdraw(shop.restoration_, shop.evidence_, share, check, shop.now_);
  RC_ASSERT(withdrawal.to < share);
  RC_ASSERT(withdrawal.restoration.proven <= shop.restoration_.proven);
}

RC_GTEST_PROP(AdaptiveProperties, WithoutDataEvidenceIsFrozen, ()) {
  Shop shop;
  shop.Count(*rc::gen::inRange(1, 30), 1'000, *rc::gen::inRange<std::uint64_t>(0, 30),
             Ppm(500'000));
  const double speaks_for = shop.weighed().evidence.For();
  const double against = shop.weighed().evidence.Against();
  const Duration stood = shop.evidence_.progress.since_change;
  const TimePoint later = shop.now_ + Duration(*rc::gen::inRange(0, 3'600'000));
  RC_ASSERT(!IsBatchDue(shop.evidence_, later));
  // What comes after a silence counts as what it is, and the silence as nothing.
  AddCounts(shop.evidence_, &shop.restoration_.plan.spec(), "edge-1", {}, later);
  if (IsBatchDue(shop.evidence_, later)) {
    WeighCounts(shop.evidence_, Ppm(500'000), true, later);
  }
  RC_ASSERT(shop.weighed().evidence.For() <= speaks_for + 1e-9);
  RC_ASSERT(shop.weighed().evidence.Against() <= against + kMassPerSecond * 3 + 1e-12);
  RC_ASSERT(shop.evidence_.progress.since_change <= stood + kBatchMost);
}

}  // namespace
}  // namespace headgate::engine
