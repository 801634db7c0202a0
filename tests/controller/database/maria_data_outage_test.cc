// Comparing MariaDB's data while something goes on or goes wrong: writes, servers that are behind
// or die, rights that are missing. And that it writes nothing.
#include <fmt/format.h>

#include "tests/controller/database/maria_compared.h"

namespace headgate::database {
namespace {

using ::headgate::testing::MariaLab;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class MariaDataOutage : public MariaComparedTest {};

// `round`, 200 times, on the primary.
void WriteOften(MariaLab& lab, const std::string& round) {
  lab.db1().Sql("BEGIN NOT ATOMIC FOR i IN 1..200 DO " + round + " END FOR; END");
}

// Many rows, some of them again and again, and rows that come and go.
constexpr const char* kBusy =
    "UPDATE shop.items SET a = a + 1 WHERE id = 1 + FLOOR(RAND() * 1500); "
    "UPDATE shop.items SET n = n + 1 WHERE id IN (1, 2); "
    "INSERT INTO shop.items (id, a) VALUES (100000 + i, i); "
    "DELETE FROM shop.items WHERE id = 100000 + i - 10 OR (i = 200 AND id > 100000);";

TEST_F(MariaDataOutage, OfHeavyWritesRaisesNoAlarm) {
  Writer writer([] { WriteOften(*lab_, kBusy); });
  for (int i = 0; i < 5 || (writer.rounds() < 2 && i < 1'000); ++i) {
    EXPECT_THAT(Compare(Only({"items"})).findings, IsEmpty());
  }
}

TEST_F(MariaDataOutage, OfHeavyWritesHidesNoneOfTheRowsThatDiffer) {
  OnReplica(
      "UPDATE shop.items SET b = 'x' WHERE id = 2001; DELETE FROM shop.items WHERE id = 2002; "
      "INSERT INTO shop.items (id, a) VALUES (50000, 1)");
  {
    Writer writer([] { WriteOften(*lab_, kBusy); });
    for (int i = 0; i < 2; ++i) {
      EXPECT_THAT(Compare(Only({"items"})).differences,
                  UnorderedElementsAre(IsRow(RowDifferenceKind::kDifferent, "shop.items", "2001"),
                                       IsRow(RowDifferenceKind::kMissing, "shop.items", "2002"),
                                       IsRow(RowDifferenceKind::kExtra, "shop.items", "50000")));
    }
  }
  OnReplica(
      "DELETE FROM shop.items WHERE id = 50000; "
      "UPDATE shop.items SET b = 'item 2001' WHERE id = 2001; INSERT INTO shop.items VALUES "
      "(2002, 0, 'item 2002', 3003, '2024-01-01 00:33:22')");
  ASSERT_TRUE(lab_->Catches());
  EXPECT_THAT(Compare(Only({"items"})).findings, IsEmpty());
}

// Without a version, such a row looks as if it had not moved.
TEST_F(MariaDataOutage, OfARowThatGoesBackAndForthRaisesNoAlarm) {
  Both("CREATE TABLE shop.flags (id INT PRIMARY KEY, x INT); INSERT INTO shop.flags VALUES (1, 0)");
  {
    Writer writer([] { WriteOften(*lab_, "UPDATE shop.flags SET x = 1 - x;"); });
    for (int i = 0; i < 8 || (writer.rounds() < 2 && i < 1'000); ++i) {
      EXPECT_THAT(Compare(Only({"flags"})).findings, IsEmpty());
    }
  }
  Both("DROP TABLE shop.flags");
}

TEST_F(MariaDataOutage, OfAReplicaThatIsBehindIsUnknownUntilItHasCaughtUp) {
  lab_->db2().Sql("STOP SLAVE SQL_THREAD");
  lab_->db1().Sql("UPDATE shop.items SET a = 77 WHERE id = 1500");
  ComparisonOptions options = Only({"items"});
  options.patience.replay = Duration(300);
  const Result behind = Compare(options);
  lab_->db2().Sql("START SLAVE SQL_THREAD");
  EXPECT_THAT(behind.findings,
              ElementsAre(CannotTell("db2",
                                     "table shop.items: 1 rows could not be compared: it did not "
                                     "replay the primary's position within 300ms")));
  EXPECT_THAT(Compare(Only({"items"})).findings, IsEmpty());
}

TEST_F(MariaDataOutage, OfTheComparisonItselfIsGoneOnFrom) {
  OnReplica("UPDATE shop.items SET b = 'x' WHERE id IN (10, 2900)");
  const Inventory inventory = Pair();
  const ComparisonOptions options = Only({"items"});
  std::string state;
  {
    Servers servers(inventory);
    DataComparison first(inventory, options, dialect_, servers, clock_);
    StepOn(first, 1);
    ASSERT_FALSE(first.IsDone());
    state = first.Save();
  }
  Servers servers(inventory);
  DataComparison second(inventory, options, dialect_, servers, clock_);
  ASSERT_TRUE(second.Resume(state).ok());
  StepOn(second);
  OnReplica("UPDATE shop.items SET b = NULL WHERE id IN (10, 2900)");
  EXPECT_EQ(second.Progress().rows_done, 3'000U);
  EXPECT_THAT(second.Findings(), ElementsAre(Says("(id = 10)"), Says("(id = 2900)")));
  // A state of other servers is refused.
  Inventory other = inventory;
  other.replicas[0].dsn = lab_->Dsn(1);
  Servers others(other);
  DataComparison third(other, options, dialect_, others, clock_);
  EXPECT_FALSE(third.Resume(state).ok());
}

TEST_F(MariaDataOutage, OfTheReplicaIsUnknownAndSoIsThatOfThePrimary) {
  const Inventory inventory = Pair();
  const auto compare_without = [&](testing::MariaServer& server) {
    Servers servers(inventory);
    DataComparison comparison(inventory, Only({"items"}), dialect_, servers, clock_);
    StepOn(comparison, 1);
    // What it has committed is to be there afterwards: a commit that is durable takes those before
    // it along.
    server.Sql(
        "SET GLOBAL innodb_flush_log_at_trx_commit = 1; SET sql_log_bin = 0; "
        "CREATE TABLE mysql.durable (x INT) ENGINE = InnoDB; INSERT INTO mysql.durable VALUES (1); "
        "DROP TABLE mysql.durable");
    server.Kill();
    StepOn(comparison);
    server.Start();
    return comparison.Findings();
  };
  EXPECT_THAT(compare_without(lab_->db2()),
              ElementsAre(CannotTell("db2", "it does not answer any more")));
  ASSERT_TRUE(lab_->Catches(std::chrono::seconds(30)));
  const std::vector<Finding> findings = compare_without(lab_->db1());
  EXPECT_THAT(findings, Not(IsEmpty()));
  EXPECT_THAT(findings, Each(CannotTell("primary", "")));
  ASSERT_TRUE(lab_->Catches(std::chrono::seconds(30)));
}

TEST_F(MariaDataOutage, OfRightsIsUnknownAndSaysWhichAreMissing) {
  // Who may read one table is shown one table.
  const Result one = Compare(Pair("clerk"), {});
  EXPECT_EQ(one.progress.rows_done, 1U);
  EXPECT_THAT(one.findings,
              ElementsAre(CannotTell("primary",
                                     "there may be tables and columns that the account is not "
                                     "shown: run GRANT SELECT ON *.* TO 'clerk'@'%' there")));
  const Result none = Compare(Pair("guest"), Only({"items"}));
  EXPECT_THAT(none.findings, Contains(CannotTell("primary", "GRANT SELECT ON *.*")));
  EXPECT_THAT(none.findings, Contains(CannotTell("primary", "table items was not compared")));
  // On the declared databases they suffice.
  Both("GRANT SELECT ON shop.* TO guest@'%'");
  Inventory declared = Pair("guest");
  declared.schemas = {"shop"};
  EXPECT_THAT(Compare(declared, Only({"items"})).findings, IsEmpty());
  Both("REVOKE SELECT ON shop.* FROM guest@'%'");
}

TEST_F(MariaDataOutage, OfATableThatOneSideLacksOrKeepsOtherwiseIsUnknown) {
  Both(
      "CREATE TABLE shop.gone (id INT PRIMARY KEY); CREATE TABLE shop.keyless (id INT PRIMARY "
      "KEY)");
  OnReplica("DROP TABLE shop.gone; ALTER TABLE shop.keyless DROP PRIMARY KEY");
  const Result result = Compare(Only({"gone", "keyless", "open_orders"}));
  OnReplica(
      "CREATE TABLE shop.gone (id INT PRIMARY KEY); "
      "ALTER TABLE shop.keyless ADD PRIMARY KEY (id)");
  Both("DROP TABLE shop.gone, shop.keyless");
  EXPECT_THAT(
      result.findings,
      UnorderedElementsAre(
          CannotTell("db2", "table shop.gone was not compared: the replica does not have it"),
          CannotTell("db2",
                     "table shop.keyless was not compared: the replica has no index "
                     "like the primary's key"),
          // A view has no rows of its own.
          CannotTell("primary", "table open_orders was not compared: there is none")));
}

TEST_F(MariaDataOutage, WritesNothingToAnyServer) {
  const std::string written =
      "SELECT GROUP_CONCAT(CONCAT(VARIABLE_NAME, '=', VARIABLE_VALUE) ORDER BY 1) FROM "
      "information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME REGEXP "
      "'^(COM_(ALTER|CREATE|DELETE|DROP|INSERT|REPLACE|UPDATE|TRUNCATE|LOAD|LOCK|GRANT|COMMIT|"
      "BEGIN|"
      "CALL)|HANDLER_(DELETE|UPDATE|WRITE)|BINLOG_COMMITS|BINLOG_BYTES_WRITTEN)'";
  const auto look = [&] {
    std::string seen;
    for (const testing::MariaServer* server : {&lab_->db1(), &lab_->db2()}) {
      seen += server->Sql(written) + server->Sql("SELECT @@gtid_binlog_pos") + "\n";
    }
    return seen;
  };
  OnReplica("UPDATE shop.items SET b = 'x' WHERE id = 2001");
  const std::string before = look();
  EXPECT_THAT(before, ::testing::HasSubstr("HANDLER_WRITE="));
  EXPECT_THAT(Compare({}).differences, ::testing::SizeIs(1));
  EXPECT_EQ(look(), before);
  OnReplica("UPDATE shop.items SET b = 'item 2001' WHERE id = 2001");
}

}  // namespace
}  // namespace headgate::database
