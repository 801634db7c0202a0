#include "controller/database/maria_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/controller/database/finding_matchers.h"

namespace headgate::database {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TimePoint At(int seconds) { return FromUnixMillis(1'000'000) + std::chrono::seconds(seconds); }

GtidPosition Position(const char* text) { return ParseGtidPosition(text).value(); }

MariaIdentity Healthy(std::uint32_t server_id) {
  return {.version_name = "10.11.6-MariaDB",
          .version = 101'106,
          .server_id = server_id,
          .instance = "db 3306 /data" + std::to_string(server_id),
          .user = "'headgate'@'%'",
          .is_read_only = server_id != 1,
          .has_binlog = true,
          .written = Position("0-1-100"),
          .replicated = server_id == 1 ? GtidPosition() : Position("0-1-100"),
          .current = Position("0-1-100"),
          .binlog_state = {{0, 1, 100}},
          .type_conversions = "",
          .exec_mode = "STRICT",
          .skipped_errors = "OFF",
          .run_triggers = "NO"};
}

MariaLink FromPrimary() {
  return {.primary_id = 1, .receiver = "Yes", .applier = "Yes", .file = "binlog.2", .offset = 500};
}

class MariaJudgeTest : public ::testing::Test {
 protected:
  MariaJudgeTest() {
    inventory_.engine = Engine::kMariadb;
    inventory_.primary_dsn = "host=db1";
    inventory_.replicas = {{.name = "db2", .dsn = "host=db2"}, {.name = "db3", .dsn = "host=db3"}};
  }

  MariaObservation Seen(TimePoint at) const {
    return {.at = at, .primary = primary_, .replicas = {{"db2", db2_}, {"db3", db3_}}};
  }

  std::vector<Finding> FindingsOf(MariaJudge& judge, int seconds) const {
    return judge.Judge(Seen(At(seconds)), At(seconds)).findings;
  }
  std::vector<Finding> Findings() const {
    MariaJudge judge(inventory_);
    return FindingsOf(judge, 0);
  }

  void Write(std::uint64_t sequence) {
    primary_.identity.written = {{0, {0, 1, sequence}}};
    primary_.identity.current = primary_.identity.written;
    primary_.identity.binlog_state = {{0, 1, sequence}};
  }

