// Schema drift on real servers: what one side was changed to, and how it is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "controller/database/expected_schema.h"
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

constexpr Duration kInStepMax{15'000};

class SchemaDriftTest : public TrioTest {
 protected:
  void SetUp() override {}
};

struct Drift {
  const char* server;
  const char* change;
  const char* undo;
  const char* told;
};

TEST_F(SchemaDriftTest, IsToldWithTableObjectAndBothDefinitionsAndDrains) {
  const std::vector<Drift> drifts = {
      {"db3", "ALTER TABLE orders ADD COLUMN gift text", "ALTER TABLE orders DROP COLUMN gift",
       "replica db3: table public.orders: column gift is text here; the primary has none"},
      {"db1", "ALTER TABLE orders ADD COLUMN gift text", "ALTER TABLE orders DROP COLUMN gift",
       "replica db3: table public.orders: column gift is missing here; on the primary it is text"},
      {"db3", "ALTER TABLE orders ALTER total TYPE integer",
       "ALTER TABLE orders ALTER total TYPE numeric(10,2)",
       "replica db3: table public.orders: column total is integer not null here, numeric(10,2) not "
       "null on the primary"},
      {"db3", "ALTER TABLE orders ALTER placed_at TYPE timestamptz(0)",
       "ALTER TABLE orders ALTER placed_at TYPE timestamptz",
       "column placed_at is timestamp(0) with time zone default now() not null here, timestamp "
       "with "
       "time zone default now() not null on the primary"},
      {"db3", "ALTER TABLE orders ALTER status DROP DEFAULT",
       "ALTER TABLE orders ALTER status SET DEFAULT 'new'",
       "column status is public.order_status not null here, public.order_status default "
       "'new'::public.order_status not null on the primary"},
      {"db3", "ALTER TABLE customers ALTER name DROP NOT NULL",
       "ALTER TABLE customers ALTER name SET NOT NULL",
       "table public.customers: column name is text here, text not null on the primary"},
      {"db3", "ALTER TYPE order_status RENAME VALUE 'paid' TO 'settled'",
       "ALTER TYPE order_status RENAME VALUE 'settled' TO 'paid'",
       "replica db3: type public.order_status is an enum of 'new', 'settled', 'shipped', "
       "'returned' "
       "here, an enum of 'new', 'paid', 'shipped', 'returned' on the primary"},
      {"db3", "ALTER TABLE orders DROP CONSTRAINT orders_quantity_check",
       "ALTER TABLE orders ADD CONSTRAINT orders_quantity_check CHECK (quantity > 0)",
       "table public.orders: constraint orders_quantity_check is missing here; on the primary it "
       "is "
       "CHECK ((quantity > 0))"},
      {"db3", "CREATE UNIQUE INDEX one_name ON customers (name)", "DROP INDEX one_name",
       "table public.customers: unique index one_name is CREATE UNIQUE INDEX one_name ON "
       "public.customers USING btree (name) here; the primary has none"},
      {"db3", "DROP INDEX orders_customer_id_idx",
       "CREATE INDEX orders_customer_id_idx ON orders (customer_id)",
       "table public.orders: index orders_customer_id_idx is missing here; on the primary it is "
       "CREATE INDEX orders_customer_id_idx ON public.orders USING btree (customer_id)"},
      {"db3",
       "CREATE TRIGGER noop BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION "
       "suppress_redundant_updates_trigger(); ALTER TABLE orders ENABLE ALWAYS TRIGGER noop",
       "DROP TRIGGER noop ON orders",
       "table public.orders: replicated trigger noop is CREATE TRIGGER noop BEFORE UPDATE"},
      {"db3", "ALTER TABLE orders ADD twice numeric GENERATED ALWAYS AS (total * 2) STORED",
       "ALTER TABLE orders DROP COLUMN twice",
       "column twice is numeric generated always as (total * (2)::numeric) here"},
  };
  for (const Drift& drift : drifts) {
    SCOPED_TRACE(drift.change);
    PostgresProbe probe(Trio(), Hurried());
    lab_->Sql(drift.server, drift.change);
    const Report report = probe.Fingerprint(clock_);
    lab_->Sql(drift.server, drift.undo);
    EXPECT_THAT(report.findings,
                ElementsAre(AllOf(Field(&Finding::text, HasSubstr(drift.told)),
                                  Field(&Finding::severity, Severity::kFailed),
                                  Field(&Finding::drains, true), Field(&Finding::kind, "schema"),
                                  Field(&Finding::server, "db3"))));
    const Report after = probe.Fingerprint(clock_);
    EXPECT_THAT(after.findings, IsEmpty());
  }
}

TEST_F(SchemaDriftTest, IsNotConfirmedWhileAStandbyHasNotReplayedTheChange) {
  PostgresProbe::Deadlines deadlines = Hurried();
  deadlines.fingerprint.confirm = Duration(300);
  PostgresProbe probe(Trio(), deadlines);
  lab_->Sql("db2", "SELECT pg_wal_replay_pause()");
  ASSERT_TRUE(WaitUntil(
      [&] { return lab_->Sql("db2", "SELECT pg_get_wal_replay_pause_state()") == "paused"; },
      Duration(5'000)));
  lab_->Sql("db1", "ALTER TABLE products ADD COLUMN colour text");
  lab_->Sql("db3", "ALTER TABLE products ADD COLUMN colour text");
  const Report paused = probe.Fingerprint(clock_);
  EXPECT_THAT(paused.findings,
              ElementsAre(AllOf(Field(&Finding::text, HasSubstr("column colour is missing here; on "
                                                                "the primary it is text (not "
                                                                "confirmed")),
                                Field(&Finding::severity, Severity::kUnknown),
                                Field(&Finding::drains, false))));
  lab_->Sql("db2", "SELECT pg_wal_replay_resume()");
  // What was only on its way is no drift: the second reading sees it arrive.
  EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
  lab_->Sql("db1", "ALTER TABLE products DROP COLUMN colour");
  lab_->Sql("db3", "ALTER TABLE products DROP COLUMN colour");
}

TEST_F(SchemaDriftTest, IsNotSeenInWhatALogicalReplicaMayHaveForItself) {
  PostgresProbe probe(Trio(), Hurried());
  lab_->Sql("db3", "CREATE TABLE report (id int)");
  lab_->Sql("db3", "CREATE INDEX by_total ON orders (total)");
  lab_->Sql("db3",
            "CREATE TRIGGER noop BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION "
            "suppress_redundant_updates_trigger()");
  EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
  lab_->Sql("db3", "DROP TRIGGER noop ON orders; DROP INDEX by_total; DROP TABLE report");
}

TEST_F(SchemaDriftTest, IsNotSeenInWhatAPublisherMayHaveForItself) {
  PostgresProbe probe(Trio(), Hurried());
  lab_->Sql("db1", "ALTER TABLE orders REPLICA IDENTITY FULL");
  lab_->Sql("db1", "ALTER TABLE customers ENABLE ROW LEVEL SECURITY");
  lab_->Sql("db1", "ALTER PUBLICATION shop SET (publish_via_partition_root = true)");
  lab_->Sql(
      "db1",
      "CREATE TABLE visits (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);"
      "CREATE INDEX visits_day ON visits (day);"
      "CREATE TABLE visits_2024 PARTITION OF visits "
      "FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')");
  lab_->Sql("db3",
            "CREATE TABLE visits (id int, day date, PRIMARY KEY (id, day));"
            "CREATE INDEX visits_day ON visits (day)");
  lab_->Sql("db3", "ALTER SUBSCRIPTION db3 REFRESH PUBLICATION");
  WaitUntilHealthy(kInStepMax);
  EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
  // The columns of such a table are compared as those of every other.
  lab_->Sql("db3", "ALTER TABLE visits ALTER id TYPE bigint");
  EXPECT_THAT(probe.Fingerprint(clock_).findings,
              ElementsAre(Field(&Finding::text, HasSubstr("table public.visits: column id is "
                                                          "bigint not null here, integer"))));
  lab_->Sql("db1", "DROP TABLE visits");
  lab_->Sql("db3", "DROP TABLE visits");
  lab_->Sql("db1", "ALTER PUBLICATION shop SET (publish_via_partition_root = false)");
  lab_->Sql("db1", "ALTER TABLE customers DISABLE ROW LEVEL SECURITY");
  lab_->Sql("db1", "ALTER TABLE orders REPLICA IDENTITY DEFAULT");
  lab_->Sql("db3", "ALTER SUBSCRIPTION db3 REFRESH PUBLICATION");
}

TEST_F(SchemaDriftTest, IncludesATableThatIsPublishedAndNotSubscribed) {
  PostgresProbe probe(Trio(), Hurried());
  const std::string table = "CREATE TABLE coupons (id int PRIMARY KEY)";
  lab_->Sql("db1", table);
  EXPECT_THAT(probe.Fingerprint(clock_).findings,
              Contains(Field(&Finding::text,
                             "replica db3: table public.coupons is missing here; on the primary it "
                             "is a table")));
  lab_->Sql("db3", table);
  EXPECT_THAT(probe.Fingerprint(clock_).findings,
              ElementsAre(AllOf(Field(&Finding::kind, "not_subscribed"),
                                Field(&Finding::severity, Severity::kFailed),
                                Field(&Finding::text, HasSubstr("table public.coupons")))));
  lab_->Sql("db3", "ALTER SUBSCRIPTION db3 REFRESH PUBLICATION");
  EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
  WaitUntilHealthy(kInStepMax);
  lab_->Sql("db1", "DROP TABLE coupons");
  lab_->Sql("db3", "DROP TABLE coupons");
  lab_->Sql("db3", "ALTER SUBSCRIPTION db3 REFRESH PUBLICATION");
}

TEST_F(SchemaDriftTest, IsStillConfirmedWhenItHasStoppedTheReplication) {
  PostgresProbe probe(Trio(), Hurried());
  lab_->Sql("db3", "ALTER TABLE orders DROP COLUMN placed_at");
  lab_->Sql("db1", "UPDATE orders SET quantity = quantity + 1 WHERE id = 1");
  ASSERT_TRUE(WaitUntil(
      [&] {
        return lab_->Sql("db3", "SELECT apply_error_count > 0 FROM pg_stat_subscription_stats") ==
               "t";
      },
      Duration(5'000)));
  const Report report = probe.Fingerprint(clock_);
  EXPECT_THAT(
      report.findings,
      ElementsAre(AllOf(Field(&Finding::text, HasSubstr("column placed_at is missing here")),
                        Field(&Finding::drains, true))));
  lab_->Sql("db3", "ALTER TABLE orders ADD COLUMN placed_at timestamptz NOT NULL DEFAULT now()");
}

TEST_F(SchemaDriftTest, IncludesTheTypesThatArraysAreMadeOf) {
  PostgresProbe probe(Trio(), Hurried());
  lab_->Sql("db3", "CREATE DOMAIN label AS text; ALTER TABLE orders ADD labels label[]");
  const Report report = probe.Fingerprint(clock_);
  lab_->Sql("db3", "ALTER TABLE orders DROP labels; DROP DOMAIN label");
  EXPECT_THAT(
      report.findings,
      ElementsAre(
          Field(&Finding::text, HasSubstr("type public.label is a domain over text here; the "
                                          "primary has none")),
          Field(&Finding::text, HasSubstr("column labels is public.label[] here; the primary "
                                          "has none"))));
}

// Its rows arrive, and are missing where people look for them.
TEST_F(SchemaDriftTest, IsToldOfAPartitionThatIsDetachedAndOfAChildThatInheritsNoMore) {
  for (const char* server : {"db1", "db3"}) {
    lab_->Sql(server,
              "CREATE TABLE days (id int PRIMARY KEY) PARTITION BY RANGE (id); "
              "CREATE TABLE day_1 PARTITION OF days FOR VALUES FROM (0) TO (100); "
              "CREATE TABLE parent (id int PRIMARY KEY); "
              "CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent)");
  }
  lab_->Sql("db3", "ALTER SUBSCRIPTION db3 REFRESH PUBLICATION");
  WaitUntilHealthy(kInStepMax);
  PostgresProbe probe(Trio(), Hurried());
  EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
  lab_->Sql("db3", "ALTER TABLE days DETACH PARTITION day_1; ALTER TABLE child NO INHERIT parent");
  const Report report = probe.Fingerprint(clock_);
  for (const char* server : {"db3", "db1"}) {
    lab_->Sql(server, "DROP TABLE days, child, parent; DROP TABLE IF EXISTS day_1");
  }
  lab_->Sql("db3", "ALTER SUBSCRIPTION db3 REFRESH PUBLICATION");
  const auto is_missing = [](const char* what) {
    return AllOf(Field(&Finding::text, HasSubstr(what)), Field(&Finding::drains, true));
  };
  EXPECT_THAT(report.findings,
              ElementsAre(is_missing("child: setting child of public.parent is missing here"),
                          is_missing("day_1: setting partition of public.days is missing here")));
}

TEST_F(SchemaDriftTest, IsToldOfWhatRangesAndDomainsAreMadeOf) {
  const auto make = [&](const char* server, const std::string& range, const std::string& domain) {
    lab_->Sql(server, "CREATE TYPE span AS RANGE (subtype = " + range +
                          "); CREATE DOMAIN word AS text COLLATE \"" + domain +
                          "\"; ALTER TABLE customers ADD span span, ADD spans span_multirange, "
                          "ADD word word");
  };
  make("db1", "int4", "C");
  make("db3", "int8", "POSIX");
  PostgresProbe probe(Trio(), Hurried());
  const Report report = probe.Fingerprint(clock_);
  for (const char* server : {"db3", "db1"}) {
    lab_->Sql(server,
              "ALTER TABLE customers DROP span, DROP spans, DROP word; DROP TYPE span; DROP DOMAIN "
              "word");
  }
  EXPECT_THAT(report.findings,
              ElementsAre(Field(&Finding::text, HasSubstr("type public.span is a range of bigint "
                                                          "here, a range of integer on")),
                          Field(&Finding::text,
                                HasSubstr("type public.word is a domain over text collate "
                                          "\"POSIX\" here, a domain over text collate \"C\""))));
}

// What they do is nowhere in the definitions that call them, and a column that is generated is not
// published, so nobody would see what it comes to.
TEST_F(SchemaDriftTest, IsToldOfFunctionsThatHaveASayInTheRows) {
  const std::string twice = "RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2'";
  const std::string touch =
      "RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.name := upper(NEW.name); RETURN NEW; END'";
  for (const char* server : {"db1", "db3"}) {
    lab_->Sql(server, "CREATE FUNCTION twice(int) " + twice + "; CREATE FUNCTION unused(int) " +
                          twice + "; CREATE FUNCTION touch() " + touch +
                          "; ALTER TABLE orders ADD pair int GENERATED ALWAYS AS (twice(quantity)) "
                          "STORED; CREATE TRIGGER touched BEFORE UPDATE ON customers FOR EACH ROW "
                          "EXECUTE FUNCTION touch(); "
                          "ALTER TABLE customers ENABLE ALWAYS TRIGGER touched");
  }
  PostgresProbe probe(Trio(), Hurried());
  EXPECT_TRUE(WaitUntil([&] { return probe.Fingerprint(clock_).findings.empty(); }, kInStepMax));
  lab_->Sql(
      "db3",
      "CREATE OR REPLACE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 "
      "* 3'; CREATE OR REPLACE FUNCTION unused(int) RETURNS int LANGUAGE sql AS 'SELECT 7'; "
      "CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN "
      "NEW; END'");
  const Report report = probe.Fingerprint(clock_);
  for (const char* server : {"db1", "db3"}) {
    lab_->Sql(server,
              "ALTER TABLE orders DROP pair; DROP TRIGGER touched ON customers; "
              "DROP FUNCTION twice(int); DROP FUNCTION unused(int); DROP FUNCTION touch()");
  }
  EXPECT_THAT(
      report.findings,
      ElementsAre(
          AllOf(Field(&Finding::text, HasSubstr("replica db3: function public.touch() is ")),
                Field(&Finding::drains, true)),
          AllOf(Field(&Finding::text, HasSubstr("replica db3: function public.twice(integer) is ")),
                Field(&Finding::text, HasSubstr("SELECT $1 * 3")),
                Field(&Finding::text, HasSubstr("SELECT $1 * 2")))));
}

TEST_F(SchemaDriftTest, IsToldOfACollationOfOnesOwnThatIsMadeOfSomethingElse) {
  const auto make = [&](const char* server, const std::string& collation) {
    lab_->Sql(server, "CREATE COLLATION alike (provider = icu, " + collation +
                          "); ALTER TABLE customers ALTER name TYPE text COLLATE alike");
  };
  make("db1", "locale = 'und-u-ks-level2', deterministic = false");
  make("db3", "locale = 'und'");
  PostgresProbe probe(Trio(), Hurried());
  Report report;
  EXPECT_TRUE(WaitUntil(
      [&] {
        report = probe.Fingerprint(clock_);
        return report.findings.size() == 1 && report.findings[0].drains;
      },
      kInStepMax));
  for (const char* server : {"db1", "db3"}) {
    lab_->Sql(server, "ALTER TABLE customers ALTER name TYPE text; DROP COLLATION alike");
  }
  EXPECT_THAT(report.findings,
              ElementsAre(Field(&Finding::text,
                                HasSubstr("column name is text collate public.alike (icu und) not "
                                          "null here, text collate public.alike (icu "
                                          "und-u-ks-level2 not deterministic) not null on the "
                                          "primary"))));
}

// A backup brings back the wrong schema everywhere: all servers agree, and nobody else would tell.
TEST_F(SchemaDriftTest, IsToldOfAPrimaryThatIsNotAsThePlanExpectsThoughItsReplicasAre) {
  Inventory inventory = Trio();
  inventory.replicas.pop_back();
  const auto schema = ReadSchema(Ask("db1", SchemaStatement({}).sql, {"{}"}));
  ASSERT_TRUE(schema.ok()) << schema.status();
  inventory.expected = Expect(*schema, inventory, 64U << 10U);
  inventory.expected->file = "schema.baseline";
  PostgresProbe probe(inventory, Hurried());
  EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
  lab_->Sql("db1", "ALTER TABLE orders ALTER quantity TYPE bigint; CREATE TABLE gifts (id int)");
  // What the standby is just replaying cannot be read.
  Report report;
  EXPECT_TRUE(WaitUntil(
      [&] {
        report = probe.Fingerprint(clock_);
        return !Has(report, "schema_unread");
      },
      kInStepMax));
  inventory.allow = {"public.orders.quantity", "public.gifts"};
  inventory.expected = Expect(*schema, inventory, 64U << 10U);
  PostgresProbe lenient(inventory, Hurried());
  const Report allowed = lenient.Fingerprint(clock_);
  lab_->Sql("db1", "ALTER TABLE orders ALTER quantity TYPE integer; DROP TABLE gifts");
  const auto is_proven = AllOf(Field(&Finding::severity, Severity::kFailed),
                               Field(&Finding::drains, true), Field(&Finding::kind, "baseline"));
  EXPECT_THAT(report.findings,
              ElementsAre(AllOf(is_proven, Field(&Finding::text,
                                                 "the primary: table public.gifts is not in "
                                                 "schema.baseline")),
                          AllOf(is_proven, Field(&Finding::table, "public.orders"))));
  EXPECT_THAT(allowed.findings, IsEmpty());
  EXPECT_TRUE(WaitUntil([&] { return probe.Fingerprint(clock_).findings.empty(); }, kInStepMax));
}

TEST_F(SchemaDriftTest, IsLookedForInTwoThousandTablesWithinTheUsualDeadline) {
  Inventory inventory = Trio();
  inventory.replicas.pop_back();
  lab_->Sql("db1",
            "CREATE SCHEMA many; DO $$ BEGIN FOR i IN 1..2000 LOOP EXECUTE format('CREATE TABLE "
            "many.t%s (a int, b int DEFAULT 0, c public.order_status[])', i); END LOOP; END $$");
  PostgresProbe probe(inventory);
  EXPECT_THAT(probe.Fingerprint(clock_).findings, IsEmpty());
  lab_->Sql("db1", "DROP SCHEMA many CASCADE");
}

TEST_F(SchemaDriftTest, IsUnknownWhereAServerCannotBeRead) {
  Inventory inventory = Trio();
  inventory.schemas = {"public", "billing"};
  PostgresProbe probe(inventory, Hurried());
  EXPECT_THAT(probe.Fingerprint(clock_).findings,
              ElementsAre(AllOf(Field(&Finding::kind, "schema_unread"),
                                Field(&Finding::severity, Severity::kUnknown),
                                Field(&Finding::text, HasSubstr("schema billing")))));
  lab_->Do("pause db3");
  PostgresProbe::Deadlines deadlines = Hurried();
  deadlines.fingerprint.reading.statement = Duration(500);
  PostgresProbe hurried(Trio(), deadlines);
  const Report report = hurried.Fingerprint(clock_);
  lab_->Do("resume db3");
  EXPECT_THAT(report.findings, ElementsAre(AllOf(Field(&Finding::kind, "schema_unread"),
                                                 Field(&Finding::severity, Severity::kUnknown),
                                                 Field(&Finding::server, "db3"))));
}

}  // namespace
}  // namespace headgate::database
