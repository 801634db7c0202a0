// A primary, a standby and a logical replica of tests/support/lab whose data are compared: for the
// tests of DataComparison. Each test leaves the servers as it found them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "controller/database/postgres_checksum.h"
#include "tests/controller/database/comparing.h"
#include "tests/controller/database/lab.h"

namespace headgate::database {

class ComparedTest : public ::testing::Test {
 protected:
  using Result = Compared;

  static void SetUpTestSuite() {
    lab_ = std::make_unique<testing::DatabaseLab>();
    const std::string items =
        "CREATE TABLE items (id bigint PRIMARY KEY, a int, b text, n numeric, at timestamptz)";
    lab_->Sql("db3", items);
    lab_->Sql("db1", items);
    lab_->Sql("db1",
              "INSERT INTO items SELECT i, i % 7, CASE WHEN i % 5 > 0 THEN 'item ' || i END, "
              "i * 1.50, '2024-01-01'::timestamptz + i * interval '1 s' "
              "FROM generate_series(1, 3000) AS i");
    Refresh();
  }
  static void TearDownTestSuite() { lab_.reset(); }

  void SetUp() override { WaitUntilInStep(); }

  static void Refresh(const std::string& how = "") {
    lab_->Sql("db3", "ALTER SUBSCRIPTION db3 REFRESH PUBLICATION " + how);
  }
  static void WaitUntilInStep();
  // Many rows of items, some of them again and again, and rows that come and go; so many times.
  static void WriteBusily(int times);

  static Inventory Trio() {
    Inventory inventory;
    inventory.primary_dsn = lab_->Dsn("db1");
    inventory.replicas = {
        {.name = "db2", .dsn = lab_->Dsn("db2"), .kind = ReplicaKind::kPhysical, .out = false},
        {.name = "db3", .dsn = lab_->Dsn("db3"), .kind = ReplicaKind::kLogical, .out = false}};
    return inventory;
  }

  static ComparisonOptions Only(std::vector<std::string> tables) {
    ComparisonOptions options;
    options.tables = std::move(tables);
    return options;
  }

  Result Compare(const ComparisonOptions& options = {}) { return Compare(Trio(), options); }
  Result Compare(const Inventory& inventory, const ComparisonOptions& options) {
    return CompareToTheEnd(inventory, options, dialect_, clock_);
  }

  static std::unique_ptr<testing::DatabaseLab> lab_;
  const SteadyClock clock_;
  const PostgresChecksum dialect_;
};

}  // namespace headgate::database
