// Against real servers: a primary, a physical standby and a logical replica of tests/support/lab.
#include "controller/database/postgres_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>

#include "tests/controller/database/trio.h"

namespace headgate::database {
namespace {

using ::headgate::testing::WaitUntil;
using ::testing::Contains;
using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class PostgresProbeTest : public TrioTest {
 protected:
  void SetUp() override { WaitUntilHealthy(Duration(15'000)); }
};

TEST_F(PostgresProbeTest, FindsNothingWrongWithAHealthyTrio) {
  PostgresProbe probe(Trio());
  lab_->Sql("db1", "UPDATE products SET stock = stock - 1 WHERE id < 50");
  // A replica may be a moment behind, and that is no finding.
  EXPECT_THAT(probe.Look(clock_).findings, IsEmpty());
  EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
  const Report report = probe.Look(clock_);
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_LE(report.lag, Trio().lag_soft);
}

TEST_F(PostgresProbeTest, SeesLagGrowWhileReplayIsPausedWithoutWritingAnything) {
  Inventory inventory = Trio();
  inventory.lag_soft = Duration(300);
  inventory.lag_hard = Duration(1'200);
  PostgresProbe probe(inventory);
  EXPECT_THAT(probe.Look(clock_).findings, IsEmpty());
  lab_->Sql("db2", "SELECT pg_wal_replay_pause()");
  ASSERT_TRUE(WaitUntil(
      [&] { return lab_->Sql("db2", "SELECT pg_get_wal_replay_pause_state()") == "paused"; },
      Duration(5'000)));
  // Without anything to replay there is no lag, however long replay is paused.
  const Report idle = probe.Look(clock_);
  EXPECT_THAT(idle.findings, Contains(IsFinding(Severity::kDegraded, "replay_paused", "db2")));
  EXPECT_THAT(idle.findings, Not(Contains(Field(&Finding::kind, "lag"))));

  lab_->Sql("db1", "UPDATE products SET stock = stock - 1 WHERE id = 1");
  bool was_degraded = false;
  Report report;
  EXPECT_TRUE(WaitUntil(
      [&] {
        report = probe.Look(clock_);
        was_degraded =
            was_degraded ||
            std::any_of(report.findings.begin(), report.findings.end(), [](const Finding& finding) {
              return finding.kind == "lag" && finding.severity == Severity::kDegraded;
            });
        return report.lag > inventory.lag_hard;
      },
      Duration(10'000)));
  EXPECT_TRUE(was_degraded);
  EXPECT_THAT(report.findings, Contains(IsFinding(Severity::kFailed, "lag", "db2")));
  EXPECT_THAT(report.findings, Not(Contains(Field(&Finding::server, "db3"))));

  lab_->Sql("db2", "SELECT pg_wal_replay_resume()");
  EXPECT_TRUE(WaitUntil([&] { return probe.Look(clock_).findings.empty(); }, Duration(5'000)));
}

TEST_F(PostgresProbeTest, ReportsAKilledStandbyAsUnreachableAtOnceAndSeesItComeBack) {
  PostgresProbe probe(Trio());
  EXPECT_THAT(probe.Look(clock_).findings, IsEmpty());
  lab_->Do("kill db2");
  EXPECT_THAT(probe.Look(clock_).findings,
              Contains(IsFinding(Severity::kFailed, "unreachable", "db2")));
  lab_->Do("start db2");
  EXPECT_TRUE(WaitUntil([&] { return probe.Look(clock_).findings.empty(); }, Duration(10'000)));
}

TEST_F(PostgresProbeTest, ReportsAStandbyThatIsCutOffFromItsPrimary) {
  PostgresProbe probe(Trio());
  lab_->Sql("db2", "ALTER SYSTEM SET primary_conninfo = ''");
  lab_->Sql("db2", "SELECT pg_reload_conf()");
  Report report;
  EXPECT_TRUE(WaitUntil(
      [&] {
        report = probe.Look(clock_);
        return !report.findings.empty();
      },
      Duration(10'000)));
  EXPECT_THAT(report.findings, Contains(IsFinding(Severity::kFailed, "not_streaming", "db2")));
  // pg_basebackup wrote the setting to the same file, which RESET would lose.
  lab_->Sql("db2", "ALTER SYSTEM SET primary_conninfo = '" + lab_->Dsn("db1") +
                       " user=postgres application_name=db2'");
  lab_->Sql("db2", "SELECT pg_reload_conf()");
}

TEST_F(PostgresProbeTest, AnswersWithinItsDeadlineWhenAServerHangs) {
  PostgresProbe probe(Trio());
  EXPECT_THAT(probe.Look(clock_).findings, IsEmpty());
  lab_->Do("pause db2");
  // On the connection that it had, and then on a new one, which the kernel accepts.
  for (int i = 0; i < 2; ++i) {
    const TimePoint began = clock_.Now();
    const Report report = probe.Look(clock_);
    EXPECT_LT(clock_.Now() - began, Duration(2'500));
    EXPECT_THAT(report.findings, Contains(IsFinding(Severity::kUnknown, "timeout", "db2")));
    EXPECT_THAT(report.findings, Each(Field(&Finding::server, "db2")));
  }
  lab_->Do("resume db2");
}

TEST_F(PostgresProbeTest, StillJudgesTheReplicasWhenThePrimaryHangs) {
  PostgresProbe probe(Trio());
  lab_->Do("pause db1");
  const Report report = probe.Look(clock_);
  lab_->Do("resume db1");
  EXPECT_THAT(report.findings,
              ::testing::ElementsAre(IsFinding(Severity::kUnknown, "timeout", "primary")));
}

TEST_F(PostgresProbeTest, ReturnsSoonWhenInterrupted) {
  PostgresProbe probe(Trio());
  lab_->Do("pause db1");
  const TimePoint began = clock_.Now();
  std::thread interrupter([&] { probe.Interrupt(); });
  const Report report = probe.Look(clock_);
  interrupter.join();
  lab_->Do("resume db1");
  EXPECT_LT(clock_.Now() - began, Duration(800));
  EXPECT_THAT(report.findings, Contains(IsFinding(Severity::kUnknown, "error", "primary")));
}

TEST_F(PostgresProbeTest, ReportsAReplicaThatIsDeclaredOutAndStillFed) {
  Inventory inventory = Trio();
  inventory.replicas[0] = {.name = "db2", .dsn = "", .kind = ReplicaKind::kPhysical, .out = true};
  inventory.replicas[1].out = true;
  PostgresProbe probe(inventory);
  const Report report = probe.Look(clock_);
  EXPECT_THAT(report.findings, Contains(IsFinding(Severity::kFailed, "still_in_use", "db2")));
  EXPECT_THAT(report.findings, Contains(IsFinding(Severity::kFailed, "still_in_use", "db3")));
  lab_->Do("stop db2");
  lab_->Sql("db3", "ALTER SUBSCRIPTION db3 DISABLE");
  EXPECT_TRUE(WaitUntil([&] { return probe.Look(clock_).findings.empty(); }, Duration(5'000)));
  lab_->Do("start db2");
  lab_->Sql("db3", "ALTER SUBSCRIPTION db3 ENABLE");
}

TEST_F(PostgresProbeTest, ReportsASubscriptionThatIsDisabledOrFailsToApply) {
  PostgresProbe probe(Trio());
  EXPECT_THAT(probe.Look(clock_).findings, IsEmpty());
  lab_->Sql("db3", "ALTER SUBSCRIPTION db3 DISABLE");
  EXPECT_THAT(probe.Look(clock_).findings,
              Contains(IsFinding(Severity::kFailed, "subscription_disabled", "db3")));
  lab_->Sql("db3", "ALTER SUBSCRIPTION db3 ENABLE");

  lab_->Sql("db3", "ALTER TABLE products ADD CHECK (stock > -5)");
  lab_->Sql("db1", "UPDATE products SET stock = -10 WHERE id = 7");
  EXPECT_TRUE(WaitUntil(
      [&] {
        const Report report = probe.Look(clock_);
        return std::any_of(
            report.findings.begin(), report.findings.end(), [](const Finding& finding) {
              return finding.kind == "apply_errors" && finding.severity == Severity::kFailed;
            });
      },
      Duration(15'000)));
  lab_->Sql("db3", "ALTER TABLE products DROP CONSTRAINT products_stock_check");
}

TEST_F(PostgresProbeTest, RecognisesAReplicaOfAnotherDatabase) {
  Inventory inventory = Trio();
  inventory.replicas[0].dsn = lab_->Dsn("db3");
  inventory.replicas.pop_back();
  PostgresProbe probe(inventory);
  const Report report = probe.Look(clock_);
  EXPECT_THAT(report.findings,
              Contains(::testing::AllOf(IsFinding(Severity::kFailed, "wrong_system", "db2"),
                                        Field(&Finding::drains, true))));
  EXPECT_THAT(report.findings, Contains(IsFinding(Severity::kFailed, "wrong_role", "db2")));
}

TEST_F(PostgresProbeTest, RecognisesAReplicaWhoseDsnLeadsToAnotherDatabaseOfTheSameServer) {
  Inventory inventory = Trio();
  inventory.replicas[0].dsn += " dbname=postgres";
  inventory.replicas.pop_back();
  PostgresProbe probe(inventory);
  EXPECT_THAT(probe.Look(clock_).findings,
              ::testing::ElementsAre(IsFinding(Severity::kFailed, "wrong_database", "db2")));
}

TEST_F(PostgresProbeTest, RecognisesAServerThatIsDeclaredTwiceAndAPrimaryThatIsNone) {
  Inventory inventory = Trio();
  inventory.primary_dsn = lab_->Dsn("db2");
  inventory.replicas.pop_back();
  PostgresProbe probe(inventory);
  const Report report = probe.Look(clock_);
  EXPECT_THAT(report.findings, Contains(IsFinding(Severity::kFailed, "wrong_role", "primary")));
  EXPECT_THAT(report.findings, Contains(IsFinding(Severity::kFailed, "same_server", "db2")));
}

TEST_F(PostgresProbeTest, IsUnknownWithoutTheRightsAndSaysWhichAreMissing) {
  Inventory inventory = Trio();
  inventory.primary_dsn = lab_->GuestDsn("db1");
  inventory.replicas[0].dsn = lab_->GuestDsn("db2");
  inventory.replicas[1].dsn = lab_->GuestDsn("db3");
  PostgresProbe probe(inventory);
  const Report report = probe.Look(clock_);
  for (const char* server : {"primary", "db2", "db3"}) {
    EXPECT_THAT(report.findings,
                Contains(::testing::AllOf(IsFinding(Severity::kUnknown, "no_privilege", server),
                                          Says("GRANT pg_monitor TO guest"))));
  }
  EXPECT_THAT(report.findings, Each(Field(&Finding::severity, Severity::kUnknown)));
}

TEST_F(PostgresProbeTest, IsUnknownWhenTheServerRefusesTheUser) {
  Inventory inventory = Trio();
  inventory.replicas[0].dsn += " user=nobody password=hunter2";
  PostgresProbe probe(inventory);
  const Report report = probe.Look(clock_);
  EXPECT_THAT(report.findings, Contains(IsFinding(Severity::kUnknown, "no_privilege", "db2")));
  EXPECT_THAT(report.findings, Each(Field(&Finding::text, Not(HasSubstr("hunter2")))));
}

TEST_F(PostgresProbeTest, ItsSessionsCanWriteNothingAndSeeAllRows) {
  PostgresSession session(lab_->Dsn("db1") + " user=shop");
  const auto ask = [&](const std::string& sql) {
    session.Begin({{.sql = sql, .parameters = {}}}, PostgresSession::Deadlines(), clock_.Now());
    RunSessions({&session}, clock_, -1);
    return session.Answers().front();
  };
  EXPECT_THAT(std::string(ask("DELETE FROM public.orders WHERE id = 1").status().message()),
              HasSubstr("read-only transaction"));
  lab_->Sql("db1", "ALTER TABLE orders ENABLE ROW LEVEL SECURITY");
  EXPECT_THAT(std::string(ask("SELECT count(*) FROM public.orders").status().message()),
              HasSubstr("row-level security"));
  lab_->Sql("db1", "ALTER TABLE orders DISABLE ROW LEVEL SECURITY");
  EXPECT_EQ(ask("SELECT current_setting('search_path')")->front().front(), "pg_catalog");
  EXPECT_TRUE(absl::IsDeadlineExceeded(ask("SELECT pg_sleep(5)").status()));
}

}  // namespace
}  // namespace headgate::database
