#include "controller/database/load_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/database/maria_load.h"

namespace headgate::database {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Role = LoadJudge::Role;

TimePoint At(int seconds) { return FromUnixMillis(1'000'000) + std::chrono::seconds(seconds); }

LoadObservation Quiet() {
  LoadObservation seen;
  seen.connections = 10;
  seen.connections_max = 100;
  seen.has_checksums = true;
  return seen;
}

auto Is(Severity severity, const std::string& kind) {
  return AllOf(Field(&Finding::severity, severity), Field(&Finding::kind, kind),
               Field(&Finding::drains, false));
}

class LoadJudgeTest : public ::testing::Test {
 protected:
  std::vector<Finding> Judge(const LoadObservation& seen, int second, Role role = Role::kPrimary) {
    auto verdicts = judge_.Judge({{.name = NameOf(role), .role = role, .seen = seen}}, At(second));
    notes_ = verdicts.notes;
    return verdicts.findings;
  }

  static std::string NameOf(Role role) { return role == Role::kPrimary ? "primary" : "db2"; }

  LoadJudge judge_{Bounds()};
  std::vector<std::string> notes_;
};

TEST_F(LoadJudgeTest, FindsNothingInAQuietServer) {
  EXPECT_THAT(Judge(Quiet(), 0), IsEmpty());
  EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(LoadJudgeTest, ConnectionsAreDegradedAboveEightyAndFailedAboveNinetyFivePercent) {
  LoadObservation seen = Quiet();
  seen.connections = 80;
  EXPECT_THAT(Judge(seen, 0), IsEmpty());
  seen.connections = 81;
  EXPECT_THAT(Judge(seen, 5), ElementsAre(Is(Severity::kDegraded, "connections")));
  seen.connections = 95;
  EXPECT_THAT(Judge(seen, 10), ElementsAre(Is(Severity::kDegraded, "connections")));
  seen.connections = 96;
  const auto findings = Judge(seen, 15);
  EXPECT_THAT(findings, ElementsAre(Is(Severity::kFailed, "connections")));
  EXPECT_EQ(findings[0].text, "the primary: 96 of 100 connections are taken (96 %, over 95 %)");
}

TEST_F(LoadJudgeTest, DeadlocksOfTheLastMinuteCountAndThoseOfBeforeDoNot) {
  LoadObservation seen = Quiet();
  seen.counters.deadlocks = 1'000;
  EXPECT_THAT(Judge(seen, 0), IsEmpty());
  seen.counters.deadlocks = 1'005;
  EXPECT_THAT(Judge(seen, 5), IsEmpty());
  seen.counters.deadlocks = 1'006;
  EXPECT_THAT(Judge(seen, 10), ElementsAre(Is(Severity::kDegraded, "deadlocks")));
  EXPECT_THAT(Judge(seen, 60), ElementsAre(Is(Severity::kDegraded, "deadlocks")));
  EXPECT_THAT(Judge(seen, 65), IsEmpty());
}

TEST_F(LoadJudgeTest, RollbacksNeedASampleAndAreJudgedByTheirShare) {
  LoadObservation seen = Quiet();
  Judge(seen, 0);
  // Every one of few is no share.
  seen.counters.rollbacks = 199;
  EXPECT_THAT(Judge(seen, 5), IsEmpty());
  seen.counters.commits = 100'000;
  EXPECT_THAT(Judge(seen, 10), IsEmpty());
  seen.counters.rollbacks = 5'000;
  EXPECT_THAT(Judge(seen, 15), ElementsAre(Is(Severity::kDegraded, "rollbacks")));
  seen.counters.rollbacks = 20'000;
  EXPECT_THAT(Judge(seen, 20), ElementsAre(Is(Severity::kFailed, "rollbacks")));
}

TEST_F(LoadJudgeTest, CountersThatBeginAnewAreNoEvents) {
  LoadObservation seen = Quiet();
  seen.counters = {.commits = 1'000'000,
                   .rollbacks = 500,
                   .deadlocks = 50,
                   .blocks_hit = 9'000'000,
                   .blocks_read = 1'000,
                   .checksum_failures = 3};
  Judge(seen, 0);
  seen.counters = {.commits = 10, .rollbacks = 4, .deadlocks = 1};
  EXPECT_THAT(Judge(seen, 5), IsEmpty());
  seen.counters.deadlocks = 3;
  EXPECT_THAT(Judge(seen, 10), IsEmpty());
}

TEST_F(LoadJudgeTest, LongTransactionsCountOnThePrimaryAloneAndLockWaitsWhereThereAreLocks) {
  LoadObservation seen = Quiet();
  seen.longest_transaction = Duration(60'000);
  seen.longest_wait = Duration(10'000);
  EXPECT_THAT(Judge(seen, 0), IsEmpty());
  seen.longest_transaction = Duration(61'500);
  seen.longest_by = "psql of anna (pid 7, idle in transaction)";
  seen.longest_wait = Duration(12'000);
  seen.waiting = 3;
  const auto findings = Judge(seen, 5);
  EXPECT_THAT(findings, ElementsAre(Is(Severity::kDegraded, "long_transaction"),
                                    Is(Severity::kDegraded, "lock_waits")));
  EXPECT_EQ(findings[0].text,
            "the primary: a transaction has been open for 1m1s, over 1m: psql of anna (pid 7, idle "
            "in transaction)");
  EXPECT_EQ(findings[1].text, "the primary: 3 wait for locks, the first for 12s, over 10s");
  EXPECT_THAT(Judge(seen, 10, Role::kLogical), ElementsAre(Is(Severity::kDegraded, "lock_waits")));
  EXPECT_THAT(Judge(seen, 15, Role::kPhysical), IsEmpty());
}

TEST_F(LoadJudgeTest, AColdCacheIsToldAndChangesNoVerdict) {
  LoadObservation seen = Quiet();
  Judge(seen, 0);
  seen.counters.blocks_hit = 50'000;
  seen.counters.blocks_read = 50'000;
  EXPECT_THAT(Judge(seen, 5), IsEmpty());
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("50 % of the blocks")));
  seen.counters.blocks_hit = 5'000'000;
  Judge(seen, 70);
  EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(LoadJudgeTest, APageThatFailedItsChecksumSinceTheFirstLookIsFailedAndDrains) {
  LoadObservation seen = Quiet();
  seen.counters.checksum_failures = 2;
  seen.damaged = "shop";
  seen.last_damage = "2026-01-02 03:04:05+00";
  // What is history is told.
  EXPECT_THAT(Judge(seen, 0, Role::kPhysical), IsEmpty());
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("2 page(s) failed their checksum before")));
  seen.counters.checksum_failures = 3;
  for (const int second : {5, 500}) {
    EXPECT_THAT(Judge(seen, second, Role::kPhysical),
                ElementsAre(AllOf(
                    Field(&Finding::kind, "page_corrupt"), Field(&Finding::drains, true),
                    Field(&Finding::severity, Severity::kFailed), Field(&Finding::server, "db2"),
                    Field(&Finding::text, HasSubstr("1 page(s) have failed")))));
  }
  // Somebody reset the count, or the server was built anew.
  seen.counters.checksum_failures = 0;
  EXPECT_THAT(Judge(seen, 505, Role::kPhysical), IsEmpty());
}

TEST_F(LoadJudgeTest, ThatNobodyWouldNoticeADamagedPageIsTold) {
  LoadObservation seen = Quiet();
  seen.has_checksums = false;
  EXPECT_THAT(Judge(seen, 0), IsEmpty());
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("data checksums are off")));
}

TEST_F(LoadJudgeTest, LoadThatCouldNotBeReadIsUnknown) {
  const auto verdicts = judge_.Judge(
      {{.name = "db2", .role = Role::kPhysical, .seen = absl::DeadlineExceededError("no answer")}},
      At(0));
  EXPECT_THAT(verdicts.findings, ElementsAre(Is(Severity::kUnknown, "load_unread")));
}

TEST_F(LoadJudgeTest, WhatARightHidesIsUnknownAndTheRestIsJudgedAllTheSame) {
  LoadObservation seen = Quiet();
  seen.unknown = "needs PROCESS: its lock waits are unknown";
  seen.connections = 99;
  EXPECT_THAT(Judge(seen, 0), ElementsAre(AllOf(Is(Severity::kUnknown, "load_unread"),
                                                Field(&Finding::text,
                                                      "the primary: needs PROCESS: its lock waits "
                                                      "are unknown")),
                                          Is(Severity::kFailed, "connections")));
}

TEST_F(LoadJudgeTest, RowLocksThatWereWaitedForAreTold) {
  LoadObservation seen = Quiet();
  seen.counters.lock_time_ms = 500'000;
  EXPECT_THAT(Judge(seen, 0), IsEmpty());
  seen.counters.lock_time_ms = 510'000;
  EXPECT_THAT(Judge(seen, 5), IsEmpty());
  EXPECT_THAT(notes_, IsEmpty());
  seen.counters.lock_time_ms = 512'000;
  EXPECT_THAT(Judge(seen, 10), IsEmpty());
  EXPECT_THAT(notes_,
              ElementsAre(HasSubstr("waited for row locks for 12s in all in the last 10s")));
  // It was started anew.
  seen.counters.lock_time_ms = 0;
  EXPECT_THAT(Judge(seen, 15), IsEmpty());
  EXPECT_THAT(notes_, IsEmpty());
}

TEST(MariaLoadReading, AnAnswerThatLacksAFigureIsNoAnswer) {
  Rows counters;
  for (const char* name :
       {"THREADS_CONNECTED", "INNODB_DEADLOCKS", "HANDLER_COMMIT", "HANDLER_ROLLBACK",
        "INNODB_BUFFER_POOL_READ_REQUESTS", "INNODB_BUFFER_POOL_READS", "INNODB_ROW_LOCK_TIME",
        "INNODB_ROW_LOCK_CURRENT_WAITS", "MAX_CONNECTIONS"}) {
    counters.push_back({name, "7"});
  }
  const Rows transactions = {{"1500", "app of shop (thread 4, sleep)", "2", "-3"}};
  const auto seen = ReadMariaLoad(counters, transactions);
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(seen->longest_transaction, Duration(1'500));
  EXPECT_EQ(seen->longest_wait, Duration(0));
  EXPECT_EQ(seen->waiting, 2U);
  EXPECT_FALSE(ReadMariaLoad(counters, Rows{}).ok());
  EXPECT_FALSE(ReadMariaLoad(counters, absl::DeadlineExceededError("no answer")).ok());
  counters[3][1] = std::nullopt;
  EXPECT_FALSE(ReadMariaLoad(counters, transactions).ok());
  EXPECT_FALSE(ReadMariaActive(Rows{{"Threads_running", "3"}}).has_value());
  EXPECT_EQ(ReadMariaActive(Rows{{"Slaves_connected", "2"}, {"Threads_running", "5"}}), 2);
}

TEST(LoadReading, AnAnswerThatLacksAFigureIsNoAnswer) {
  Row row(15, "1");
  EXPECT_TRUE(ReadLoad(Rows{row}).ok());
  row[8] = std::nullopt;
  EXPECT_FALSE(ReadLoad(Rows{row}).ok());
  EXPECT_FALSE(ReadLoad(Rows{}).ok());
  EXPECT_FALSE(ReadActive(Rows{}).has_value());
}

}  // namespace
}  // namespace headgate::database
