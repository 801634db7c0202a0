#include "controller/database/replication_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headgate::database {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

TimePoint At(int seconds) { return FromUnixMillis(1'000'000) + std::chrono::seconds(seconds); }

Identity Healthy(const std::string& started_at) {
  return {.version = 150'004,
          .in_recovery = false,
          .system_identifier = "7",
          .started_at = started_at,
          .user = "headgate",
          .may_monitor = true,
          .position = 1'000,
          .timeline = 1};
}

auto Kind(const std::string& kind) { return Field("kind", &Finding::kind, kind); }

class ReplicationJudgeTest : public ::testing::Test {
 protected:
  ReplicationJudgeTest() {
    inventory_.replicas = {
        {.name = "db2", .dsn = "host=db2", .kind = ReplicaKind::kPhysical, .out = false},
        {.name = "db3", .dsn = "host=db3", .kind = ReplicaKind::kLogical, .out = false}};
    primary_.identity = Healthy("1");
    primary_.walsenders = {{.application_name = "db2",
                            .client = "192.0.2.2:1",
                            .slot = "",
                            .is_logical = false,
                            .replayed = 1'000},
                           {.application_name = "db3",
                            .client = "192.0.2.3:1",
                            .slot = "db3",
                            .is_logical = true,
                            .replayed = 1'000}};
    primary_.slots = {
        {.name = "db3", .is_active = true, .wal_status = "reserved", .confirmed = 1'000}};
    physical_.identity = Healthy("2");
    physical_.identity.in_recovery = true;
    physical_.receiver = "streaming";
    physical_.pause = "not paused";
    logical_.identity = Healthy("3");
    logical_.identity.system_identifier = "8";
    logical_.subscriptions = {{.name = "db3",
                               .is_enabled = true,
                               .slot = "db3",
                               .has_worker = true,
                               .received = 1'000,
                               .tables = 3,
                               .tables_not_ready = "",
                               .errors = 0}};
  }

  Observation Seen(TimePoint at) const {
    Observation seen{.at = at, .primary = primary_, .physical = {}, .logical = {}};
    seen.physical.emplace("db2", physical_);
    seen.logical.emplace("db3", logical_);
    return seen;
  }

  Inventory inventory_;
  PrimaryObservation primary_;
  PhysicalObservation physical_;
  LogicalObservation logical_;
};

TEST_F(ReplicationJudgeTest, FindsNothingInAHealthyTrio) {
  ReplicationJudge judge(inventory_);
  const Report report = judge.Judge(Seen(At(0)), At(0));
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_EQ(report.observed_at, At(0));
}

TEST_F(ReplicationJudgeTest, AServerThatWasNotAskedIsNotHealthy) {
  ReplicationJudge judge(inventory_);
  Observation seen = Seen(At(0));
  seen.physical.clear();
  seen.logical.clear();
  const Report report = judge.Judge(seen, At(0));
  EXPECT_THAT(report.findings, ElementsAre(Field(&Finding::severity, Severity::kUnknown),
                                           Field(&Finding::severity, Severity::kUnknown)));
}

TEST_F(ReplicationJudgeTest, ASilentReplicaThatThePrimaryNoLongerFeedsIsFailed) {
  ReplicationJudge judge(inventory_);
  judge.Judge(Seen(At(0)), At(0));
  Observation seen = Seen(At(1));
  seen.physical.at("db2") = absl::DeadlineExceededError("no answer");
  EXPECT_THAT(judge.Judge(seen, At(1)).findings, ElementsAre(Kind("timeout")));
  seen.primary->walsenders.erase(seen.primary->walsenders.begin());
  EXPECT_THAT(judge.Judge(seen, At(2)).findings,
              ElementsAre(Kind("timeout"), Kind("not_streaming")));
}

TEST_F(ReplicationJudgeTest, ApplyErrorsAreRememberedBetweenTheRestartsOfTheWorker) {
  ReplicationJudge judge(inventory_);
  // Errors from before the first look are history.
  logical_.subscriptions[0].errors = 5;
  EXPECT_THAT(judge.Judge(Seen(At(0)), At(0)).findings, IsEmpty());
  // One may be no more than a lost connection.
  logical_.subscriptions[0].errors = 6;
  EXPECT_THAT(judge.Judge(Seen(At(1)), At(1)).findings,
              ElementsAre(::testing::AllOf(Kind("apply_errors"),
                                           Field(&Finding::severity, Severity::kDegraded))));
  logical_.subscriptions[0].errors = 7;
  for (const int second : {6, 31}) {
    EXPECT_THAT(judge.Judge(Seen(At(second)), At(second)).findings,
                ElementsAre(::testing::AllOf(Kind("apply_errors"),
                                             Field(&Finding::severity, Severity::kFailed))));
  }
  EXPECT_THAT(judge.Judge(Seen(At(37)), At(37)).findings, IsEmpty());
}

TEST_F(ReplicationJudgeTest, AFreshlyStartedSubscriptionHasReplayedWhatItHadConfirmed) {
  ReplicationJudge judge(inventory_);
  logical_.subscriptions[0].received = std::nullopt;
  EXPECT_THAT(judge.Judge(Seen(At(0)), At(0)).findings, IsEmpty());
  primary_.slots[0].confirmed = std::nullopt;
  primary_.walsenders[1].replayed = std::nullopt;
  EXPECT_THAT(judge.Judge(Seen(At(1)), At(1)).findings, ElementsAre(Kind("lag")));
}

TEST_F(ReplicationJudgeTest, LagIsDegradedAboveSoftAndFailedAboveHard) {
  ReplicationJudge judge(inventory_);
  physical_.identity.position = 999;
  EXPECT_THAT(judge.Judge(Seen(At(0)), At(0)).findings, IsEmpty());
  EXPECT_THAT(judge.Judge(Seen(At(1)), At(1)).findings, IsEmpty());
  EXPECT_THAT(judge.Judge(Seen(At(2)), At(2)).findings,
              ElementsAre(Field(&Finding::severity, Severity::kDegraded)));
  const Report report = judge.Judge(Seen(At(6)), At(6));
  EXPECT_EQ(report.lag, Duration(6'000));
  EXPECT_THAT(report.findings, ElementsAre(Field(&Finding::severity, Severity::kFailed)));
  EXPECT_EQ(report.findings[0].text, "replica db2: it is 6s behind the primary, over 5s");
}

TEST_F(ReplicationJudgeTest, BytesBehindCountEvenBeforeTimeHasPassed) {
  ReplicationJudge judge(inventory_);
  primary_.identity.position = 1'000 + Bounds().bytes_behind.soft + 1;
  EXPECT_THAT(judge.Judge(Seen(At(0)), At(0)).findings,
              Contains(::testing::AllOf(Kind("bytes_behind"),
                                        Field(&Finding::severity, Severity::kDegraded))));
  primary_.identity.position = 1'000 + Bounds().bytes_behind.hard + 1;
  EXPECT_THAT(judge.Judge(Seen(At(0)), At(0)).findings,
              Contains(::testing::AllOf(Kind("bytes_behind"),
                                        Field(&Finding::severity, Severity::kFailed))));
}

TEST_F(ReplicationJudgeTest, AnOutReplicaWithoutDsnCannotHideBehindNamelessStandbys) {
  inventory_.replicas.push_back(
      {.name = "db4", .dsn = "", .kind = ReplicaKind::kPhysical, .out = true});
  primary_.walsenders[0].application_name = "walreceiver";
  {
    ReplicationJudge judge(inventory_);
    EXPECT_THAT(judge.Judge(Seen(At(0)), At(0)).findings, IsEmpty());
  }
  primary_.walsenders.push_back(primary_.walsenders[0]);
  ReplicationJudge judge(inventory_);
  EXPECT_THAT(judge.Judge(Seen(At(0)), At(0)).findings,
              ElementsAre(::testing::AllOf(Kind("still_in_use"),
                                           Field(&Finding::severity, Severity::kUnknown))));
}

TEST_F(ReplicationJudgeTest, TellsOfAWrongTimelineALostSlotAndAnUnfinishedCopy) {
  ReplicationJudge judge(inventory_);
  physical_.identity.timeline = 2;
  primary_.slots[0].wal_status = "lost";
  logical_.subscriptions[0].tables_not_ready = "public.orders";
  EXPECT_THAT(judge.Judge(Seen(At(0)), At(0)).findings,
              ElementsAre(Kind("wrong_timeline"), Kind("not_synchronised"), Kind("slot_lost")));
  primary_.slots.clear();
  EXPECT_THAT(judge.Judge(Seen(At(1)), At(1)).findings, Contains(Kind("not_fed_by_primary")));
}

// A copy of the primary that was started beside it has the same system identifier and timeline.
TEST_F(ReplicationJudgeTest, KnowsAStandbyThatStreamsWhileThePrimaryFeedsNone) {
  ReplicationJudge judge(inventory_);
  primary_.walsenders.erase(primary_.walsenders.begin());
  EXPECT_THAT(judge.Judge(Seen(At(0)), At(0)).findings, ElementsAre(Kind("not_fed_by_primary")));
  // It may have another name, or be the one that feeds the declared standby.
  primary_.walsenders.push_back({.application_name = "relay", .client = "192.0.2.9:1"});
  EXPECT_THAT(judge.Judge(Seen(At(1)), At(1)).findings, IsEmpty());
}

TEST_F(ReplicationJudgeTest, KnowsAStandbyWhoseDsnLeadsToAnotherDatabase) {
  ReplicationJudge judge(inventory_);
  primary_.identity.database = "shop";
  physical_.identity.database = "shop_of_yesterday";
  logical_.identity.database = "copy";
  EXPECT_THAT(judge.Judge(Seen(At(0)), At(0)).findings, ElementsAre(Kind("wrong_database")));
}

TEST_F(ReplicationJudgeTest, BytesBehindFollowThePlansBounds) {
  inventory_.bounds.bytes_behind = {.soft = 100, .hard = 200};
  ReplicationJudge judge(inventory_);
  primary_.identity.position = 1'101;
  EXPECT_THAT(judge.Judge(Seen(At(0)), At(0)).findings,
              Contains(::testing::AllOf(Kind("bytes_behind"),
                                        Field(&Finding::severity, Severity::kDegraded))));
  primary_.identity.position = 1'201;
  EXPECT_THAT(judge.Judge(Seen(At(0)), At(0)).findings,
              Contains(::testing::AllOf(Kind("bytes_behind"),
                                        Field(&Finding::severity, Severity::kFailed))));
}

TEST_F(ReplicationJudgeTest, ASlotThatMayLoseItsLogIsDegradedAndALostOneFailedOfBothKinds) {
  ReplicationJudge judge(inventory_);
  primary_.slots[0].wal_status = "extended";
  EXPECT_THAT(judge.Judge(Seen(At(0)), At(0)).findings, IsEmpty());
  primary_.slots[0].wal_status = "unreserved";
  EXPECT_THAT(judge.Judge(Seen(At(1)), At(1)).findings,
              ElementsAre(::testing::AllOf(Kind("slot_at_risk"),
                                           Field(&Finding::severity, Severity::kDegraded),
                                           Field(&Finding::server, "db3"))));
  primary_.slots[0].wal_status = "reserved";
  primary_.slots.push_back(
      {.name = "db2", .is_active = false, .wal_status = "lost", .confirmed = std::nullopt});
  EXPECT_THAT(judge.Judge(Seen(At(2)), At(2)).findings,
              ElementsAre(::testing::AllOf(Kind("slot_lost"), Field(&Finding::server, "db2"),
                                           Field(&Finding::severity, Severity::kFailed))));
}

TEST_F(ReplicationJudgeTest, AReplicaThatIsTwoMinorVersionsNewerIsNoFinding) {
  ReplicationJudge judge(inventory_);
  physical_.identity.version = 150'006;
  logical_.identity.version = 150'006;
  EXPECT_THAT(judge.Judge(Seen(At(0)), At(0)).findings, IsEmpty());
}

TEST_F(ReplicationJudgeTest, AnHourOfIdlenessIsNoLag) {
  ReplicationJudge judge(inventory_);
  for (int second = 0; second <= 3'600; ++second) {
    ASSERT_THAT(judge.Judge(Seen(At(second)), At(second)).findings, IsEmpty()) << second;
  }
  // The first write after it is as late as itself, not as the hour.
  primary_.identity.position = 1'001;
  const Report report = judge.Judge(Seen(At(3'601)), At(3'601));
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_EQ(report.lag, Duration(0));
}

TEST_F(ReplicationJudgeTest, RefusesToJudgeWhatIsTooOldOrHidden) {
  ReplicationJudge judge(inventory_);
  physical_.identity.version = 140'010;
  logical_.identity.may_monitor = false;
  EXPECT_THAT(judge.Judge(Seen(At(0)), At(0)).findings,
              ElementsAre(Kind("unsupported_version"), Kind("no_privilege")));
}

}  // namespace
}  // namespace headgate::database
