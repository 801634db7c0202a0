// `headgate dbcheck` against a primary and a replica of MariaDB.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/dbcheck_inventory.h"
#include "tests/cli/caller.h"
#include "tests/controller/database/maria_lab.h"
#include "tests/support/process.h"
#include "tests/support/temp_folder.h"

namespace headgate::cli {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;
using Words = std::vector<std::string>;

class MariaDbcheckTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    lab_ = std::make_unique<headgate::testing::MariaLab>();
    // It has no key, so nobody could tell of its rows.
    lab_->db1().Sql("DROP TABLE shop.visits");
  }
  static void TearDownTestSuite() { lab_.reset(); }
  void SetUp() override { ASSERT_TRUE(lab_->Catches()); }

  static Words Pair(const Words& more = {}) {
    Words words = {"dbcheck",
                   "--engine",
                   "mariadb",
                   "--primary",
                   lab_->Dsn(lab_->db1()),
                   "--replica",
                   "db2=" + lab_->Dsn(lab_->db2())};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  static Said Type(const Words& words) {
    Caller caller("unused");
    caller.way_in.clear();
    return caller.Type(words);
  }
  static void OnReplica(const std::string& sql) { lab_->db2().Sql("SET sql_log_bin = 0; " + sql); }

  static std::unique_ptr<headgate::testing::MariaLab> lab_;
  const test::TempFolder folder_;
};

std::unique_ptr<headgate::testing::MariaLab> MariaDbcheckTest::lab_;

TEST_F(MariaDbcheckTest, SaysSameOfAHealthyPair) {
  const Said text = Type(Pair({"--wait", "--timeout", "30s"}));
  EXPECT_EQ(text.code, 0) << text.out << text.err;
  EXPECT_THAT(text.out, HasSubstr("database: same (3 rows of 2 tables compared"));
  const Said said = Type(Pair({"-o", "json"}));
  EXPECT_EQ(said.code, 0) << said.out;
  const json database = json::parse(said.out)["databases"][0];
  EXPECT_EQ(database["engine"], "mariadb");
  EXPECT_EQ(database["primary"], fmt::format("at 127.0.0.1:{}", lab_->db1().port()));
  EXPECT_FALSE(database["replicas"][0].contains("kind"));
  EXPECT_THAT(text.out + text.err + said.out + said.err, Not(HasSubstr("hunter2")));
}

TEST_F(MariaDbcheckTest, NamesTheRowsThatDiffer) {
  OnReplica(
      "UPDATE shop.customers SET last_name = 'Byron' WHERE id = 1; "
      "SET foreign_key_checks = 0; DELETE FROM shop.customers WHERE id = 2");
  const Said text = Type(Pair());
  const Said said = Type(Pair({"-o", "json"}));
  OnReplica(
      "UPDATE shop.customers SET last_name = 'Lovelace' WHERE id = 1; "
      "INSERT INTO shop.customers VALUES (2, 'Grace', 'B', 'Hopper')");
  EXPECT_EQ(text.code, 3);
  EXPECT_THAT(text.out,
              HasSubstr("FAILED   replica db2: table shop.customers: row (id = 1) differs "
                        "from the primary's in last_name"));
  EXPECT_EQ(said.code, 3);
  EXPECT_EQ(json::parse(said.out)["databases"][0]["differences"], json::parse(R"([
      {"engine": "mariadb", "replica": "db2", "table": "shop.customers", "kind": "row_different",
       "key": {"id": "1"}, "columns": ["last_name"]},
      {"engine": "mariadb", "replica": "db2", "table": "shop.customers", "kind": "row_missing",
       "key": {"id": "2"}, "columns": []}])"));
}

TEST_F(MariaDbcheckTest, TellsASchemaThatDiffersAndLetsOneBeAllowed) {
  OnReplica("ALTER TABLE shop.customers DROP middle_name");
  const Said said = Type(Pair({"--schema-only", "-o", "json"}));
  const Said allowed = Type(Pair({"--schema-only", "--allow", "table shop.customers: column middle",
                                  "--allow", "table shop.customers: setting column order"}));
  OnReplica(
      "ALTER TABLE shop.customers ADD middle_name VARCHAR(40) AFTER first_name; "
      "UPDATE shop.customers SET middle_name = IF(id = 1, 'M', 'B')");
  EXPECT_EQ(said.code, 3);
  const json differences = json::parse(said.out)["databases"][0]["differences"];
  EXPECT_EQ(differences.size(), 2U);
  EXPECT_EQ(differences[0]["kind"], "schema");
  EXPECT_EQ(differences[0]["table"], "shop.customers");
  EXPECT_EQ(allowed.code, 0) << allowed.out;
}

