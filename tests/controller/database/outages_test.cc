// The outages of the issue that postgres_probe_test.cc and schema_drift_test.cc do not have, each
// by its name, on real servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/controller/database/trio.h"

namespace headgate::database {
namespace {

using ::headgate::testing::WaitUntil;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class OutagesTest : public TrioTest {};

TEST_F(OutagesTest, AnotherDefault) {
  PostgresProbe probe(Trio(), Hurried());
  lab_->Sql("db3", "ALTER TABLE products ALTER stock SET DEFAULT 100");
  const Report report = probe.Fingerprint(clock_);
  lab_->Sql("db3", "ALTER TABLE products ALTER stock SET DEFAULT 0");
  EXPECT_THAT(report.findings,
              ElementsAre(AllOf(IsFinding(Severity::kFailed, "schema", "db3"),
                                Field(&Finding::drains, true),
                                Says("column stock is integer default 100 not null here, integer "
                                     "default 0 not null on the primary"))));
}

TEST_F(OutagesTest, AnotherGeneratedExpression) {
  PostgresProbe probe(Trio(), Hurried());
  lab_->Sql("db1", "ALTER TABLE orders ADD gross numeric GENERATED ALWAYS AS (total * 1.2) STORED");
  lab_->Sql("db3", "ALTER TABLE orders ADD gross numeric GENERATED ALWAYS AS (total * 1.1) STORED");
  const Report report = probe.Fingerprint(clock_);
  lab_->Sql("db1", "ALTER TABLE orders DROP gross");
  lab_->Sql("db3", "ALTER TABLE orders DROP gross");
  EXPECT_THAT(report.findings,
              ElementsAre(AllOf(IsFinding(Severity::kFailed, "schema", "db3"),
                                Says("(total * 1.1) here"), Says("(total * 1.2) on the primary"))));
}

TEST_F(OutagesTest, AUniqueIndexThatIsMissing) {
  PostgresProbe probe(Trio(), Hurried());
  lab_->Sql("db1", "CREATE UNIQUE INDEX one_order ON orders (id, customer_id)");
  const Report report = probe.Fingerprint(clock_);
  lab_->Sql("db1", "DROP INDEX one_order");
  EXPECT_THAT(report.findings, ElementsAre(AllOf(IsFinding(Severity::kFailed, "schema", "db3"),
                                                 Says("unique index one_order is missing here"))));
}

TEST_F(OutagesTest, AConstraintWhoseIndexIsInvalid) {
  PostgresProbe probe(Trio(), Hurried());
  const auto mark = [&](const std::string& valid) {
    lab_->Sql("db3", "UPDATE pg_index SET indisvalid = " + valid +
                         " WHERE indexrelid = 'customers_email_key'::regclass");
  };
  mark("false");
  const Report report = probe.Fingerprint(clock_);
  mark("true");
  EXPECT_THAT(report.findings, ElementsAre(AllOf(IsFinding(Severity::kFailed, "schema", "db3"),
                                                 Says("UNIQUE (email), invalid here"))));
}

TEST_F(OutagesTest, ATableThatIsNotPublished) {
  PostgresProbe probe(Trio(), Hurried());
  lab_->Sql("db1", "DROP PUBLICATION shop; CREATE PUBLICATION shop FOR TABLE customers, products");
  const Report report = probe.Fingerprint(clock_);
  lab_->Sql("db1", "DROP PUBLICATION shop; CREATE PUBLICATION shop FOR ALL TABLES");
  EXPECT_THAT(report.findings,
              ElementsAre(AllOf(IsFinding(Severity::kDegraded, "not_published", "db3"),
                                Says("table public.orders exists here, but no publication"))));
}

TEST_F(OutagesTest, ALogicalReplicaThatIsCutOffFromItsPublisher) {
  PostgresProbe probe(Trio(), Hurried());
  EXPECT_THAT(probe.Look(clock_).findings, IsEmpty());
  const std::string connection = lab_->Sql("db3", "SELECT subconninfo FROM pg_subscription");
  // Nobody listens at port 1.
  lab_->Sql("db3", "ALTER SUBSCRIPTION db3 CONNECTION 'host=127.0.0.1 port=1'");
  const Report report = LookUntil(probe, "not_streaming");
  lab_->Sql("db3", "ALTER SUBSCRIPTION db3 CONNECTION '" + connection + "'");
  EXPECT_THAT(report.findings, Contains(AllOf(IsFinding(Severity::kFailed, "not_streaming", "db3"),
                                              Says("no apply worker"))));
}

TEST_F(OutagesTest, ASequenceBehindTheLargestId) {
  PostgresProbe probe(Trio(), Hurried());
  const std::string at = lab_->Sql("db1", "SELECT last_value FROM orders_id_seq");
  lab_->Sql("db1", "SELECT setval('orders_id_seq', 17)");
  const Report report = probe.Fingerprint(clock_);
  Inventory lenient = Trio();
  lenient.allow = {"public.orders.id"};
  PostgresProbe other(lenient, Hurried());
  EXPECT_THAT(other.Fingerprint(clock_).findings, IsEmpty());
  lab_->Sql("db1", "SELECT setval('orders_id_seq', " + at + ")");
  EXPECT_THAT(report.findings,
              ElementsAre(AllOf(IsFinding(Severity::kDegraded, "sequence_behind", "primary"),
                                Says("table public.orders: its largest id is " + at +
                                     ", but sequence orders_id_seq is at 17"))));
  EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
}

TEST_F(OutagesTest, ACollationOfAnotherOperatingSystem) {
  Inventory inventory = Trio();
  inventory.replicas.pop_back();
  PostgresProbe probe(inventory, Hurried());
  lab_->Sql("db1",
            "CREATE COLLATION german (provider = icu, locale = 'de');"
            "CREATE INDEX by_german_name ON customers (name COLLATE german)");
  EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
  lab_->Sql("db1", "UPDATE pg_collation SET collversion = '1.0' WHERE collname = 'german'");
  Report report;
  // The standby has it once it has replayed it.
  EXPECT_TRUE(WaitUntil(
      [&] {
        report = probe.Fingerprint(clock_);
        return report.findings.size() == 2;
      },
      Duration(15'000)));
  lab_->Sql("db1", "DROP INDEX by_german_name; DROP COLLATION german");
  EXPECT_THAT(report.findings,
              Contains(AllOf(IsFinding(Severity::kDegraded, "collation", "primary"),
                             Says("collation public.german was made with version "
                                  "1.0"))));
  EXPECT_THAT(report.findings, Contains(IsFinding(Severity::kDegraded, "collation", "db2")));
}

// Flips bits in the middle of one of a file's pages, and puts them back.
class Damage {
 public:
  explicit Damage(std::string path, int page = 0)
      : path_(std::move(path)), middle_(std::streamoff{8'192} * page + 4'096) {
    Flip();
  }
  ~Damage() { Flip(); }

 private:
  void Flip() const {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    ASSERT_TRUE(file.is_open()) << path_;
    std::string bytes(64, '\0');
    file.seekg(middle_);
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    for (char& byte : bytes) byte = static_cast<char>(byte ^ 0x5a);
    file.seekp(middle_);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

  const std::string path_;
  const std::streamoff middle_;
};

TEST_F(OutagesTest, ACorruptPageOnTheStandby) {
  PostgresProbe probe(Trio(), Hurried());
  const std::string file =
      lab_->Folder() + "/db2/" + lab_->Sql("db2", "SELECT pg_relation_filepath('products')");
  // Its memory would hide what is on the disk.
  lab_->Do("restart db2");
  WaitUntilHealthy();
  EXPECT_THAT(probe.Look(clock_).findings, IsEmpty());
  {
    const Damage damage(file);
    // Replication never notices: streaming, nothing behind. Whoever reads the page does.
    const auto read = Ask("db2", "SELECT count(*) FROM public.products");
    EXPECT_THAT(std::string(read.status().message()), HasSubstr("invalid page"));
    const Report report = LookUntil(probe, "page_corrupt");
    EXPECT_THAT(
        report.findings,
        ElementsAre(AllOf(
            IsFinding(Severity::kFailed, "page_corrupt", "db2"), Field(&Finding::drains, true),
            Says("have failed their checksum since the first look"), Says("in shop"))));
  }
  EXPECT_TRUE(Ask("db2", "SELECT count(*) FROM public.products").ok());
}

class AmcheckTest : public OutagesTest {
 protected:
  void TearDown() override { lab_->Sql("db1", "DROP EXTENSION IF EXISTS amcheck"); }

  void Install() {
    lab_->Sql("db1", "CREATE EXTENSION amcheck");
    AwaitAtStandby("SELECT count(*) = 1 FROM pg_extension WHERE extname = 'amcheck'");
  }
  void Grant() {
    lab_->Sql("db1",
              "GRANT EXECUTE ON FUNCTION bt_index_check(regclass), "
              "verify_heapam(regclass, boolean, boolean, text, bigint, bigint) TO headgate");
    AwaitAtStandby(
        "SELECT has_function_privilege('headgate', 'bt_index_check(regclass)', 'EXECUTE')");
  }
  void AwaitAtStandby(const std::string& condition) {
    ASSERT_TRUE(WaitUntil([&] { return lab_->Sql("db2", condition) == "t"; }, Duration(30'000)))
        << condition;
  }
  // With all that it holds: its memory would hide what is on the disk, and a restart that replays
  // would mend it.
  std::string FileOnDisk(const std::string& relation) {
    lab_->Sql("db1", "CHECKPOINT");
    AwaitAtStandby("SELECT pg_last_wal_replay_lsn() >= '" +
                   lab_->Sql("db1", "SELECT pg_current_wal_lsn()") + "'");
    const std::string file = lab_->Folder() + "/db2/" +
                             lab_->Sql("db2", "SELECT pg_relation_filepath('" + relation + "')");
    lab_->Do("restart db2");
    WaitUntilHealthy();
    return file;
  }
};

TEST_F(AmcheckTest, IsMissedWhereItCannotBeUsed) {
  PostgresProbe probe(Trio(), Hurried());
  EXPECT_THAT(probe.Fingerprint(clock_).notes,
              Contains(HasSubstr("replica db2: amcheck is not installed there")));
  Install();
  EXPECT_THAT(probe.Fingerprint(clock_).notes,
              Contains(HasSubstr("replica db2: amcheck may not be used there")));
}

TEST_F(AmcheckTest, FindsACorruptPageThatNobodyElseReads) {
  Install();
  Grant();
  PostgresProbe probe(Trio(), Hurried());
  const Report sound = probe.Fingerprint(clock_);
  EXPECT_THAT(sound.findings, IsEmpty());
  EXPECT_THAT(sound.notes, ElementsAre(HasSubstr("replica db3: amcheck is not installed there")));
  for (const char* relation : {"products", "customers_email_key"}) {
    SCOPED_TRACE(relation);
    const std::string file = FileOnDisk(relation);
    {
      const Damage damage(file);
      EXPECT_THAT(
          probe.Fingerprint(clock_).findings,
          ElementsAre(AllOf(
              IsFinding(Severity::kFailed, "page_corrupt", "db2"), Field(&Finding::drains, true),
              Says(std::string("public.") + relation + " is damaged"), Says("invalid page"))));
    }
    // Mended, it is forgotten.
    EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
  }
}

TEST_F(AmcheckTest, ReadsALargeTableRoundAfterRound) {
  Install();
  Grant();
  // 32 MB, and a round is 20 MB.
  lab_->Sql("db3", "CREATE TABLE big (id int, filler text)");
  lab_->Sql(
      "db1",
      "CREATE TABLE big (id int, filler text); ALTER TABLE big ALTER filler SET STORAGE PLAIN;"
      "INSERT INTO big SELECT i, repeat('x', 7000) FROM generate_series(1, 4000) AS i");
  AwaitAtStandby("SELECT coalesce(pg_relation_size(to_regclass('big')), 0) = " +
                 lab_->Sql("db1", "SELECT pg_relation_size('big')"));
  Inventory physical = Trio();
  physical.replicas.pop_back();
  PostgresProbe rolling(physical, Hurried());
  const std::string file = FileOnDisk("big");
  {
    const Damage damage(file, 3'000);
    Report report;
    int rounds = 0;
    for (; rounds < 8 && !Has(report, "page_corrupt"); ++rounds) {
      report = rolling.Fingerprint(clock_);
    }
    EXPECT_THAT(report.findings,
                ElementsAre(AllOf(IsFinding(Severity::kFailed, "page_corrupt", "db2"),
                                  Says("table public.big is damaged"), Says("3000"))));
    EXPECT_GT(rounds, 1);
    // It stays while it is so, wherever the rounds are.
    EXPECT_TRUE(Has(rolling.Fingerprint(clock_), "page_corrupt"));
  }
  lab_->Sql("db1", "DROP TABLE big");
  lab_->Sql("db3", "DROP TABLE big");
  EXPECT_TRUE(
      WaitUntil([&] { return rolling.Fingerprint(clock_).findings.empty(); }, Duration(15'000)));
}

}  // namespace
}  // namespace headgate::database
