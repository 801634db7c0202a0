#include "tests/bench/judgement/contest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/bench/judgement/report.h"

namespace headgate::bench {
namespace {

using rehearsal::FindScenario;
using testing::HasSubstr;

Contest Small(std::size_t threads) {
  return {.scenarios = {FindScenario("H7").value(), FindScenario("B2").value()},
          .policies = {Policies().begin(), Policies().end()},
          .seed = 5,
          .runs = 6,
          .threads = threads};
}

TEST(Contest, GivesTheSameFiguresWhateverTheThreads) {
  const std::vector<Row> one = Hold(Small(1));
  const std::vector<Row> many = Hold(Small(4));
  ASSERT_EQ(one.size(), 2 * Policies().size());
  ASSERT_EQ(many.size(), one.size());
  EXPECT_EQ(Json(5, 6, one), Json(5, 6, many));
}

TEST(Contest, SeedsOfDifferentBasesShareNoRun) {
  std::set<std::uint64_t> seeds;
  for (std::uint64_t base = 0; base < 4; ++base) {
    for (std::size_t run = 0; run < 1'000; ++run) seeds.insert(SeedOfRun(base, run));
  }
  EXPECT_EQ(seeds.size(), 4'000U);
}

// What the peers' columns in the facts are made of; a deviation here is one of the model.
TEST(Contest, PeersTakeAsLongOnAHealthyPlatformAsTheirStepsDo) {
  Contest contest = {.scenarios = {FindScenario("H1").value()},
                     .policies = {Policies().begin(), Policies().end()},
                     .seed = 7,
                     .runs = 4};
  for (const Row& row : Hold(contest)) {
    SCOPED_TRACE(row.policy);
    if (row.policy == "flagger-60x5") {
      EXPECT_NEAR(row.figures.lost_kum.mean, 91, 1);
      EXPECT_NEAR(*row.figures.to_full_s.median, 6.1 * 60, 6);
    } else if (row.policy == "flagger-10x5") {
      EXPECT_NEAR(row.figures.lost_kum.mean, 20, 1);
    } else if (row.policy == "argo-5m") {
      EXPECT_NEAR(row.figures.lost_kum.mean, 438, 1);
    }
  }
}

TEST(Report, HasALineForEachRowAndADashForWhatDoesNotApply) {
  const std::vector<Row> rows = Hold(Small(1));
  const std::string table = Table(rows);
  EXPECT_THAT(table, HasSubstr("flagger-60x5"));
  EXPECT_THAT(table, HasSubstr("H7"));
  EXPECT_THAT(table, HasSubstr(" - "));
}

TEST(Report, JsonHasTheFieldsThatTheIssueNames) {
  const nlohmann::json json = nlohmann::json::parse(Json(5, 6, Hold(Small(1))));
  EXPECT_EQ(json["seed"], 5);
  EXPECT_EQ(json["runs"], 6);
  const nlohmann::json& healthy = json["rows"][0];
  EXPECT_EQ(healthy["scenario"], "H7");
  EXPECT_TRUE(healthy["p_false"].is_number());
  EXPECT_TRUE(healthy["delay50_s"].is_null());
  const nlohmann::json& bad = json["rows"].back();
  EXPECT_EQ(bad["scenario"], "B2");
  EXPECT_EQ(bad["policy"], "aimd");
  EXPECT_TRUE(bad["p_false"].is_null());
  EXPECT_TRUE(bad["t100_min"].is_null());
  for (const char* key : {"lost_kum", "delay50_s", "delay95_s", "errors", "collapse_s"}) {
    EXPECT_TRUE(bad[key].is_number()) << key;
  }
}

}  // namespace
}  // namespace headgate::bench
