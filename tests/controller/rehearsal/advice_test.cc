// What is told to write works: whoever follows any one of its ways is not told again, and on a
// healthy platform nobody is called.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "common/base/duration.h"
#include "controller/rehearsal/doubts.h"
#include "controller/rehearsal/rehearsal.h"
#include "tests/controller/rehearsal/plans.h"

namespace headgate::rehearsal {
namespace {

using testing::IsEmpty;

// Follows one way of the advice: "window: 20m and bake: 20m..40m and watch: 20m", "a first step of
// 25 %", "first: 6%", "min_sample: 520", "limit: 0.6 % or more", "every: 26s".
void Follow(const std::string& way, engine::PlanSpec& spec, std::size_t check) {
  engine::CheckSpec& checked = spec.checks.at(check);
  const auto value = [&](const std::string& key) -> std::optional<std::string> {
    const std::size_t at = way.find(key);
    if (at == std::string::npos) return std::nullopt;
    const std::size_t from = at + key.size();
    return way.substr(from, way.find_first_of(" %", from) - from);
  };
  const auto share = [](const std::string& percent) {
    return Share::FromPpm(static_cast<std::uint32_t>(std::lround(std::stod(percent) * 1e4)))
        .value();
  };
  if (const auto bake = value("bake: ")) {
    const std::size_t dots = bake->find("..");
    spec.bake_min = ParseDuration(bake->substr(0, dots)).value();
    spec.bake_max = ParseDuration(bake->substr(dots + 2)).value();
  }
  if (const auto watch = value("watch: ")) spec.watch = ParseDuration(*watch).value();
  if (const auto first = value("first step of ")) {
    spec.steps = {share(*first), Share::All()};
  }
  if (const auto first = value("first: ")) spec.adaptive->first = share(*first);
  auto* ratio = std::get_if<engine::RatioCheck>(&checked.kind);
  if (const auto window = value("window: ")) ratio->window = ParseDuration(*window).value();
  if (const auto sample = value("min_sample: ")) ratio->min_sample = std::stoull(*sample);
  if (const auto limit = value("limit: ")) ratio->limit_ppm = share(*limit).ppm();
  if (const auto every = value("every: ")) {
    std::get<engine::PrometheusRatio>(ratio->source).every = ParseDuration(*every).value();
  }
}

// The check that it names.
std::size_t CheckOf(const Doubt& doubt, const engine::PlanSpec& spec) {
  for (std::size_t i = 0; i < spec.checks.size(); ++i) {
    if (doubt.text.find("check " + spec.checks[i].name) != std::string::npos) return i;
  }
  ADD_FAILURE() << "no check: " << doubt.text;
  return 0;
}

std::vector<std::string> WaysOf(const Doubt& doubt) {
  const std::size_t at = doubt.text.find("; write ");
  if (at == std::string::npos) return {};
  return absl::StrSplit(doubt.text.substr(at + 8), ", or ");
}

// Anything that a person might try, and much that nobody would.
class AnyPlan {
 public:
  explicit AnyPlan(std::uint32_t seed) : random_(seed) {}

