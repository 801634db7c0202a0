// Load on real MariaDB servers: what a look sees of it, that it never drains, and that what a
// missing right hides is not taken for health.
#include <fmt/format.h>
#include <mysql.h>

#include <cstdint>
#include <memory>
#include <thread>

#include "controller/database/maria_probe.h"
#include "tests/controller/database/maria_compared.h"
#include "tests/support/process.h"

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

// Somebody at work, whose statements may fail.
class MariaClient {
 public:
  explicit MariaClient(const std::string& socket) : connection_(mysql_init(nullptr), &mysql_close) {
    mysql_real_connect(connection_.get(), nullptr, "root", nullptr, "shop", 0, socket.c_str(), 0);
  }
  bool Do(const std::string& sql) {
    const bool is_done = mysql_real_query(connection_.get(), sql.data(), sql.size()) == 0;
    mysql_free_result(mysql_store_result(connection_.get()));
    return is_done;
  }

 private:
  const std::unique_ptr<MYSQL, decltype(&mysql_close)> connection_;
};

constexpr const char* kRowWaited =
    "information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'INNODB_ROW_LOCK_CURRENT_WAITS' AND "
    "VARIABLE_VALUE = 1";

class MariaLoadTest : public MariaComparedTest {
 protected:
  static MariaClient OnPrimary() { return MariaClient(lab_->db1().socket()); }

