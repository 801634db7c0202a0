// A primary and a replica of MariaDB whose data are compared: for the tests of DataComparison. All
// suites of a program share the two servers, and each test leaves them as it found them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "controller/database/maria_checksum.h"
#include "tests/controller/database/comparing.h"
#include "tests/controller/database/finding_matchers.h"
#include "tests/controller/database/lab.h"
#include "tests/controller/database/maria_lab.h"

namespace headgate::database {

class MariaComparedTest : public ::testing::Test {
 protected:
  using Result = Compared;

  static void SetUpTestSuite();
  void SetUp() override { ASSERT_TRUE(lab_->Catches()); }

  static Inventory Pair(const std::string& user = "headgate") {
    Inventory inventory;
    inventory.engine = Engine::kMariadb;
    inventory.primary_dsn = lab_->Dsn(lab_->db1(), user);
    inventory.replicas = {{.name = "db2", .dsn = lab_->Dsn(lab_->db2(), user)}};
    return inventory;
  }
  static ComparisonOptions Only(std::vector<std::string> tables) {
    ComparisonOptions options;
    options.tables = std::move(tables);
    // The servers are quick, and so may the looks be that confirm each other.
    options.patience.apart = Duration(20);
    return options;
  }

  // On db1, and by replication on db2.
  static void Both(const std::string& sql) {
    lab_->db1().Sql(sql);
    ASSERT_TRUE(lab_->Catches());
  }
  // On db2 alone, unseen by db1 and in no binary log.
  static void OnReplica(const std::string& sql) { lab_->db2().Sql("SET sql_log_bin = 0; " + sql); }

  Result Compare(const ComparisonOptions& options) { return Compare(Pair(), options); }
  Result Compare(const Inventory& inventory, const ComparisonOptions& options) {
    return CompareToTheEnd(inventory, options, dialect_, clock_);
  }
  // What is changed on the replica, compared, and undone.
  Result CompareAfter(const std::string& change, const std::string& undo,
                      const std::string& table = "shop.items") {
    OnReplica(change);
    Result result = Compare(Only({table}));
    OnReplica(undo);
    return result;
  }

  static std::unique_ptr<testing::MariaLab> lab_;
  const SteadyClock clock_;
  const MariaChecksum dialect_;
};

// One row of `table`, by its first key column's value.
inline auto IsRow(RowDifferenceKind kind, const std::string& table, const std::string& key) {
  return ::testing::AllOf(
      ::testing::Field("server", &RowDifference::server, "db2"),
      ::testing::Field("table", &RowDifference::table, table),
      ::testing::Field("kind", &RowDifference::kind, kind),
      ::testing::Field("key", &RowDifference::key,
                       ::testing::Contains(::testing::Pair(::testing::_, key))));
}

inline auto Drains(const std::string& text) {
  return ::testing::AllOf(::testing::Field("severity", &Finding::severity, Severity::kFailed),
                          ::testing::Field("drains", &Finding::drains, true),
                          ::testing::Field("kind", &Finding::kind, "data"), Says(text));
}

inline auto CannotTell(const std::string& server, const std::string& text) {
  return ::testing::AllOf(IsFinding(Severity::kUnknown, "data", server), Says(text));
}

}  // namespace headgate::database