TEST_F(MariaDbcheckTest, HoldsAllServersAgainstABaselineThatItWrote) {
  const std::string file = folder_ / "baseline";
  const Said wrote = Type({"dbcheck", "--engine", "mariadb", "--primary", lab_->Dsn(lab_->db1()),
                           "--write-baseline", file});
  EXPECT_EQ(wrote.code, 0) << wrote.err;
  EXPECT_THAT(test::ReadFile(file),
              HasSubstr("# headgate baseline 2, mariadb: one object a line\n"));
  EXPECT_THAT(test::ReadFile(file), HasSubstr("\nshop | orders | column | quantity | int(11)"));
  EXPECT_EQ(Type(Pair({"--schema-only", "--baseline", file})).code, 0);
  // Wrong everywhere.
  lab_->db1().Sql("ALTER TABLE shop.orders MODIFY status ENUM('paid', 'new', 'shipped') NOT NULL");
  ASSERT_TRUE(lab_->Catches());
  const Said said = Type(Pair({"--schema-only", "--baseline", file}));
  lab_->db1().Sql("ALTER TABLE shop.orders MODIFY status ENUM('new', 'paid', 'shipped') NOT NULL");
  EXPECT_EQ(said.code, 3);
  EXPECT_THAT(said.out, HasSubstr("the primary: table shop.orders: column status is "
                                  "enum('paid','new','shipped')"));
  EXPECT_THAT(said.out, HasSubstr("replica db2: table shop.orders: column status is"));
  // A baseline of the other engine is none.
  test::WriteFile(file, "# headgate baseline 2, postgres: one object a line\n");
  EXPECT_EQ(Type(Pair({"--schema-only", "--baseline", file})).code, 2);
}

TEST_F(MariaDbcheckTest, TakesThePlansDatabasesAndWhatTheyAllow) {
  const std::string file = folder_ / "plan.yaml";
  test::WriteFile(file, fmt::format("gate: shop\npreflight: {{agents: [edge-1]}}\nchecks:\n"
                                    "  - {{name: errors, ratio: agents.http_5xx, limit: 1%}}\n"
                                    "ramp: {{steps: adaptive}}\ndatabases:\n  orders:\n"
                                    "    engine: mariadb\n    primary: {}\n    replicas:\n"
                                    "      - {{name: db2, dsn: {}}}\n    allow: [shop.gifts]\n",
                                    lab_->Dsn(lab_->db1()), lab_->Dsn(lab_->db2())));
  OnReplica("CREATE TABLE shop.gifts (id INT PRIMARY KEY)");
  const Said said = Type({"dbcheck", file});
  OnReplica("DROP TABLE shop.gifts");
  EXPECT_EQ(said.code, 0) << said.out << said.err;
  EXPECT_THAT(said.out, HasSubstr("orders: same"));
  EXPECT_THAT(said.out, HasSubstr("allowed  replica db2: table shop.gifts is a table"));
}

TEST_F(MariaDbcheckTest, CouldNotTellWhileTheSqlThreadIsStoppedAndOfAServerThatIsNotThere) {
  lab_->db2().Sql("STOP SLAVE SQL_THREAD");
  const Said stopped = Type(Pair());
  lab_->db2().Sql("START SLAVE SQL_THREAD");
  EXPECT_EQ(stopped.code, 12) << stopped.out;
  EXPECT_THAT(stopped.out, HasSubstr("it applies nothing"));
  lab_->db2().Stop();
  const Said gone = Type(Pair());
  lab_->db2().Start();
  EXPECT_EQ(gone.code, 12) << gone.out;
  EXPECT_THAT(gone.out,
              HasSubstr(fmt::format("replica db2 (at 127.0.0.1:{})", lab_->db2().port())));
  ASSERT_TRUE(lab_->Catches(std::chrono::seconds(30)));
}

TEST_F(MariaDbcheckTest, RefusesAPasswordOnTheCommandLineWithoutRepeatingIt) {
  for (const Words& words :
       {Words{"--primary", "host=db1 password=hunter2", "--replica", "host=db2"},
        Words{"--primary", "host=db1", "--replica", "db2=host=db2 password=hunter2"},
        Words{"--primary", "host=db1", "--replica", "password=hunter2 host=db2"},
        Words{"--primary", "host=db1", "--replica", "mysql://u:hunter2@db2/shop"}}) {
    Words all = {"dbcheck", "--engine", "mariadb"};
    all.insert(all.end(), words.begin(), words.end());
    const Said said = Type(all);
    EXPECT_EQ(said.code, 2);
    EXPECT_THAT(said.err, Not(HasSubstr("hunter2")));
  }
}

TEST(SplitReplica, KnowsTheOptionsOfMariadb) {
  using Pair = std::pair<std::string, std::string>;
  const auto split = [](const char* text) {
    return SplitReplica(text, database::Engine::kMariadb);
  };
  EXPECT_EQ(split("option_file=/etc/my.cnf"), Pair("", "option_file=/etc/my.cnf"));
  EXPECT_EQ(split("socket=/run/x"), Pair("", "socket=/run/x"));
  EXPECT_EQ(split("db2=socket=/run/x"), Pair("db2", "socket=/run/x"));
  // It is libpq's alone.
  EXPECT_EQ(split("service=host=x"), Pair("service", "host=x"));
}

}  // namespace
}  // namespace headgate::cli