  static bool Has(const Report& report, const std::string& kind) {
    return std::ranges::any_of(report.findings,
                               [&](const Finding& finding) { return finding.kind == kind; });
  }
  // The load is looked at with every fifth look.
  Report LookUntil(MariaProbe& probe, const std::string& kind) {
    Report report;
    testing::WaitUntil(
        [&] {
          report = probe.Look(clock_);
          return Has(report, kind);
        },
        Duration(20'000));
    return report;
  }
  static bool WaitUntilCounted(const std::string& from, const std::string& count) {
    return testing::WaitUntil(
        [&] { return lab_->db1().Sql("SELECT COUNT(*) FROM " + from) == count; }, Duration(10'000));
  }
};

TEST_F(MariaLoadTest, OfAnIdlePairIsNone) {
  MariaProbe probe(Pair(), {});
  const Report report = probe.Look(clock_);
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_THAT(report.notes, IsEmpty());
}

TEST_F(MariaLoadTest, OfManyConnectionsIsSeenOnEachServerAgainstItsOwnLimit) {
  lab_->db1().Sql("SET GLOBAL max_connections = 40");
  lab_->db2().Sql("SET GLOBAL max_connections = 10");
  std::vector<std::unique_ptr<MariaClient>> clients;
  for (int i = 0; i < 9; ++i) {
    clients.push_back(std::make_unique<MariaClient>(lab_->db2().socket()));
  }
  Inventory inventory = Pair();
  inventory.bounds.connections_ppm = {.soft = 500'000, .hard = 900'000};
  MariaProbe probe(inventory, {});
  const Report report = probe.Look(clock_);
  clients.clear();
  lab_->db1().Sql("SET GLOBAL max_connections = DEFAULT");
  lab_->db2().Sql("SET GLOBAL max_connections = DEFAULT");
  EXPECT_THAT(report.findings, ElementsAre(AllOf(IsFinding(Severity::kFailed, "connections", "db2"),
                                                 Says("10 of 10 connections are taken"),
                                                 Field(&Finding::drains, false))));
}

TEST_F(MariaLoadTest, OfALongTransactionAndWhoeverWaitsForItsLockIsSeenWhateverTheTimeZone) {
  lab_->db1().Sql("SET GLOBAL time_zone = '+07:00'");
  Inventory inventory = Pair();
  inventory.bounds.longest_transaction = Duration(1);
  inventory.bounds.lock_wait = Duration(1);
  MariaClient holder = OnPrimary();
  ASSERT_TRUE(holder.Do("START TRANSACTION"));
  ASSERT_TRUE(holder.Do("UPDATE items SET a = a + 1 WHERE id = 1"));
  std::thread row([] { OnPrimary().Do("UPDATE items SET a = a WHERE id = 1"); });
  EXPECT_TRUE(WaitUntilCounted(kRowWaited, "1"));
  std::thread table([] { OnPrimary().Do("ALTER TABLE items COMMENT = ''"); });
  // InnoDB tells the same again to whoever asks again within 100 ms.
  EXPECT_TRUE(WaitUntilCounted(
      "information_schema.PROCESSLIST WHERE STATE = 'Waiting for table metadata lock' AND "
      "TIME_MS > 150",
      "1"));
  MariaProbe probe(inventory, {});
  const Report report = probe.Look(clock_);
  ASSERT_TRUE(holder.Do("ROLLBACK"));
  row.join();
  table.join();
  lab_->db1().Sql("SET GLOBAL time_zone = DEFAULT");
  EXPECT_THAT(report.findings,
              Contains(AllOf(IsFinding(Severity::kDegraded, "long_transaction", "primary"),
                             Says("root of shop (thread "), Says(", sleep)"))));
  // A transaction of hours would be told in them.
  EXPECT_THAT(report.findings, Not(Contains(AllOf(Field(&Finding::kind, "long_transaction"),
                                                  Says("has been open for 7h")))));
  EXPECT_THAT(report.findings,
              Contains(AllOf(IsFinding(Severity::kDegraded, "lock_waits", "primary"),
                             Says("2 wait for locks"))));
  EXPECT_THAT(report.findings, Each(Field(&Finding::drains, false)));
}

TEST_F(MariaLoadTest, OfDeadlocksRollbacksAndRowLocksIsCounted) {
  Inventory inventory = Pair();
  inventory.bounds.deadlocks_per_minute = 0;
  inventory.bounds.rollbacks_sample = 50;
  inventory.bounds.lock_wait = Duration(1);
  MariaProbe probe(inventory, {});
  EXPECT_FALSE(Has(probe.Look(clock_), "deadlocks"));
  // Each takes one row and wants the other's; one of them is the victim.
  MariaClient first = OnPrimary();
  MariaClient second = OnPrimary();
  ASSERT_TRUE(first.Do("START TRANSACTION") && second.Do("START TRANSACTION"));
  ASSERT_TRUE(first.Do("UPDATE items SET a = a + 1 WHERE id = 1"));
  ASSERT_TRUE(second.Do("UPDATE items SET a = a + 1 WHERE id = 2"));
  bool is_first_done = false;
  std::thread other([&] { is_first_done = first.Do("UPDATE items SET a = a + 1 WHERE id = 2"); });
  EXPECT_TRUE(WaitUntilCounted(kRowWaited, "1"));
  const bool is_second_done = second.Do("UPDATE items SET a = a + 1 WHERE id = 1");
  other.join();
  EXPECT_NE(is_first_done, is_second_done);
  for (int i = 0; i < 60; ++i) {
    first.Do("START TRANSACTION");
    first.Do("UPDATE items SET a = a + 1 WHERE id = 1");
    first.Do("ROLLBACK");
  }
  const Report report = LookUntil(probe, "deadlocks");
  EXPECT_THAT(report.findings,
              Contains(AllOf(IsFinding(Severity::kDegraded, "deadlocks", "primary"),
                             Says("1 deadlocks in the last"))));
  EXPECT_THAT(report.findings, Contains(IsFinding(Severity::kFailed, "rollbacks", "primary")));
}

TEST_F(MariaLoadTest, OfActiveThreadsIsCountedWithoutOursAndThoseThatFeedReplicas) {
  MariaProbe unasked(Pair(), {});
  EXPECT_FALSE(unasked.Look(clock_).active_backends.has_value());
  Inventory inventory = Pair();
  inventory.counts_active = true;
  MariaProbe probe(inventory, {});
  // Connections of those who have just left are ended by threads that are active.
  const auto counts = [&](std::int64_t active) {
    return test::Eventually([&] { return probe.Look(clock_).active_backends == active; });
  };
  EXPECT_TRUE(counts(0));
  MariaClient holder = OnPrimary();
  ASSERT_TRUE(holder.Do("SELECT GET_LOCK('held', 0)"));
  std::vector<std::thread> busy;
  for (int i = 0; i < 3; ++i) {
    busy.emplace_back([] { OnPrimary().Do("SELECT GET_LOCK('held', 60)"); });
  }
  EXPECT_TRUE(WaitUntilCounted("information_schema.PROCESSLIST WHERE STATE = 'User lock'", "3"));
  EXPECT_TRUE(counts(3));
  ASSERT_TRUE(holder.Do("SELECT RELEASE_LOCK('held')"));
  for (std::thread& thread : busy) thread.join();
}

TEST_F(MariaLoadTest, OfWhomARightIsMissingIsUnknownAndSaysWhichAndForWhat) {
  Both("REVOKE PROCESS ON *.* FROM headgate@'%'");
  MariaProbe probe(Pair(), {});
  const Report report = probe.Look(clock_);
  Both("GRANT PROCESS ON *.* TO headgate@'%'");
  EXPECT_THAT(report.findings,
              ElementsAre(AllOf(IsFinding(Severity::kUnknown, "load_unread", "primary"),
                                Says("the primary: needs PROCESS: its lock waits and its longest "
                                     "transaction are unknown: run GRANT PROCESS ON *.* TO "
                                     "'headgate'@'%' there")),
                          AllOf(IsFinding(Severity::kUnknown, "load_unread", "db2"),
                                Says("replica db2: needs PROCESS: its lock waits"))));
  MariaProbe after(Pair(), {});
  EXPECT_THAT(after.Look(clock_).findings, IsEmpty());
}

}  // namespace
}  // namespace headgate::database
