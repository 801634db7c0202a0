// What is no outage and must not look like one, on real servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>

#include "tests/controller/database/trio.h"

namespace headgate::database {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CalmTest : public TrioTest {};

// Runs as the real one does, and can be set ahead.
class ShiftedClock final : public Clock {
 public:
  TimePoint Now() const override { return steady_.Now() + ahead_; }
  void Shift(Duration by) { ahead_ += by; }

 private:
  const SteadyClock steady_;
  Duration ahead_{0};
};

TEST_F(CalmTest, TheOrderOfColumns) {
  lab_->Sql("db1", "ALTER TABLE products ADD colour text, ADD weight integer");
  lab_->Sql("db3", "ALTER TABLE products ADD weight integer, ADD colour text");
  lab_->Sql("db1", "UPDATE products SET colour = 'red', weight = 7 WHERE id = 1");
  PostgresProbe probe(Trio());
  EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
  WaitUntilHealthy();
  lab_->Sql("db1", "ALTER TABLE products DROP colour, DROP weight");
  lab_->Sql("db3", "ALTER TABLE products DROP colour, DROP weight");
}

TEST_F(CalmTest, AnIdlePrimaryForAnHour) {
  ShiftedClock clock;
  PostgresProbe probe(Trio());
  EXPECT_THAT(probe.Look(clock).findings, IsEmpty());
  for (int minute = 0; minute < 60; ++minute) {
    clock.Shift(Duration(60'000));
    const Report report = probe.Look(clock);
    ASSERT_THAT(report.findings, IsEmpty()) << minute;
    ASSERT_LE(report.lag, Duration(1'000)) << minute;
  }
  EXPECT_THAT(probe.Fingerprint(clock).findings, IsEmpty());
}

TEST_F(CalmTest, OtherZonesStylesAndQuotesOfTheServers) {
  // Definitions with constants, which PostgreSQL writes in the session's zone and styles.
  const std::string table =
      "CREATE TABLE offers (id int PRIMARY KEY,"
      " since timestamptz DEFAULT '2024-03-31 01:30:00+00' CHECK (since > '2020-01-01 00:00+00'),"
      " lasts interval DEFAULT '1 year 2 days 03:04:05', day date DEFAULT '2024-02-01',"
      " rate float8 DEFAULT 0.1::float8 + 0.2, seal bytea DEFAULT '\\x00ff', price money DEFAULT "
      "5)";
  lab_->Sql("db1", table);
  lab_->Sql("db3", table);
  lab_->Sql("db3", "ALTER SUBSCRIPTION db3 REFRESH PUBLICATION");
  const std::vector<std::pair<std::string, std::string>> settings = {
      {"timezone", "Asia/Kolkata"},
      {"datestyle", "German"},
      {"intervalstyle", "iso_8601"},
      {"bytea_output", "escape"},
      {"extra_float_digits", "-3"},
      {"quote_all_identifiers", "on"},
      {"lc_messages", "C.UTF-8"},
      {"lc_monetary", "C.UTF-8"},
      {"lc_time", "C.UTF-8"},
      {"lc_numeric", "C.UTF-8"},
      {"default_transaction_deferrable", "on"}};
  for (const char* server : {"db2", "db3"}) {
    for (const auto& [name, value] : settings) {
      lab_->Sql(server, "ALTER SYSTEM SET " + name + " = '" + value + "'");
    }
    lab_->Sql(server, "SELECT pg_reload_conf()");
    ASSERT_TRUE(testing::WaitUntil(
        [&] { return lab_->Sql(server, "SHOW intervalstyle") == "iso_8601"; }, Duration(10'000)));
  }
  WaitUntilHealthy();
  PostgresProbe probe(Trio(), Hurried());
  EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
  EXPECT_THAT(probe.Look(clock_).findings, IsEmpty());
  for (const char* server : {"db2", "db3"}) {
    for (const auto& [name, value] : settings) lab_->Sql(server, "ALTER SYSTEM RESET " + name);
    lab_->Sql(server, "SELECT pg_reload_conf()");
  }
  lab_->Sql("db1", "DROP TABLE offers");
  lab_->Sql("db3", "DROP TABLE offers");
  lab_->Sql("db3", "ALTER SUBSCRIPTION db3 REFRESH PUBLICATION");
}

TEST_F(CalmTest, HeavyWritesMeanwhile) {
  Inventory inventory = Trio();
  // On a busy machine a replica may be late, and that is true.
  inventory.lag_soft = Duration(60'000);
  inventory.lag_hard = Duration(120'000);
  PostgresProbe probe(inventory);
  std::atomic<bool> is_over = false;
  std::atomic<int> written = 0;
  std::thread writer([&] {
    while (!is_over) {
      lab_->Sql("db1", "UPDATE products SET stock = stock + 1");
      lab_->Sql("db1",
                "INSERT INTO orders (customer_id, product_id, quantity, total) "
                "SELECT 1 + i % 2000, 1 + i % 500, 1, 5 FROM generate_series(1, 200) AS i");
      ++written;
    }
  });
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(probe.Look(clock_).findings, IsEmpty());
    EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
  }
  EXPECT_TRUE(testing::WaitUntil([&] { return written >= 10; }, Duration(30'000)));
  is_over = true;
  writer.join();
  WaitUntilHealthy();
}

TEST_F(CalmTest, HarmlessDifferencesThatAreAllowed) {
  lab_->Sql("db3", "ALTER TABLE orders ADD note text, ADD imported_at timestamptz");
  lab_->Sql("db3", "CREATE UNIQUE INDEX one_sku ON products (sku, name)");
  lab_->Sql("db1", "CREATE TABLE scratch (id int)");
  Inventory inventory = Trio();
  PostgresProbe strict(inventory, Hurried());
  EXPECT_EQ(strict.Fingerprint(clock_).findings.size(), 4U);
  inventory.allow = {"public.orders.note", "public.orders.imported_*", "public.products.one_sku",
                     "public.scratch"};
  PostgresProbe probe(inventory, Hurried());
  const Report report = probe.Fingerprint(clock_);
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_EQ(std::count_if(report.notes.begin(), report.notes.end(),
                          [](const std::string& note) { return note.starts_with("allowed: "); }),
            4);
  EXPECT_THAT(report.notes, Contains("allowed: replica db3: table public.orders: column note is "
                                     "text here; the primary has none"));
  // One that is not allowed still counts.
  inventory.allow.erase(inventory.allow.begin());
  PostgresProbe other(inventory, Hurried());
  EXPECT_THAT(other.Fingerprint(clock_).findings, ::testing::ElementsAre(Says("column note")));
  lab_->Sql("db1", "DROP TABLE scratch");
  lab_->Sql("db3", "DROP INDEX one_sku; ALTER TABLE orders DROP note, DROP imported_at");
}

}  // namespace
}  // namespace headgate::database
