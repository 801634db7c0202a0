// Load on real servers: what a look sees of it, and that it never drains.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <memory>
#include <string>
#include <thread>

#include "tests/controller/database/trio.h"

namespace headgate::database {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::Field;

// Somebody at work, whose statements may fail.
class Client {
 public:
  explicit Client(const std::string& dsn)
      : connection_(PQconnectdb((dsn + " user=postgres application_name=app").c_str()), &PQfinish) {
    PQsetNoticeProcessor(
        connection_.get(), [](void*, const char*) {}, nullptr);
  }
  bool Do(const std::string& sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexec(connection_.get(), sql.c_str()), &PQclear);
    const auto status = PQresultStatus(result.get());
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
  }

 private:
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

class LoadTest : public TrioTest {};

TEST_F(LoadTest, ManyConnectionsAreSeenAgainstWhatOrdinaryRolesMayHave) {
  Inventory inventory = Trio();
  // Of 117: three are under, and our own and these are over.
  inventory.bounds.connections_ppm = {.soft = 80'000, .hard = 900'000};
  PostgresProbe probe(inventory);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 12; ++i) clients.push_back(std::make_unique<Client>(lab_->Dsn("db1")));
  const Report report = probe.Look(clock_);
  EXPECT_THAT(report.findings,
              Contains(AllOf(IsFinding(Severity::kDegraded, "connections", "primary"),
                             Says("of 117 connections are taken"))));
  EXPECT_THAT(report.findings, Each(Field(&Finding::drains, false)));
}

TEST_F(LoadTest, ALongTransactionAndWhoeverWaitsForItsLockAreSeen) {
  Inventory inventory = Trio();
  inventory.bounds.longest_transaction = Duration(300);
  inventory.bounds.lock_wait = Duration(200);
  PostgresProbe probe(inventory);
  Client holder(lab_->Dsn("db1"));
  ASSERT_TRUE(holder.Do("BEGIN"));
  ASSERT_TRUE(holder.Do("UPDATE products SET stock = stock WHERE id = 1"));
  std::thread waiter(
      [] { Client(lab_->Dsn("db1")).Do("UPDATE products SET stock = stock WHERE id = 1"); });
  const Report report = LookUntil(probe, "lock_waits");
  ASSERT_TRUE(holder.Do("ROLLBACK"));
  waiter.join();
  EXPECT_THAT(report.findings,
              Contains(AllOf(IsFinding(Severity::kDegraded, "long_transaction", "primary"),
                             Says("app of postgres"), Says("idle in transaction"))));
  EXPECT_THAT(report.findings,
              Contains(AllOf(IsFinding(Severity::kDegraded, "lock_waits", "primary"),
                             Says("1 wait for locks"))));
}

TEST_F(LoadTest, DeadlocksAndRollbacksAreCounted) {
  Inventory inventory = Trio();
  inventory.bounds.deadlocks_per_minute = 0;
  // Our own looks, one behind the other, are most of the transactions.
  inventory.bounds.rollbacks_ppm = {.soft = 100, .hard = 500};
  inventory.bounds.rollbacks_sample = 50;
  PostgresProbe probe(inventory);
  EXPECT_FALSE(Has(probe.Look(clock_), "deadlocks"));
  // Each takes one row and wants the other's; whoever comes second is the victim.
  const auto take = [](int first, int second) {
    Client client(lab_->Dsn("db1"));
    client.Do("BEGIN");
    client.Do("UPDATE products SET stock = stock WHERE id = " + std::to_string(first));
    // Until the other has its first row, too.
    testing::WaitUntil(
        [] {
          return lab_->Sql("db1",
                           "SELECT count(*) >= 2 FROM pg_stat_activity WHERE application_name = "
                           "'app' AND query LIKE 'UPDATE products%' AND (state = 'idle in "
                           "transaction' OR wait_event_type = 'Lock')") == "t";
        },
        Duration(10'000));
    client.Do("UPDATE products SET stock = stock WHERE id = " + std::to_string(second));
    client.Do("COMMIT");
  };
  std::thread other(take, 2, 1);
  take(1, 2);
  other.join();
  Client client(lab_->Dsn("db1"));
  for (int i = 0; i < 100; ++i) {
    client.Do("BEGIN");
    client.Do("SELECT 1");
    client.Do("ROLLBACK");
  }
  const Report report = LookUntil(probe, "deadlocks");
  EXPECT_THAT(report.findings, Contains(IsFinding(Severity::kDegraded, "deadlocks", "primary")));
  EXPECT_THAT(LookUntil(probe, "rollbacks").findings,
              Contains(IsFinding(Severity::kFailed, "rollbacks", "primary")));
}

TEST_F(LoadTest, ActiveBackendsAreCountedWhereTheyAreAskedFor) {
  PostgresProbe unasked(Trio());
  EXPECT_FALSE(unasked.Look(clock_).active_backends.has_value());
  Inventory inventory = Trio();
  inventory.counts_active = true;
  PostgresProbe probe(inventory);
  std::vector<std::thread> busy;
  for (int i = 0; i < 3; ++i) {
    busy.emplace_back([] { Client(lab_->Dsn("db1")).Do("SELECT pg_sleep(3)"); });
  }
  std::optional<std::int64_t> most;
  testing::WaitUntil(
      [&] {
        most = std::max(most, probe.Look(clock_).active_backends);
        return most >= 3;
      },
      Duration(10'000));
  for (std::thread& thread : busy) thread.join();
  EXPECT_EQ(most, 3);
  lab_->Do("pause db1");
  EXPECT_FALSE(probe.Look(clock_).active_backends.has_value());
  lab_->Do("resume db1");
}

}  // namespace
}  // namespace headgate::database