  Inventory inventory_;
  MariaPrimary primary_{.identity = Healthy(1),
                        .links = std::vector<MariaLink>(),
                        .log_end = MariaLogEnd{.file = "binlog.2", .offset = 500},
                        .fed = 2};
  MariaReplica db2_{.identity = Healthy(2), .links = std::vector<MariaLink>{FromPrimary()}};
  MariaReplica db3_{.identity = Healthy(3), .links = std::vector<MariaLink>{FromPrimary()}};
};

TEST_F(MariaJudgeTest, FindsNothingInAHealthyTrioHoweverLongThePrimaryIsIdle) {
  MariaJudge judge(inventory_);
  for (int second = 0; second <= 7'200; second += 10) {
    ASSERT_THAT(FindingsOf(judge, second), IsEmpty()) << second;
  }
}

TEST_F(MariaJudgeTest, TellsLagInTimeAndTransactionsAndGoesFromDegradedToFailed) {
  MariaJudge judge(inventory_);
  EXPECT_THAT(FindingsOf(judge, 0), IsEmpty());
  Write(103);
  db3_.identity.replicated = Position("0-1-103");
  EXPECT_THAT(FindingsOf(judge, 1), IsEmpty());
  EXPECT_THAT(FindingsOf(judge, 3), ElementsAre(AllOf(IsFinding(Severity::kDegraded, "lag", "db2"),
                                                      Says("(3 transactions)"))));
  const Report report = judge.Judge(Seen(At(7)), At(7));
  EXPECT_THAT(report.findings, ElementsAre(IsFinding(Severity::kFailed, "lag", "db2")));
  EXPECT_EQ(report.lag, Duration(6'000));
}

TEST_F(MariaJudgeTest, TellsBytesBehindOfTheSameFileAndAtLeastThoseOfANewerOne) {
  primary_.log_end = MariaLogEnd{.file = "binlog.2", .offset = 501 + Bounds().bytes_behind.soft};
  EXPECT_THAT(Findings(), Contains(IsFinding(Severity::kDegraded, "bytes_behind", "db2")));
  primary_.log_end = MariaLogEnd{.file = "binlog.3", .offset = 1 + Bounds().bytes_behind.hard};
  EXPECT_THAT(Findings(), Contains(IsFinding(Severity::kFailed, "bytes_behind", "db2")));
  // By the plan's bounds.
  inventory_.bounds.bytes_behind = {.soft = 1ULL << 40U, .hard = 2ULL << 40U};
  EXPECT_THAT(Findings(), IsEmpty());
  inventory_.bounds = {};
  // A log that was just begun anew.
  primary_.log_end = MariaLogEnd{.file = "binlog.3", .offset = 4};
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(MariaJudgeTest, TellsThreadsThatDoNotRunWithTheirErrorButNotTheStatement) {
  db2_.links->front().applier = "No";
  db2_.links->front().applier_errno = 1'062;
  db2_.links->front().applier_error = "Duplicate entry '1' for key 'PRIMARY'";
  db3_.links->front().receiver = "Connecting";
  EXPECT_THAT(
      Findings(),
      ElementsAre(AllOf(IsFinding(Severity::kFailed, "not_applying", "db2"),
                        Says("(error 1062: Duplicate entry '1' for key 'PRIMARY')")),
                  AllOf(IsFinding(Severity::kFailed, "not_streaming", "db3"), Says("Connecting"))));
}

TEST_F(MariaJudgeTest, RefusesSettingsThatHideDifferences) {
  db2_.identity.type_conversions = "ALL_LOSSY,ALL_NON_LOSSY";
  db2_.identity.exec_mode = "IDEMPOTENT";
  db2_.identity.skipped_errors = "1062";
  db3_.identity.type_conversions = "ALL_NON_LOSSY";
  db3_.identity.run_triggers = "ENFORCE";
  db3_.identity.is_read_only = false;
  db3_.links->front().filters = "Replicate_Do_DB=shop";
  EXPECT_THAT(Findings(), ElementsAre(IsFinding(Severity::kFailed, "type_conversions", "db2"),
                                      IsFinding(Severity::kFailed, "exec_mode", "db2"),
                                      IsFinding(Severity::kFailed, "skipped_errors", "db2"),
                                      IsFinding(Severity::kDegraded, "not_read_only", "db3"),
                                      IsFinding(Severity::kDegraded, "type_conversions", "db3"),
                                      IsFinding(Severity::kDegraded, "run_triggers", "db3"),
                                      IsFinding(Severity::kDegraded, "filtered", "db3")));
}

TEST_F(MariaJudgeTest, KnowsARoleThatIsNotTheDeclaredOne) {
  primary_.identity.is_read_only = true;
  EXPECT_THAT(Findings(), ElementsAre(IsFinding(Severity::kDegraded, "read_only", "primary")));
  primary_.links->push_back(FromPrimary());
  EXPECT_THAT(Findings(), ElementsAre(IsFinding(Severity::kFailed, "wrong_role", "primary")));
  primary_.identity.is_read_only = false;
  primary_.identity.has_binlog = false;
  db2_.links->clear();
  EXPECT_THAT(Findings(), ElementsAre(IsFinding(Severity::kFailed, "no_binlog", "primary"),
                                      IsFinding(Severity::kFailed, "wrong_role", "db2")));
}

TEST_F(MariaJudgeTest, KnowsAReplicaOfAnotherPrimaryButLetsReplicasFeedEachOther) {
  db3_.links->front().primary_id = 2;
  EXPECT_THAT(Findings(), IsEmpty());
  db3_.links->front().primary_id = 7;
  EXPECT_THAT(Findings(),
              ElementsAre(AllOf(IsFinding(Severity::kFailed, "not_fed_by_primary", "db3"),
                                Says("server_id 7; the primary's is 1"))));
}

TEST_F(MariaJudgeTest, DrainsWhenAReplicaHasWhatThePrimaryHasNot) {
  MariaJudge judge(inventory_);
  EXPECT_THAT(FindingsOf(judge, 0), IsEmpty());
  // Restored from an older backup.
  Write(90);
  const auto ahead =
      AllOf(IsFinding(Severity::kFailed, "ahead_of_primary", "db2"), Field(&Finding::drains, true),
            Says("0-1-100, the primary is at 0-1-90"));
  EXPECT_THAT(FindingsOf(judge, 1), Contains(ahead));
  // The same number, of another server: another history.
  Write(100);
  db3_.identity.replicated = Position("0-9-100");
  EXPECT_THAT(FindingsOf(judge, 2), IsEmpty());
  EXPECT_THAT(FindingsOf(judge, 3),
              ElementsAre(IsFinding(Severity::kFailed, "ahead_of_primary", "db3")));
}

TEST_F(MariaJudgeTest, TakesAPrimaryThatWasAReplicaForWhatItHasReplicatedToo) {
  primary_.identity.written = {};
  primary_.identity.current = Position("0-1-100");
  MariaJudge judge(inventory_);
  EXPECT_THAT(FindingsOf(judge, 0), IsEmpty());
  EXPECT_THAT(FindingsOf(judge, 1), IsEmpty());
  // Its server_id was changed: what it wrote before is in its binary log alone.
  primary_.identity.written = Position("0-1-100");
  primary_.identity.current = {};
  EXPECT_THAT(FindingsOf(judge, 2), IsEmpty());
}

TEST_F(MariaJudgeTest, TellsWhenAReplicaIsWrittenToByItselfAndForgetsItInTime) {
  MariaJudge judge(inventory_);
  // What it wrote before it became a replica is no news.
  db2_.identity.binlog_state = {{0, 1, 100}, {0, 2, 50}};
  EXPECT_THAT(FindingsOf(judge, 0), IsEmpty());
  db2_.identity.binlog_state = {{0, 1, 100}, {0, 2, 101}};
  EXPECT_THAT(
      FindingsOf(judge, 1),
      ElementsAre(AllOf(IsFinding(Severity::kDegraded, "own_writes", "db2"), Says("0-2-101"))));
  EXPECT_THAT(FindingsOf(judge, 500),
              ElementsAre(IsFinding(Severity::kDegraded, "own_writes", "db2")));
  EXPECT_THAT(FindingsOf(judge, 602), IsEmpty());
}

TEST_F(MariaJudgeTest, FailsASilentReplicaOnlyOnceThePrimaryConfirmsThatItIsGone) {
  MariaJudge judge(inventory_);
  EXPECT_THAT(FindingsOf(judge, 0), IsEmpty());
  MariaObservation seen = Seen(At(1));
  seen.replicas.at("db2") = absl::DeadlineExceededError("no answer within 1s");
  EXPECT_THAT(judge.Judge(seen, At(1)).findings,
              ElementsAre(IsFinding(Severity::kUnknown, "timeout", "db2")));
  // The other one accounts for the one that is left.
  seen.primary->fed = 1;
  EXPECT_THAT(judge.Judge(seen, At(2)).findings,
              ElementsAre(IsFinding(Severity::kUnknown, "timeout", "db2"),
                          IsFinding(Severity::kFailed, "not_streaming", "db2")));
  MariaJudge fresh(inventory_);
  EXPECT_THAT(fresh.Judge(seen, At(2)).findings,
              ElementsAre(IsFinding(Severity::kUnknown, "timeout", "db2")));
}

TEST_F(MariaJudgeTest, HoldsAReplicaThatIsOutToItsWord) {
  inventory_.replicas[1].out = true;
  EXPECT_THAT(Findings(), ElementsAre(IsFinding(Severity::kFailed, "still_in_use", "db3")));
  db3_.links->front().receiver = "No";
  EXPECT_THAT(Findings(), ElementsAre(AllOf(IsFinding(Severity::kFailed, "still_in_use", "db3"),
                                            Says("still applies"))));
  db3_.links->front().applier = "No";
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(MariaJudgeTest, IsUnknownWhenMoreAreFedThanCanBeToldApartAndOneOfThemMayBeOut) {
  inventory_.replicas[1] = {.name = "db3", .dsn = "", .out = true};
  MariaJudge judge(inventory_);
  MariaObservation seen = Seen(At(0));
  seen.replicas.erase("db3");
  EXPECT_THAT(judge.Judge(seen, At(0)).findings,
              ElementsAre(AllOf(IsFinding(Severity::kUnknown, "still_in_use", "db3"),
                                Says("feeds 2 servers, of which 1 can be told apart"))));
  seen.primary->fed = 1;
  EXPECT_THAT(judge.Judge(seen, At(1)).findings, IsEmpty());
}

TEST_F(MariaJudgeTest, SaysWhichRightIsMissingAndForWhat) {
  primary_.log_end = absl::PermissionDeniedError("denied");
  db2_.links = absl::PermissionDeniedError("denied");
  EXPECT_THAT(Findings(),
              ElementsAre(AllOf(IsFinding(Severity::kUnknown, "no_privilege", "primary"),
                                Says("run GRANT BINLOG MONITOR ON *.* TO 'headgate'@'%' there")),
                          AllOf(IsFinding(Severity::kUnknown, "no_privilege", "db2"),
                                Says("run GRANT SLAVE MONITOR ON *.* TO 'headgate'@'%' there"))));
}

TEST_F(MariaJudgeTest, KnowsTwoDeclaredServersThatAreOneAndAServerThatItCannotJudge) {
  db3_ = db2_;
  EXPECT_THAT(Findings(), Contains(IsFinding(Severity::kFailed, "same_server", "db3")));
  db3_.identity.version_name = "8.0.36";
  db3_.identity.version = 0;
  EXPECT_THAT(Findings(), Contains(IsFinding(Severity::kUnknown, "unsupported_version", "db3")));
}

TEST_F(MariaJudgeTest, StillJudgesReplicasWithoutThePrimary) {
  MariaJudge judge(inventory_);
  MariaObservation seen = Seen(At(0));
  seen.primary = absl::DeadlineExceededError("no answer within 1s");
  seen.replicas.at("db2")->links->front().applier = "No";
  EXPECT_THAT(judge.Judge(seen, At(0)).findings,
              ElementsAre(IsFinding(Severity::kUnknown, "timeout", "primary"),
                          IsFinding(Severity::kFailed, "not_applying", "db2")));
}

}  // namespace
}  // namespace headgate::database
