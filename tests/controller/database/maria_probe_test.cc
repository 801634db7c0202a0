// Against real servers: a primary and a replica of maria_lab.h.
#include "controller/database/maria_probe.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <memory>
#include <string>
#include <thread>

#include "controller/database/maria_session.h"
#include "tests/controller/database/finding_matchers.h"
#include "tests/controller/database/lab.h"
#include "tests/controller/database/maria_lab.h"
#include "tests/support/relay.h"

namespace headgate::database {
namespace {

using ::headgate::testing::MariaLab;
using ::headgate::testing::MariaServer;
using ::headgate::testing::WaitUntil;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class MariaProbeTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { lab_ = std::make_unique<MariaLab>(); }
  static void TearDownTestSuite() { lab_.reset(); }

  static Inventory Pair() {
    Inventory inventory;
    inventory.name = "orders";
    inventory.engine = Engine::kMariadb;
    inventory.primary_dsn = lab_->Dsn(lab_->db1());
    inventory.replicas = {{.name = "db2", .dsn = lab_->Dsn(lab_->db2())}};
    return inventory;
  }

  // Each test leaves the servers as it found them.
  void SetUp() override {
    MariaProbe probe(Pair(), {});
    Report report;
    ASSERT_TRUE(WaitUntil(
        [&] {
          report = probe.Look(clock_);
          return report.findings.empty();
        },
        Duration(15'000)))
        << report.findings.front().text;
  }

  // The findings of the first look that has one of this kind, or of the last one.
  std::vector<Finding> WaitFor(Probe& probe, const std::string& kind) {
    std::vector<Finding> findings;
    WaitUntil(
        [&] {
          findings = probe.Look(clock_).findings;
          return std::any_of(findings.begin(), findings.end(),
                             [&](const Finding& finding) { return finding.kind == kind; });
        },
        Duration(15'000));
    return findings;
  }
  bool BecomesHealthy(Probe& probe) {
    return WaitUntil([&] { return probe.Look(clock_).findings.empty(); }, Duration(15'000));
  }

  static std::unique_ptr<MariaLab> lab_;
  SteadyClock clock_;
};

std::unique_ptr<MariaLab> MariaProbeTest::lab_;

TEST_F(MariaProbeTest, FindsNothingWrongWithAHealthyPair) {
  MariaProbe probe(Pair(), {});
  EXPECT_THAT(probe.Look(clock_).findings, IsEmpty());
  EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
}

TEST_F(MariaProbeTest, FindsNothingWrongWhileThePrimaryIsWrittenToAllTheTime) {
  MariaProbe probe(Pair(), {});
  std::atomic<bool> stops = false;
  std::thread writer([&] {
    while (!stops) {
      lab_->db1().Sql(
          "INSERT INTO shop.orders (customer_id, quantity, status) "
          "SELECT 1, seq, 'new' FROM shop.seq_1_to_200");
    }
  });
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(probe.Look(clock_).findings, IsEmpty());
    EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
  }
  stops = true;
  writer.join();
  EXPECT_TRUE(lab_->Catches());
}

TEST_F(MariaProbeTest, TellsASqlThreadThatIsStoppedAndLagInTimeWithoutWritingAnything) {
  Inventory inventory = Pair();
  inventory.lag_soft = Duration(200);
  inventory.lag_hard = Duration(800);
  MariaProbe probe(inventory, {});
  EXPECT_THAT(probe.Look(clock_).findings, IsEmpty());
  lab_->db2().Sql("STOP SLAVE SQL_THREAD");
  EXPECT_THAT(probe.Look(clock_).findings,
              ElementsAre(IsFinding(Severity::kFailed, "not_applying", "db2")));
  const std::string written = lab_->db1().Sql("SELECT @@gtid_binlog_pos");
  lab_->db1().Sql("UPDATE shop.orders SET total = total + 1 WHERE id = 1");
  Report report;
  EXPECT_TRUE(WaitUntil(
      [&] {
        report = probe.Look(clock_);
        return report.lag > inventory.lag_hard;
      },
      Duration(10'000)));
  EXPECT_THAT(report.findings, Contains(AllOf(IsFinding(Severity::kFailed, "lag", "db2"),
                                              Says("(1 transactions)"))));
  EXPECT_NE(lab_->db1().Sql("SELECT @@gtid_binlog_pos"), written);
  lab_->db2().Sql("START SLAVE SQL_THREAD");
  EXPECT_TRUE(BecomesHealthy(probe));
}

TEST_F(MariaProbeTest, TellsWhyTheSqlThreadStoppedWithoutTheStatement) {
  lab_->db2().Sql(
      "SET sql_log_bin = 0; INSERT INTO shop.customers (id, first_name, last_name) "
      "VALUES (77, 'x', 'y')");
  lab_->db1().Sql(
      "INSERT INTO shop.customers (id, first_name, last_name) "
      "VALUES (77, 'secret', 'y')");
  MariaProbe probe(Pair(), {});
  const auto findings = WaitFor(probe, "not_applying");
  EXPECT_THAT(findings, Contains(AllOf(IsFinding(Severity::kFailed, "not_applying", "db2"),
                                       Says("error 1062"))));
  EXPECT_THAT(findings, Each(Field(&Finding::text, Not(HasSubstr("secret")))));
  lab_->db2().Sql("SET sql_log_bin = 0; DELETE FROM shop.customers WHERE id = 77; START SLAVE");
  EXPECT_TRUE(BecomesHealthy(probe));
}

TEST_F(MariaProbeTest, TellsAnIoThreadThatIsStopped) {
  MariaProbe probe(Pair(), {});
  lab_->db2().Sql("STOP SLAVE IO_THREAD");
  EXPECT_THAT(probe.Look(clock_).findings,
              ElementsAre(IsFinding(Severity::kFailed, "not_streaming", "db2")));
  lab_->db2().Sql("START SLAVE IO_THREAD");
  EXPECT_TRUE(BecomesHealthy(probe));
}

TEST_F(MariaProbeTest, TellsALinkThatHasStalledWhileTheReplicaSaysThatAllIsWell) {
  const std::uint16_t port = test::FreePort();
  test::Relay relay(port, lab_->db1().port());
  lab_->FeedDb2From(port);
  Inventory inventory = Pair();
  inventory.lag_soft = Duration(200);
  inventory.lag_hard = Duration(800);
  MariaProbe probe(inventory, {});
  ASSERT_TRUE(BecomesHealthy(probe));
  relay.Stall(true);
  lab_->db1().Sql("UPDATE shop.orders SET total = total + 1 WHERE id = 1");
  const auto is_failed = [](const Finding& finding) {
    return finding.kind == "lag" && finding.severity == Severity::kFailed;
  };
  std::vector<Finding> findings;
  EXPECT_TRUE(WaitUntil(
      [&] {
        findings = probe.Look(clock_).findings;
        return std::any_of(findings.begin(), findings.end(), is_failed);
      },
      Duration(10'000)));
  // Nothing else tells: both threads run, and Seconds_Behind_Master is 0.
  EXPECT_THAT(findings, ElementsAre(IsFinding(Severity::kFailed, "lag", "db2")));
  relay.Stall(false);
  EXPECT_TRUE(BecomesHealthy(probe));
  lab_->FeedDb2From(lab_->db1().port());
}

TEST_F(MariaProbeTest, TellsSettingsThatHideDifferences) {
  MariaProbe probe(Pair(), {});
  lab_->db2().Sql("SET GLOBAL slave_type_conversions = 'ALL_LOSSY'");
  EXPECT_THAT(probe.Look(clock_).findings,
              ElementsAre(IsFinding(Severity::kFailed, "type_conversions", "db2")));
  lab_->db2().Sql(
      "SET GLOBAL slave_type_conversions = ''; "
      "SET GLOBAL slave_exec_mode = IDEMPOTENT");
  EXPECT_THAT(probe.Look(clock_).findings,
              ElementsAre(IsFinding(Severity::kFailed, "exec_mode", "db2")));
  lab_->db2().Sql(
      "SET GLOBAL slave_exec_mode = STRICT; STOP SLAVE SQL_THREAD; "
      "SET GLOBAL slave_run_triggers_for_rbr = YES; START SLAVE SQL_THREAD");
  EXPECT_THAT(probe.Look(clock_).findings,
              ElementsAre(IsFinding(Severity::kDegraded, "run_triggers", "db2")));
  lab_->db2().Sql(
      "STOP SLAVE SQL_THREAD; SET GLOBAL slave_run_triggers_for_rbr = NO; "
      "START SLAVE SQL_THREAD; SET GLOBAL read_only = OFF");
  EXPECT_THAT(probe.Look(clock_).findings,
              ElementsAre(IsFinding(Severity::kDegraded, "not_read_only", "db2")));
  lab_->db2().Sql("SET GLOBAL read_only = ON");
  EXPECT_THAT(probe.Look(clock_).findings, IsEmpty());
}

TEST_F(MariaProbeTest, TellsAReplicaThatIsWrittenTo) {
  MariaProbe probe(Pair(), {});
  EXPECT_THAT(probe.Look(clock_).findings, IsEmpty());
  lab_->db2().Sql("SET gtid_domain_id = 7; UPDATE shop.orders SET total = 99 WHERE id = 1");
  EXPECT_THAT(
      probe.Look(clock_).findings,
      ElementsAre(AllOf(IsFinding(Severity::kDegraded, "own_writes", "db2"), Says("7-2-1"))));
}

TEST_F(MariaProbeTest, TellsAKilledReplicaAtOnceAndSeesItComeBack) {
  MariaProbe probe(Pair(), {});
  EXPECT_THAT(probe.Look(clock_).findings, IsEmpty());
  lab_->db2().Kill();
  EXPECT_THAT(probe.Look(clock_).findings,
              Contains(IsFinding(Severity::kFailed, "unreachable", "db2")));
  lab_->db2().Start();
  EXPECT_TRUE(BecomesHealthy(probe));
}

TEST_F(MariaProbeTest, AnswersWithinItsDeadlineWhenAServerHangs) {
  MariaProbe probe(Pair(), {});
  EXPECT_THAT(probe.Look(clock_).findings, IsEmpty());
  lab_->db2().Signal(SIGSTOP);
  // On the connection that it had, and then on a new one, which the kernel accepts.
  for (int i = 0; i < 2; ++i) {
    const TimePoint began = clock_.Now();
    const Report report = probe.Look(clock_);
    EXPECT_LT(clock_.Now() - began, Duration(2'500));
    EXPECT_THAT(report.findings, ElementsAre(IsFinding(Severity::kUnknown, "timeout", "db2")));
  }
  lab_->db2().Signal(SIGCONT);
  EXPECT_TRUE(BecomesHealthy(probe));
}

TEST_F(MariaProbeTest, AnswersWithinItsDeadlineWhenTheLinkDropsEverythingAndGoesOnAfterwards) {
  const std::uint16_t port = test::FreePort();
  test::Relay relay(port, lab_->db2().port());
  Inventory inventory = Pair();
  inventory.replicas[0].dsn = lab_->Dsn(port);
  MariaProbe probe(inventory, {});
  EXPECT_THAT(probe.Look(clock_).findings, IsEmpty());
  relay.Stall(true);
  for (int i = 0; i < 2; ++i) {
    const TimePoint began = clock_.Now();
    const Report report = probe.Look(clock_);
    EXPECT_LT(clock_.Now() - began, Duration(2'500));
    EXPECT_THAT(report.findings, ElementsAre(IsFinding(Severity::kUnknown, "timeout", "db2")));
  }
  relay.Stall(false);
  EXPECT_TRUE(BecomesHealthy(probe));
}

TEST_F(MariaProbeTest, StillJudgesTheReplicaWhenThePrimaryHangsAndReturnsSoonWhenInterrupted) {
  MariaProbe probe(Pair(), {});
  lab_->db1().Signal(SIGSTOP);
  const Report report = probe.Look(clock_);
  EXPECT_THAT(report.findings, ElementsAre(IsFinding(Severity::kUnknown, "timeout", "primary")));
  const TimePoint began = clock_.Now();
  std::thread interrupter([&] { probe.Interrupt(); });
  const Report interrupted = probe.Look(clock_);
  interrupter.join();
  lab_->db1().Signal(SIGCONT);
  EXPECT_LT(clock_.Now() - began, Duration(800));
  EXPECT_THAT(interrupted.findings, Contains(IsFinding(Severity::kUnknown, "error", "primary")));
}

TEST_F(MariaProbeTest, KnowsAReplicaOfAnotherPrimaryAndOneThatIsNone) {
  const std::unique_ptr<MariaServer> other = lab_->Another(9);
  other->Sql(
      "CREATE USER headgate@'%' IDENTIFIED BY 'hunter2'; "
      "GRANT SLAVE MONITOR, BINLOG MONITOR, SELECT ON *.* TO headgate@'%'");
  Inventory inventory = Pair();
  inventory.primary_dsn = lab_->Dsn(*other);
  MariaProbe probe(inventory, {});
  EXPECT_THAT(probe.Look(clock_).findings,
              Contains(IsFinding(Severity::kFailed, "not_fed_by_primary", "db2")));
  inventory = Pair();
  inventory.replicas.push_back({.name = "db9", .dsn = lab_->Dsn(*other)});
  MariaProbe second(inventory, {});
  EXPECT_THAT(second.Look(clock_).findings,
              Contains(IsFinding(Severity::kFailed, "wrong_role", "db9")));
}

TEST_F(MariaProbeTest, TellsAReplicaThatIsDeclaredOutAndStillFed) {
  Inventory inventory = Pair();
  inventory.replicas[0].out = true;
  MariaProbe by_its_word(inventory, {});
  EXPECT_THAT(by_its_word.Look(clock_).findings,
              ElementsAre(IsFinding(Severity::kFailed, "still_in_use", "db2")));
  inventory.replicas[0].dsn = "";
  MariaProbe by_the_primary(inventory, {});
  EXPECT_THAT(by_the_primary.Look(clock_).findings,
              ElementsAre(AllOf(IsFinding(Severity::kUnknown, "still_in_use", "db2"),
                                Says("feeds 1 servers"))));
  lab_->db2().Sql("STOP SLAVE");
  EXPECT_TRUE(BecomesHealthy(by_its_word));
  // It learns that nobody listens any more when it has something to say.
  EXPECT_TRUE(WaitUntil(
      [&] {
        lab_->db1().Sql("UPDATE shop.orders SET total = total + 1 WHERE id = 1");
        return by_the_primary.Look(clock_).findings.empty();
      },
      Duration(15'000)));
  lab_->db2().Sql("START SLAVE");
}

TEST_F(MariaProbeTest, IsUnknownWithoutTheRightsAndSaysWhichAreMissing) {
  Inventory inventory = Pair();
  inventory.primary_dsn = lab_->Dsn(lab_->db1(), "guest");
  inventory.replicas[0].dsn = lab_->Dsn(lab_->db2(), "clerk");
  MariaProbe probe(inventory, {});
  const Report look = probe.Look(clock_);
  EXPECT_THAT(look.findings,
              Contains(AllOf(IsFinding(Severity::kUnknown, "no_privilege", "primary"),
                             Says("GRANT BINLOG MONITOR ON *.* TO 'guest'@'%'"))));
  EXPECT_THAT(look.findings, Contains(AllOf(IsFinding(Severity::kUnknown, "no_privilege", "db2"),
                                            Says("GRANT SLAVE MONITOR ON *.* TO 'clerk'@'%'"))));
  EXPECT_THAT(look.findings, Each(Field(&Finding::severity, Severity::kUnknown)));
  // One of its tables is visible to the clerk: that must not pass for the whole.
  inventory.primary_dsn = Pair().primary_dsn;
  MariaProbe partial(inventory, {});
  EXPECT_THAT(partial.Fingerprint(clock_).findings,
              ElementsAre(AllOf(IsFinding(Severity::kUnknown, "schema_unread", "db2"),
                                Says("GRANT SELECT, TRIGGER, SHOW VIEW ON *.* TO 'clerk'@'%'"))));
}

TEST_F(MariaProbeTest, IsUnknownWhenTheServerRefusesTheUserAndNeverTellsAPassword) {
  lab_->db2().Sql("SET sql_log_bin = 0; ALTER USER headgate@'%' IDENTIFIED BY 'other'");
  MariaProbe probe(Pair(), {});
  const Report report = probe.Look(clock_);
  lab_->db2().Sql("SET sql_log_bin = 0; ALTER USER headgate@'%' IDENTIFIED BY 'hunter2'");
  EXPECT_THAT(report.findings, ElementsAre(IsFinding(Severity::kUnknown, "no_privilege", "db2")));
  EXPECT_THAT(report.findings, Each(Field(&Finding::text, Not(HasSubstr("hunter2")))));
}

TEST_F(MariaProbeTest, ItsSessionsReadAloneAndAreTheSameOnEveryServer) {
  lab_->db1().Sql(
      "GRANT ALL ON *.* TO guest@'%'; SET GLOBAL sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES'; "
      "SET GLOBAL time_zone = '+07:00'");
  MariaSession session(lab_->Dsn(lab_->db1(), "guest"));
  const auto ask = [&](const std::string& sql, std::vector<std::string> parameters = {}) {
    session.Begin({{.sql = sql, .parameters = std::move(parameters)}}, {}, clock_.Now());
    RunSessions({&session}, clock_, -1);
    return session.Answers().front();
  };
  for (const char* write : {"DELETE FROM shop.orders WHERE id = 1", "CREATE TABLE shop.x (id INT)",
                            "DROP TABLE shop.orders"}) {
    EXPECT_THAT(std::string(ask(write).status().message()), HasSubstr("READ ONLY")) << write;
  }
  EXPECT_EQ(ask("SELECT CONCAT(@@time_zone, @@sql_mode, @@character_set_client)")->front().front(),
            "+00:00utf8mb4");
  EXPECT_EQ(ask("SELECT ?, NULL", {"it's \\ \"é\" 𝄞?"})->front(),
            (Row{"it's \\ \"é\" 𝄞?", std::nullopt}));
  EXPECT_EQ(ask("SELECT ? AS `what?`, 2 AS `a``?`", {"x"})->front(), (Row{"x", "2"}));
  const TimePoint began = clock_.Now();
  const absl::Status slow =
      ask("SELECT 1 FROM shop.seq_1_to_2000000000 WHERE SHA1(seq) = 'x'").status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(slow)) << slow;
  EXPECT_LT(clock_.Now() - began, Duration(2'000));
  EXPECT_EQ(ask("SELECT 1")->front().front(), "1");
  lab_->db1().Sql(
      "REVOKE ALL ON *.* FROM guest@'%'; SET GLOBAL sql_mode = DEFAULT; "
      "SET GLOBAL time_zone = DEFAULT");
  EXPECT_TRUE(lab_->Catches());
}

TEST_F(MariaProbeTest, ItsSessionsGoThroughAUnixSocketAndThroughANameAndConnectAnew) {
  const auto ask = [&](MariaSession& session) {
    session.Begin({{.sql = "SELECT CONNECTION_ID()"}}, {}, clock_.Now());
    RunSessions({&session}, clock_, -1);
    return session.Answers().front();
  };
  MariaSession by_socket(fmt::format("socket={} user=root", lab_->db1().socket()));
  EXPECT_TRUE(ask(by_socket).ok()) << ask(by_socket).status();
  MariaSession by_name(fmt::format("host=localhost port={} user=guest", lab_->db1().port()));
  const auto first = ask(by_name);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(ask(by_name)->front(), first->front());
  // A connection that was lost in between is no answer.
  lab_->db1().Sql("KILL " + first->front().front().value_or(""));
  const auto again = ask(by_name);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_NE(again->front(), first->front());
}

}  // namespace
}  // namespace headgate::database
