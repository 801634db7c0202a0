#include "controller/database/data_rounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/controller/database/finding_matchers.h"

namespace headgate::database {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Finding Of(Severity severity, const std::string& table, const std::string& what) {
  return {.severity = severity,
          .drains = severity == Severity::kFailed,
          .kind = "data",
          .server = "db3",
          .table = table,
          .text = "replica db3: table " + table + ": " + what};
}
const Finding kRow = Of(Severity::kFailed, "public.orders", "row (id = 7) differs");
const Finding kOther = Of(Severity::kFailed, "public.items", "row (id = 9) is missing here");
const Finding kNoKey = Of(Severity::kUnknown, "public.log", "it has no primary key");

TEST(DataRounds, ADifferenceStaysToldUntilTheNextRoundHasPassedItsTable) {
  EXPECT_THAT(MergeRounds({kRow}, {}), ElementsAre(kRow));
  EXPECT_THAT(MergeRounds({kRow}, {.findings = {}, .passed = {"public.items"}}), ElementsAre(kRow));
  EXPECT_THAT(MergeRounds({kRow}, {.findings = {}, .passed = {"public.orders"}}), IsEmpty());
}

TEST(DataRounds, ADifferenceThatIsFoundAgainIsToldOnce) {
  EXPECT_THAT(MergeRounds({kRow}, {.findings = {kRow}, .passed = {}}), ElementsAre(kRow));
  EXPECT_THAT(MergeRounds({kRow}, {.findings = {kRow, kOther}, .passed = {"public.orders"}}),
              ElementsAre(kRow, kOther));
}

TEST(DataRounds, WhatIsSeenToBeTheSameIsForgottenAtTheEndToo) {
  EXPECT_THAT(CloseRound({kRow}, {.findings = {}, .passed = {"public.orders"}}, true), IsEmpty());
}

TEST(DataRounds, ADifferenceOutlivesARoundThatCouldNotCompareItsTable) {
  // Its key was dropped meanwhile.
  const Finding left_out = Of(Severity::kUnknown, "public.orders", "it has no primary key");
  EXPECT_THAT(CloseRound({kRow}, {.findings = {left_out}, .passed = {}}, true),
              ElementsAre(left_out, kRow));
  // Its server did not answer.
  EXPECT_THAT(CloseRound({kRow}, {.findings = {}, .passed = {"public.items"}}, false),
              ElementsAre(kRow));
}

TEST(DataRounds, ATableThatIsGoneTakesItsFindingsAlong) {
  EXPECT_THAT(CloseRound({kRow, kNoKey}, {.findings = {}, .passed = {"public.items"}}, true),
              IsEmpty());
}

TEST(DataRounds, AnAllowedTableIsToldAndDoesNotCount) {
  DataReport report{.findings = {kRow, kNoKey}, .notes = {}, .pending = "", .progress = ""};
  AddAllowance({"public.log"}, report);
  EXPECT_THAT(report.findings, ElementsAre(kRow));
  EXPECT_THAT(report.notes, ElementsAre("allowed: " + kNoKey.text));
}

TEST(DataRounds, DamageIsNothingThatCanBeAllowed) {
  Finding damage = Of(Severity::kFailed, "public.log", "invalid page in block 0");
  damage.kind = "damaged";
  DataReport report{.findings = {damage}, .notes = {}, .pending = "", .progress = ""};
  AddAllowance({"public.log"}, report);
  EXPECT_THAT(report.findings, ElementsAre(damage));
}

TEST(DataRounds, ATableThatCannotBeComparedIsToldWithItsRemedy) {
  DataReport report{.findings = {kNoKey}, .notes = {}, .pending = "", .progress = ""};
  // A column says nothing of rows.
  AddAllowance({"public.log.line", "audit.*"}, report);
  EXPECT_THAT(report.findings,
              ElementsAre(Says("it has no primary key; to go on without it: allow: [public.log]")));
  EXPECT_THAT(report.notes, IsEmpty());
}

TEST(DataRounds, SayHowOldTheNewestWholeOneIs) {
  DataStanding standing;
  EXPECT_EQ(DescribeWhole(standing, TimePoint(Duration(60'000))), "not compared whole yet");
  standing.whole_at = TimePoint(Duration(60'000));
  standing.whole_took = Duration(6'409);
  EXPECT_EQ(DescribeWhole(standing, TimePoint(Duration(60'300))),
            "all compared 0s ago, in 6s409ms");
  EXPECT_EQ(DescribeWhole(standing, TimePoint(Duration(102'900))),
            "all compared 42s ago, in 6s409ms");
}

TEST(DataRounds, SayHowFarTheyAre) {
  EXPECT_EQ(DescribeProgress({}), "the tables are being read");
  DataStanding standing{.table = "public.orders",
                        .tables_done = 3,
                        .tables = 40,
                        .rows_done = 1'250'000,
                        .rows_estimated = 5'000'000};
  EXPECT_EQ(DescribeProgress(standing),
            "public.orders, 3 of 40 tables, 1.2 M of about 5.0 M rows, 25 %");
  // Statistics that know too few rows make nothing whole.
  standing.rows_estimated = 1'250'000;
  EXPECT_EQ(PercentOf(standing), 99);
  standing.table = "";
  EXPECT_EQ(PercentOf(standing), 100);
}

}  // namespace
}  // namespace headgate::database
