// A primary, a standby and a logical replica of tests/support/lab whose data are compared: for the
// tests of DataComparison. Each test leaves the servers as it found them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/database/data_comparison.h"
#include "controller/database/postgres_checksum.h"
#include "tests/controller/database/lab.h"

namespace headgate::database {

class ComparedTest : public ::testing::Test {
 protected:
  struct Result {
    std::vector<Finding> findings;
    std::vector<RowDifference> differences;
    ComparisonProgress progress;
    bool is_done = false;
  };

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

  // Steps until it is done, or until `rows` rows have been compared. Nobody rests.
  static void StepOn(DataComparison& comparison, std::optional<std::uint64_t> rows = {}) {
    while (!comparison.IsDone() && !(rows && comparison.Progress().rows_done >= *rows)) {
      comparison.Step();
    }
  }

  Result Compare(const ComparisonOptions& options = {}) { return Compare(Trio(), options); }
  Result Compare(const Inventory& inventory, const ComparisonOptions& options) {
    Servers servers(inventory);
    DataComparison comparison(inventory, options, dialect_, servers, clock_);
    StepOn(comparison);
    return {.findings = comparison.Findings(),
            .differences = comparison.Differences(),
            .progress = comparison.Progress(),
            .is_done = comparison.IsDone()};
  }

  static std::unique_ptr<testing::DatabaseLab> lab_;
  const SteadyClock clock_;
  const PostgresChecksum dialect_;
};

}  // namespace headgate::database
