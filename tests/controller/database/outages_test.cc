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

// Flips bits in the middle of a file's first page, and puts them back.
class Damage {
 public:
  explicit Damage(std::string path) : path_(std::move(path)) { Flip(); }
  ~Damage() { Flip(); }

 private:
  void Flip() const {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    ASSERT_TRUE(file.is_open()) << path_;
    constexpr std::streamoff kMiddle = 4'096;
    std::string bytes(64, '\0');
    file.seekg(kMiddle);
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    for (char& byte : bytes) byte = static_cast<char>(byte ^ 0x5a);
    file.seekp(kMiddle);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

  const std::string path_;
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

TEST_F(OutagesTest, ACorruptPageThatNobodyReadsButAmcheck) {
  const auto notes_of = [&](PostgresProbe& probe) { return probe.Fingerprint(clock_).notes; };
  {
    PostgresProbe probe(Trio(), Hurried());
    EXPECT_THAT(notes_of(probe),
                Contains(HasSubstr("replica db2: amcheck is not installed there")));
  }
  lab_->Sql("db1", "CREATE EXTENSION amcheck");
  ASSERT_TRUE(WaitUntil(
      [&] {
        return lab_->Sql("db2", "SELECT count(*) FROM pg_extension WHERE extname = 'amcheck'") ==
               "1";
      },
      Duration(15'000)));
  {
    PostgresProbe probe(Trio(), Hurried());
    EXPECT_THAT(notes_of(probe), Contains(HasSubstr("replica db2: amcheck may not be used there")));
  }
  lab_->Sql("db1",
            "GRANT EXECUTE ON FUNCTION bt_index_check(regclass), "
            "verify_heapam(regclass, boolean, boolean, text, bigint, bigint) TO headgate");
  const std::string granted =
      "SELECT has_function_privilege('headgate', 'bt_index_check(regclass)', 'EXECUTE')";
  ASSERT_TRUE(WaitUntil([&] { return lab_->Sql("db2", granted) == "t"; }, Duration(15'000)));
  PostgresProbe probe(Trio(), Hurried());
  const Report sound = probe.Fingerprint(clock_);
  EXPECT_THAT(sound.findings, IsEmpty());
  EXPECT_THAT(sound.notes, ElementsAre(HasSubstr("replica db3: amcheck is not installed there")));
  for (const char* relation : {"products", "customers_email_key"}) {
    SCOPED_TRACE(relation);
    const std::string file =
        lab_->Folder() + "/db2/" +
        lab_->Sql("db2", std::string("SELECT pg_relation_filepath('") + relation + "')");
    lab_->Do("restart db2");
    WaitUntilHealthy();
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
  lab_->Sql("db1", "DROP EXTENSION amcheck");
}

}  // namespace
}  // namespace headgate::database