  engine::PlanSpec Next() {
    engine::PlanSpec spec = One({0, 1}) == 0 ? ShopSpec() : AdaptiveSpec();
    const auto first = Share::FromPpm(One({5'000, 10'000, 20'000, 100'000, 490'000})).value();
    if (!spec.adaptive) spec.steps = {first, Share::All()};
    if (spec.adaptive && One({0, 1}) == 0) spec.adaptive->first = first;
    spec.bake_min = Duration(One({1'000, 7'000, 10'000, 120'000}));
    spec.bake_max = spec.bake_min + Duration(One({4'000, 60'000, 300'000}));
    for (engine::CheckSpec& check : spec.checks) {
      auto& ratio = std::get<engine::RatioCheck>(check.kind);
      ratio.limit_ppm = One({1, 100, 500, 2'000, 10'000, 100'000});
      ratio.window = Duration(One({10'000, 30'000, 60'000, 600'000}));
      ratio.min_sample = One({5, 20, 50, 2'000, 1'000'000});
    }
    return spec;
  }
  double Rps() { return One({1, 6, 15, 40, 400, 2'000, 20'000}); }

 private:
  std::uint32_t One(const std::vector<std::uint32_t>& of) { return of[random_() % of.size()]; }

  std::mt19937 random_;
};

TEST(Advice, FollowingAnyOneWayEndsTheDoubt) {
  constexpr std::uint32_t kSeed = 20261126;
  AnyPlan any(kSeed);
  std::size_t ways = 0;
  for (int i = 0; i < 400; ++i) {
    const engine::PlanSpec spec = any.Next();
    const double rps = any.Rps();
    for (const Doubt& doubt : FindDoubtsOfTraffic(spec, rps)) {
      const std::size_t check = CheckOf(doubt, spec);
      for (const std::string& way : WaysOf(doubt)) {
        if (way == "leave it out") continue;
        engine::PlanSpec followed = spec;
        Follow(way, followed, check);
        ++ways;
        for (const Doubt& left : FindDoubtsOfTraffic(followed, rps)) {
          EXPECT_FALSE(left.path == doubt.path && CheckOf(left, followed) == check)
              << "seed " << kSeed << ", plan " << i << ": '" << way << "' of: " << doubt.text
              << "\nleaves: " << left.text;
        }
      }
    }
  }
  EXPECT_GT(ways, 400U);
}

// Of forty healthy runs of half an hour, those in which a person is called.
std::size_t Calls(const engine::PlanSpec& spec, double rps) {
  Scenario healthy = FindScenario("H1").value();
  healthy.site.rps = rps;
  healthy.site.duration_s = 1'800;
  const std::vector<RunResult> runs =
      Rehearse({.plan = PlanOf(spec), .scenario = healthy, .runs = 40, .threads = 2}, nullptr);
  return static_cast<std::size_t>(
      std::ranges::count_if(runs, [](const RunResult& run) { return run.call.has_value(); }));
}

// Whatever it says of the traffic or without a word of it.
std::vector<Doubt> AllDoubts(const engine::PlanSpec& spec, double rps) {
  std::vector<Doubt> all = FindDoubts(spec);
  for (Doubt& doubt : FindDoubtsOfTraffic(spec, rps)) all.push_back(std::move(doubt));
  return all;
}

// Most healthy runs call a person, it says so, and whoever follows any of its ways has peace.
void ExpectCallsThatAdviceEnds(const engine::PlanSpec& spec, double rps) {
  EXPECT_GT(Calls(spec, rps), 20U);
  const std::vector<Doubt> doubts = AllDoubts(spec, rps);
  ASSERT_FALSE(doubts.empty());
  const Doubt& doubt = doubts.front();
  const std::vector<std::string> ways = WaysOf(doubt);
  EXPECT_FALSE(ways.empty()) << doubt.text;
  for (const std::string& way : ways) {
    engine::PlanSpec followed = spec;
    Follow(way, followed, CheckOf(doubt, spec));
    EXPECT_THAT(AllDoubts(followed, rps), IsEmpty()) << way;
    EXPECT_LE(Calls(followed, rps), 2U) << way << " of: " << doubt.text;
  }
}

TEST(Advice, AWindowThatIsLongerThanTheBakeIsNamedWithBoth) {
  engine::PlanSpec spec = ShopSpec();
  spec.checks = {SlowCheck()};
  std::get<engine::RatioCheck>(spec.checks[0].kind).window = Duration(600'000);
  ExpectCallsThatAdviceEnds(spec, 13);
}

TEST(Advice, ASampleThatMustLastForALongBakeIsNamed) {
  engine::PlanSpec spec = ShopSpec();
  spec.checks = {SlowCheck()};
  auto& ratio = std::get<engine::RatioCheck>(spec.checks[0].kind);
  ratio = {
      .source = ratio.source, .limit_ppm = 90'000, .window = Duration(10'000), .min_sample = 20};
  spec.steps = {Share::FromPpm(490'000).value(), Share::All()};
  spec.bake_min = Duration(540'000);
  spec.bake_max = Duration(600'000);
  ExpectCallsThatAdviceEnds(spec, 6);
}

TEST(Advice, ABakeInWhichAgentsHardlyFollowAdaptiveStepsIsNamed) {
  for (const auto& [bake_max, first_ppm] :
       {std::pair(5'000, 0U), std::pair(10'000, 0U), std::pair(6'000, 200'000U)}) {
    engine::PlanSpec spec = AdaptiveSpec();
    spec.bake_min = Duration(1'000);
    spec.bake_max = Duration(bake_max);
    if (first_ppm > 0) spec.adaptive->first = Share::FromPpm(first_ppm).value();
    ExpectCallsThatAdviceEnds(spec, 2'000);
  }
}

engine::PlanSpec PrometheusSpec(engine::PlanSpec spec, int every_s) {
  const Duration every(every_s * 1'000);
  spec.prometheus_url = "http://prometheus";
  spec.checks = {{.name = "payments",
                  .kind = engine::RatioCheck{.source = engine::PrometheusRatio{.bad = "slow_bucket",
                                                                               .total = "total",
                                                                               .every = every},
                                             .limit_ppm = 20'000,
                                             .window = 2 * every},
                  .fresh = 2 * every}};
  return spec;
}

TEST(Advice, APrometheusThatIsAskedTooSeldomIsNamed) {
  for (const auto& [every_s, bake_max] : {std::pair(60, 30'000), std::pair(30, 20'000)}) {
    for (const engine::PlanSpec& of : {ShopSpec(), AdaptiveSpec()}) {
      engine::PlanSpec spec = PrometheusSpec(of, every_s);
      spec.bake_max = Duration(bake_max);
      ExpectCallsThatAdviceEnds(spec, 2'000);
    }
  }
}

}  // namespace
}  // namespace headgate::rehearsal
