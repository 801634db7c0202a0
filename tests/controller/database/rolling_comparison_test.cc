// Comparing data again and again, on real servers.
#include "controller/database/rolling_comparison.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <functional>
#include <thread>

#include "tests/controller/database/compared.h"
#include "tests/controller/database/finding_matchers.h"

namespace headgate::database {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RollingTest : public ComparedTest {
 protected:
  static RollingOptions Restless(std::vector<std::string> tables = {}) {
    return {.cpu_share_percent = 100, .tables = std::move(tables), .every = Duration(0)};
  }

  // Steps, without resting, until it holds; the last report.
  static DataReport StepUntil(RollingComparison& rolling,
                              const std::function<bool(const DataReport&)>& holds) {
    DataReport told = rolling.Told();
    const bool has_come = testing::WaitUntil(
        [&] {
          for (int i = 0; i < 20 && !holds(told); ++i) {
            rolling.Step();
            told = rolling.Told();
          }
          return holds(told);
        },
        Duration(60'000));
    EXPECT_TRUE(has_come) << told.progress;
    return told;
  }
  // A round that began after this call has ended.
  static DataReport StepThroughARound(RollingComparison& rolling) {
    for (int i = 0; i < 2; ++i) {
      const auto before = rolling.Told().standing.whole_at;
      StepUntil(rolling, [&](const DataReport& told) { return told.standing.whole_at != before; });
    }
    return rolling.Told();
  }
};

TEST_F(RollingTest, ARowThatDiffersIsToldUntilItIsSeenToBeTheSame) {
  RollingComparison rolling(Trio(), Restless(), clock_);
  EXPECT_THAT(rolling.Told().pending, HasSubstr("waits for that however long"));
  DataReport told = StepThroughARound(rolling);
  EXPECT_THAT(told.findings, IsEmpty());
  EXPECT_EQ(told.pending, "");
  EXPECT_EQ(told.standing.tables, 4U);
  EXPECT_EQ(told.standing.rows_done, 2'000U + 3'000U + 5'000U + 500U);

  lab_->Sql("db3", "UPDATE items SET b = 'x' WHERE id = 2001");
  const auto row =
      AllOf(IsFinding(Severity::kFailed, "data", "db3"),
            Says("table public.items: row (id = 2001) differs"), Field(&Finding::drains, true));
  told = StepUntil(rolling, [](const DataReport& report) { return !report.findings.empty(); });
  EXPECT_THAT(told.findings, ElementsAre(row));
  // Round after round, without a gap.
  const auto before = told.standing.whole_at;
  StepUntil(rolling, [&](const DataReport& report) {
    EXPECT_THAT(report.findings, ElementsAre(row));
    return report.standing.whole_at != before && report.standing.tables_done > 2;
  });

  lab_->Sql("db3", "UPDATE items SET b = 'item 2001' WHERE id = 2001");
  told = StepThroughARound(rolling);
  EXPECT_THAT(told.findings, IsEmpty());
}

TEST_F(RollingTest, OfHeavyWritesRaisesNoAlarm) {
  Writer writer([] { WriteBusily(200); });
  RollingComparison rolling(Trio(), Restless({"items"}), clock_);
  for (int rounds = 0; rounds < 6 || writer.rounds() < 2; ++rounds) {
    EXPECT_THAT(StepThroughARound(rolling).findings, IsEmpty());
  }
  writer.Stop();
  WaitUntilInStep();
}

TEST_F(RollingTest, ATableWithoutAKeyIsUnknownWithItsRemedyUntilItIsAllowed) {
  lab_->Sql("db1", "CREATE TABLE log (line text)");
  WaitUntilInStep();
  Inventory inventory = Trio();
  inventory.replicas.pop_back();
  RollingComparison rolling(inventory, Restless(), clock_);
  EXPECT_THAT(StepThroughARound(rolling).findings,
              ElementsAre(AllOf(IsFinding(Severity::kUnknown, "data", "db2"),
                                Says("table public.log was not compared: it has no primary key"),
                                Says("to go on without it: allow: [public.log]"))));
  inventory.allow = {"public.log"};
  RollingComparison allowed(inventory, Restless(), clock_);
  const DataReport told = StepThroughARound(allowed);
  lab_->Sql("db1", "DROP TABLE log");
  WaitUntilInStep();
  EXPECT_THAT(told.findings, IsEmpty());
  EXPECT_THAT(told.notes, ElementsAre(HasSubstr("allowed: replica db2: table public.log")));
  // The table is gone, and so is what was said of it.
  EXPECT_THAT(StepThroughARound(rolling).findings, IsEmpty());
}

TEST_F(RollingTest, AServerThatDiesIsWaitedForAndTheRoundGoesOn) {
  RollingComparison rolling(Trio(), Restless(), clock_);
  StepUntil(rolling, [](const DataReport& told) { return told.standing.rows_done > 0; });
  lab_->Do("kill db2");
  const DataReport waiting = StepUntil(rolling, [](const DataReport& told) {
    return told.progress.find("waits to go on: replica db2") != std::string::npos;
  });
  // The look tells that it is gone.
  EXPECT_THAT(waiting.findings, IsEmpty());
  EXPECT_NE(waiting.pending, "");
  lab_->Do("start db2");
  const DataReport told = StepUntil(
      rolling, [](const DataReport& report) { return report.standing.whole_at.has_value(); });
  EXPECT_THAT(told.findings, IsEmpty());
  EXPECT_EQ(told.standing.tables_done, 4U);
  EXPECT_EQ(told.standing.rows_done, 2'000U + 3'000U + 5'000U + 500U);
}

TEST_F(RollingTest, GoesOnAfterARestartAndForgetsNothing) {
  RollingOptions options = Restless();
  options.state_file = ::testing::TempDir() + "headgate-rolling.state";
  std::filesystem::remove(options.state_file);
  lab_->Sql("db3", "UPDATE items SET b = 'x' WHERE id = 2001");
  {
    RollingComparison rolling(Trio(), options, clock_);
    StepUntil(rolling, [](const DataReport& told) { return told.standing.whole_at.has_value(); });
  }
  RollingComparison rolling(Trio(), options, clock_);
  EXPECT_EQ(rolling.Told().pending, "");
  EXPECT_TRUE(rolling.Told().standing.whole_at.has_value());
  EXPECT_THAT(rolling.Told().findings, ElementsAre(Says("row (id = 2001) differs")));
  lab_->Sql("db3", "UPDATE items SET b = 'item 2001' WHERE id = 2001");
  EXPECT_THAT(StepThroughARound(rolling).findings, IsEmpty());
  // Of other servers it says nothing.
  Inventory other = Trio();
  other.replicas.pop_back();
  EXPECT_NE(RollingComparison(other, options, clock_).Told().pending, "");
  std::filesystem::remove(options.state_file);
}

TEST_F(RollingTest, PreflightWaitsNoLongerThanItIsTold) {
  RollingOptions options = Restless();
  options.patience = Duration(0);
  RollingComparison rolling(Trio(), options, clock_);
  EXPECT_EQ(rolling.Told().pending, "");
  EXPECT_THAT(rolling.Told().progress, HasSubstr("; round 1"));
  EXPECT_FALSE(rolling.Told().standing.whole_at.has_value());
  options.patience = Duration(3'600'000);
  EXPECT_THAT(RollingComparison(Trio(), options, clock_).Told().pending,
              HasSubstr("waits for that for at most 1h"));
}

TEST_F(RollingTest, ARoundIsFollowedByARest) {
  RollingOptions options = Restless({"products"});
  options.every = Duration(3'600'000);
  RollingComparison rolling(Trio(), options, clock_);
  StepUntil(rolling, [](const DataReport& told) { return told.standing.whole_at.has_value(); });
  const auto first = rolling.Told().standing.whole_at;
  EXPECT_GT(rolling.Step(), Duration(3'000'000));
  EXPECT_EQ(rolling.Told().standing.whole_at, first);
  EXPECT_THAT(rolling.Told().progress, HasSubstr("(1 of 1 tables"));
}

TEST_F(RollingTest, EndsSoonWhenInterruptedWhileAServerHangs) {
  RollingComparison rolling(Trio(), Restless(), clock_);
  StepUntil(rolling, [](const DataReport& told) { return told.standing.rows_done > 0; });
  lab_->Do("pause db1");
  std::thread interrupter([&] { rolling.Interrupt(); });
  const TimePoint began = clock_.Now();
  rolling.Step();
  interrupter.join();
  // A statement has ten seconds.
  EXPECT_LT(clock_.Now() - began, Duration(5'000));
  lab_->Do("resume db1");
  EXPECT_THAT(rolling.Told().findings, IsEmpty());
}

}  // namespace
}  // namespace headgate::database
