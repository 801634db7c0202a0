// Schema drift on real MariaDB servers: what one side was changed to, and how it is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "controller/database/expected_schema.h"
#include "controller/database/maria_probe.h"
#include "tests/controller/database/finding_matchers.h"
#include "tests/controller/database/lab.h"
#include "tests/controller/database/maria_lab.h"

namespace headgate::database {
namespace {

using ::headgate::testing::MariaLab;
using ::headgate::testing::WaitUntil;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

auto IsConfirmed(const std::string& told) {
  return AllOf(Field("text", &Finding::text, HasSubstr(told)),
               Field("severity", &Finding::severity, Severity::kFailed),
               Field("drains", &Finding::drains, true), Field("kind", &Finding::kind, "schema"),
               Field("server", &Finding::server, "db2"));
}

class MariaDriftTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { lab_ = std::make_unique<MariaLab>(); }
  static void TearDownTestSuite() { lab_.reset(); }

  static Inventory Pair() {
    Inventory inventory;
    inventory.engine = Engine::kMariadb;
    inventory.primary_dsn = lab_->Dsn(lab_->db1());
    inventory.replicas = {{.name = "db2", .dsn = lab_->Dsn(lab_->db2())}};
    return inventory;
  }

  static ProbeDeadlines Hurried() {
    ProbeDeadlines deadlines;
    deadlines.fingerprint.confirm = Duration(1'000);
    deadlines.fingerprint.apart = Duration(50);
    return deadlines;
  }

  // On db2 alone.
  static void Drift(const std::string& change) {
    lab_->db2().Sql("SET sql_log_bin = 0; " + change);
  }

  void SetUp() override { ASSERT_TRUE(lab_->Catches()); }

  static std::unique_ptr<MariaLab> lab_;
  SteadyClock clock_;
};

std::unique_ptr<MariaLab> MariaDriftTest::lab_;

struct DriftOfReplica {
  const char* change;
  const char* undo;
  const char* told;
};

// What is done to the replica alone.
const std::vector<DriftOfReplica> kDrifts = {
    {"ALTER TABLE shop.orders MODIFY status ENUM('paid', 'new', 'shipped') NOT NULL",
     "ALTER TABLE shop.orders MODIFY status ENUM('new', 'paid', 'shipped') NOT NULL",
     "replica db2: table shop.orders: column status is enum('paid','new','shipped') collate "
     "utf8mb4_general_ci not null here, enum('new','paid','shipped') collate utf8mb4_general_ci "
     "not null on the primary"},
    {"ALTER TABLE shop.orders DROP twice, MODIFY quantity INT UNSIGNED NOT NULL CHECK (quantity "
     "> "
     "0), ADD twice INT AS (quantity * 2) STORED",
     "ALTER TABLE shop.orders DROP twice, MODIFY quantity INT NOT NULL CHECK (quantity > 0), ADD "
     "twice INT AS (quantity * 2) STORED",
     "column quantity is int(10) unsigned not null here, int(11) not null on the primary"},
    {"ALTER TABLE shop.orders MODIFY total DECIMAL(10,0) NOT NULL DEFAULT 0",
     "ALTER TABLE shop.orders MODIFY total DECIMAL(10,2) NOT NULL DEFAULT 0",
     "column total is decimal(10,0) default 0 not null here, decimal(10,2) default 0.00 not null "
     "on the primary"},
    {"ALTER TABLE shop.orders ALTER total SET DEFAULT 5",
     "ALTER TABLE shop.orders ALTER total SET DEFAULT 0",
     "column total is decimal(10,2) default 5.00 not null here"},
    {"ALTER TABLE shop.orders MODIFY twice INT AS (quantity * 3) STORED",
     "ALTER TABLE shop.orders MODIFY twice INT AS (quantity * 2) STORED",
     "column twice is int(11) generated always as (`quantity` * 3) STORED GENERATED here"},
    {"ALTER TABLE shop.customers MODIFY last_name VARCHAR(40) NOT NULL AFTER id",
     "ALTER TABLE shop.customers MODIFY last_name VARCHAR(40) NOT NULL AFTER middle_name",
     "table shop.customers: setting column order is id, last_name, first_name, middle_name here, "
     "id, first_name, middle_name, last_name on the primary"},
    {"ALTER TABLE shop.customers MODIFY last_name VARCHAR(40) COLLATE utf8mb4_bin NOT NULL",
     "ALTER TABLE shop.customers MODIFY last_name VARCHAR(40) NOT NULL",
     "column last_name is varchar(40) collate utf8mb4_bin not null here"},
    {"ALTER TABLE shop.customers MODIFY last_name VARCHAR(40)",
     "ALTER TABLE shop.customers MODIFY last_name VARCHAR(40) NOT NULL",
     "column last_name is varchar(40) collate utf8mb4_general_ci here, varchar(40) collate "
     "utf8mb4_general_ci not null on the primary"},
    {"DROP INDEX by_customer ON shop.orders",
     "CREATE INDEX by_customer ON shop.orders (customer_id)",
     "index by_customer is missing here; on the primary it is (customer_id) using BTREE"},
    {"CREATE UNIQUE INDEX one_name ON shop.customers (last_name(10))",
     "DROP INDEX one_name ON shop.customers",
     "unique index one_name is (last_name(10)) using BTREE here; the primary has none"},
    {"ALTER TABLE shop.orders DROP FOREIGN KEY of_customer",
     "ALTER TABLE shop.orders ADD CONSTRAINT of_customer FOREIGN KEY (customer_id) REFERENCES "
     "shop.customers (id)",
     "constraint of_customer is missing here; on the primary it is foreign key (customer_id) "
     "references shop.customers (id) on update RESTRICT on delete RESTRICT"},
    {"ALTER TABLE shop.orders ADD CONSTRAINT cheap CHECK (total < 1000)",
     "ALTER TABLE shop.orders DROP CONSTRAINT cheap",
     "constraint cheap is check (`total` < 1000) here; the primary has none"},
    {"DROP TRIGGER shop.trimmed",
     "CREATE TRIGGER shop.trimmed BEFORE INSERT ON shop.customers FOR EACH ROW SET "
     "NEW.first_name = TRIM(NEW.first_name)",
     "trigger trimmed is missing here; on the primary it is before insert: SET NEW.first_name"},
    {"CREATE OR REPLACE VIEW shop.open_orders AS SELECT id, total FROM shop.orders",
     "CREATE OR REPLACE VIEW shop.open_orders AS SELECT id, total FROM shop.orders WHERE status "
     "<> 'shipped'",
     "replica db2: table shop.open_orders is"},
    {"ALTER TABLE shop.visits ENGINE = Aria", "ALTER TABLE shop.visits ENGINE = InnoDB",
     "table shop.visits is a table, Aria, collate utf8mb4_general_ci here, a table, InnoDB"},
    {"ALTER TABLE shop.visits PARTITION BY HASH (YEAR(at)) PARTITIONS 4",
     "ALTER TABLE shop.visits REMOVE PARTITIONING",
     "table shop.visits: setting partitions is by HASH (year(`at`)) in 4 here; the primary has "
     "none"},
    {"ALTER TABLE shop.customers MODIFY middle_name VARCHAR(40) INVISIBLE",
     "ALTER TABLE shop.customers MODIFY middle_name VARCHAR(40)",
     "column middle_name is varchar(40) collate utf8mb4_general_ci INVISIBLE here"},
    {"CREATE TABLE shop.gifts (id INT)", "DROP TABLE shop.gifts",
     "table shop.gifts is a table, InnoDB, collate utf8mb4_general_ci here; the primary has "
     "none"},
};

TEST_F(MariaDriftTest, IsToldWithTableObjectAndBothDefinitionsAndDrains) {
  for (const DriftOfReplica& drift : kDrifts) {
    SCOPED_TRACE(drift.change);
    MariaProbe probe(Pair(), Hurried());
    Drift(std::string("SET foreign_key_checks = 0; ") + drift.change);
    const Report report = probe.Fingerprint(clock_);
    Drift(std::string("SET foreign_key_checks = 0; ") + drift.undo);
    EXPECT_THAT(report.findings, ElementsAre(IsConfirmed(drift.told)));
    EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
  }
}

TEST_F(MariaDriftTest, KeepsTablesApartWhoseNamesDifferInCaseAlone) {
  lab_->db1().Sql(
      "CREATE TABLE shop.Twins (k INT PRIMARY KEY, a INT); "
      "CREATE TABLE shop.twins (k INT PRIMARY KEY, a INT, UNIQUE u (a))");
  ASSERT_TRUE(lab_->Catches());
  MariaProbe probe(Pair(), Hurried());
  const Report sound = probe.Fingerprint(clock_);
  Drift("ALTER TABLE shop.Twins DROP PRIMARY KEY");
  const Report report = probe.Fingerprint(clock_);
  lab_->db1().Sql("DROP TABLE shop.Twins, shop.twins");
  EXPECT_THAT(sound.findings, IsEmpty());
  EXPECT_THAT(report.findings, ElementsAre(IsConfirmed(
                                   "table shop.Twins: constraint PRIMARY is missing here; on the "
                                   "primary it is primary key (k) using BTREE")));
}

// A row that no partition takes stops replication, and until one comes all looks well.
TEST_F(MariaDriftTest, SeesAPartitionThatTheReplicaLacksButNotOtherNames) {
  lab_->db1().Sql(
      "CREATE TABLE shop.days (id INT PRIMARY KEY) PARTITION BY RANGE (id) "
      "(PARTITION a VALUES LESS THAN (10), PARTITION b VALUES LESS THAN MAXVALUE)");
  ASSERT_TRUE(lab_->Catches());
  MariaProbe probe(Pair(), Hurried());
  Drift(
      "ALTER TABLE shop.days REORGANIZE PARTITION b INTO (PARTITION c VALUES LESS THAN MAXVALUE)");
  EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
  Drift("ALTER TABLE shop.days DROP PARTITION c");
  const Report report = probe.Fingerprint(clock_);
  lab_->db1().Sql("DROP TABLE shop.days");
  EXPECT_THAT(report.findings, ElementsAre(IsConfirmed(
                                   "table shop.days: setting partitions is by RANGE (`id`) in 1: "
                                   "10 here, by RANGE (`id`) in 2: 10, MAXVALUE on the primary")));
}

TEST_F(MariaDriftTest, IsToldOfAPrimaryThatIsNotAsThePlanExpectsThoughItsReplicaIs) {
  Inventory inventory = Pair();
  const MariaDialect dialect;
  Servers servers(inventory);
  const auto answers = servers.Ask({{Servers::kPrimary, dialect.AskPrimary(inventory)}},
                                   Session::Deadlines(), clock_);
  const auto read = dialect.ReadPrimary(inventory, answers.at(Servers::kPrimary));
  ASSERT_TRUE(read.ok()) << read.status();
  inventory.expected = Expect(read->schema, inventory, 64U << 10U);
  inventory.expected->file = "schema.baseline";
  MariaProbe probe(inventory, Hurried());
  EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
  // Replicated: the two agree.
  lab_->db1().Sql("ALTER TABLE shop.orders MODIFY quantity BIGINT NOT NULL CHECK (quantity > 0)");
  ASSERT_TRUE(lab_->Catches());
  const Report report = probe.Fingerprint(clock_);
  lab_->db1().Sql("ALTER TABLE shop.orders MODIFY quantity INT NOT NULL CHECK (quantity > 0)");
  ASSERT_TRUE(lab_->Catches());
  EXPECT_THAT(report.findings,
              ElementsAre(AllOf(IsFinding(Severity::kFailed, "baseline", "primary"),
                                Field("drains", &Finding::drains, true),
                                Says("the primary: table shop.orders is not as schema.baseline has "
                                     "it"))));
  EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
}

TEST_F(MariaDriftTest, SeesTheMiddleColumnThatIsMissingWhileTheReplicaSaysThatAllIsWell) {
  MariaProbe probe(Pair(), Hurried());
  Drift("ALTER TABLE shop.customers DROP middle_name");
  lab_->db1().Sql(
      "INSERT INTO shop.customers (first_name, middle_name, last_name) "
      "VALUES ('Katherine', 'M', 'Johnson')");
  ASSERT_TRUE(lab_->Catches());
  // The outage that all this is for: no error, no lag, and the wrong data.
  EXPECT_EQ(lab_->db2().Sql("SELECT last_name FROM shop.customers WHERE first_name = 'Katherine'"),
            "M");
  EXPECT_THAT(probe.Look(clock_).findings, IsEmpty());
  const Report report = probe.Fingerprint(clock_);
  EXPECT_THAT(report.findings,
              ElementsAre(IsConfirmed("table shop.customers: column middle_name is missing here; "
                                      "on the primary it is varchar(40) collate "
                                      "utf8mb4_general_ci"),
                          IsConfirmed("setting column order is id, first_name, last_name here, id, "
                                      "first_name, middle_name, last_name on the primary")));
  Drift("ALTER TABLE shop.customers ADD middle_name VARCHAR(40) AFTER first_name");
  lab_->db1().Sql("DELETE FROM shop.customers WHERE first_name = 'Katherine'");
  ASSERT_TRUE(lab_->Catches());
  EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
}

TEST_F(MariaDriftTest, DoesNotTakeAChangeThatIsOnItsWayForDrift) {
  lab_->db2().Sql("STOP SLAVE SQL_THREAD");
  lab_->db1().Sql("ALTER TABLE shop.orders ADD gift VARCHAR(20)");
  MariaProbe hurried(Pair(), Hurried());
  const Report held = hurried.Fingerprint(clock_);
  EXPECT_THAT(held.findings, Contains(Field(&Finding::text,
                                            HasSubstr("column gift is missing here; on the primary "
                                                      "it is varchar(20)"))));
  EXPECT_THAT(held.findings, Each(AllOf(Field(&Finding::severity, Severity::kUnknown),
                                        Field(&Finding::drains, false),
                                        Field(&Finding::text, HasSubstr("not replayed")))));
  // It arrives while we look.
  MariaProbe patient(Pair(), {});
  std::thread starter([&] { lab_->db2().Sql("START SLAVE SQL_THREAD"); });
  EXPECT_THAT(patient.Fingerprint(clock_).findings, IsEmpty());
  starter.join();
  lab_->db1().Sql("ALTER TABLE shop.orders DROP gift");
  EXPECT_THAT(patient.Fingerprint(clock_).findings, IsEmpty());
}

TEST_F(MariaDriftTest, IsNotSeenInWhatEachServerMayHaveOfItsOwn) {
  lab_->db1().Sql(
      "CREATE TABLE shop.notes (id INT PRIMARY KEY COMMENT 'a number', "
      "at TIMESTAMP NOT NULL DEFAULT '2024-06-01 12:00:00') ROW_FORMAT = DYNAMIC");
  ASSERT_TRUE(lab_->Catches());
  lab_->db2().Sql(
      "SET GLOBAL time_zone = '+07:00'; SET GLOBAL sql_mode = 'ANSI,ORACLE'; "
      "SET GLOBAL lc_messages = 'de_DE'; SET GLOBAL group_concat_max_len = 8");
  Drift(
      "ALTER TABLE shop.notes ROW_FORMAT = COMPACT, COMMENT 'here too'; "
      "ALTER TABLE shop.orders AUTO_INCREMENT = 5000; "
      "CREATE USER own@localhost; ANALYZE TABLE shop.orders");
  MariaProbe probe(Pair(), Hurried());
  EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
  EXPECT_THAT(probe.Look(clock_).findings, IsEmpty());
  lab_->db2().Sql(
      "SET GLOBAL time_zone = DEFAULT; SET GLOBAL sql_mode = DEFAULT; "
      "SET GLOBAL lc_messages = DEFAULT; SET GLOBAL group_concat_max_len = DEFAULT");
  lab_->db1().Sql("DROP TABLE shop.notes");
}

TEST_F(MariaDriftTest, ThatIsAllowedIsANoteButAColumnInTheMiddleStillCounts) {
  Inventory inventory = Pair();
  inventory.allow = {"shop.orders.note", "shop.orders.column order", "shop.gifts",
                     "shop.customers.nickname"};
  MariaProbe probe(inventory, Hurried());
  Drift("ALTER TABLE shop.orders ADD note TEXT; CREATE TABLE shop.gifts (id INT)");
  const Report report = probe.Fingerprint(clock_);
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_THAT(report.notes,
              ElementsAre(HasSubstr("allowed: replica db2: table shop.gifts is a table"),
                          HasSubstr("allowed: replica db2: table shop.orders: column note is text"),
                          HasSubstr("allowed: replica db2: table shop.orders: setting column "
                                    "order is")));
  Drift("ALTER TABLE shop.customers ADD nickname TEXT AFTER id");
  EXPECT_THAT(probe.Fingerprint(clock_).findings,
              ElementsAre(IsConfirmed("table shop.customers: setting column order is id, nickname, "
                                      "first_name")));
  Drift(
      "ALTER TABLE shop.customers DROP nickname; ALTER TABLE shop.orders DROP note; "
      "DROP TABLE shop.gifts");
  EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
}

TEST_F(MariaDriftTest, IsToldOfTheDeclaredDatabasesAlone) {
  Drift("CREATE DATABASE own; CREATE TABLE own.t (id INT)");
  Inventory inventory = Pair();
  inventory.schemas = {"shop"};
  MariaProbe declared(inventory, Hurried());
  EXPECT_THAT(declared.Fingerprint(clock_).findings, IsEmpty());
  MariaProbe all(Pair(), Hurried());
  EXPECT_THAT(all.Fingerprint(clock_).findings, ElementsAre(IsConfirmed("table own.t is")));
  Drift("DROP DATABASE own");
  inventory.schemas = {"shop", "nowhere"};
  MariaProbe misspelt(inventory, Hurried());
  EXPECT_THAT(misspelt.Fingerprint(clock_).findings,
              ElementsAre(AllOf(Field(&Finding::severity, Severity::kUnknown),
                                Field(&Finding::text, HasSubstr("schema nowhere is declared")))));
}

}  // namespace
}  // namespace headgate::database
