// Data that differ and data that only look as if they did, on real servers.
#include "controller/database/data_comparison.h"

#include <gmock/gmock.h>

#include "tests/controller/database/compared.h"

namespace headgate::database {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

auto Row(RowDifferenceKind kind, const std::string& id) {
  return AllOf(Field("server", &RowDifference::server, "db3"),
               Field("table", &RowDifference::table, "public.items"),
               Field("kind", &RowDifference::kind, kind),
               Field("key", &RowDifference::key,
                     ElementsAre(std::pair<std::string, std::string>("id", id))));
}

auto Drains(const std::string& text) {
  return AllOf(Field("severity", &Finding::severity, Severity::kFailed),
               Field("drains", &Finding::drains, true), Field("kind", &Finding::kind, "data"),
               Field("text", &Finding::text, HasSubstr(text)));
}

class DataDivergence : public ComparedTest {
 protected:
  // What is changed on the subscriber, compared, and undone.
  Result CompareAfter(const std::string& change, const std::string& undo) {
    lab_->Sql("db3", change);
    Result result = Compare(Only({"items"}));
    lab_->Sql("db3", undo);
    return result;
  }
};

TEST_F(DataDivergence, IsNotFoundInAHealthyTrio) {
  const Result result = Compare();
  EXPECT_THAT(result.findings, IsEmpty());
  EXPECT_TRUE(result.is_done);
  // customers, items, orders and products.
  EXPECT_EQ(result.progress.rows_done, 2'000U + 3'000U + 5'000U + 500U);
  EXPECT_EQ(result.progress.tables_done, 4U);
}

TEST_F(DataDivergence, IsNotSeenInTextThatTheReplicaStoresInAnotherEncoding) {
  const std::string words =
      "CREATE TABLE words (k text PRIMARY KEY, v varchar(20), c char(9), j json)";
  lab_->Sql("db3", words);
  lab_->Sql("db1", words);
  lab_->Sql("db1",
            R"(INSERT INTO words VALUES ('zoë', 'Käse', 'é', '{"ä": 1}'), ('zo', 'a', 'b', '1'),
                      ('öl', NULL, 'ß', NULL), ('zz', 'ÿ', '', '"é"'))");
  lab_->Sql("db1", "CREATE PUBLICATION words FOR TABLE words");
  lab_->Sql("db3", "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
  lab_->Sql("db3", words, "latin");
  lab_->Sql("db3",
            "CREATE SUBSCRIPTION latin CONNECTION '" + lab_->Dsn("db1") +
                " user=postgres' PUBLICATION words",
            "latin");
  Refresh();
  WaitUntilInStep();
  Inventory inventory = Trio();
  inventory.replicas = {
      {.name = "db3", .dsn = lab_->Dsn("db3") + " dbname=latin", .kind = ReplicaKind::kLogical}};
  ASSERT_TRUE(testing::WaitUntil(
      [&] {
        return lab_->Sql("db3", "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel",
                         "latin") == "t";
      },
      Duration(20'000)));
  const Result same = Compare(inventory, Only({"words"}));
  lab_->Sql("db3", "UPDATE words SET v = 'Kase' WHERE v LIKE 'K_se'", "latin");
  const Result differs = Compare(inventory, Only({"words"}));
  lab_->Sql("db3", "DROP SUBSCRIPTION latin", "latin");
  lab_->Sql("db3", "DROP DATABASE latin");
  lab_->Sql("db1", "DROP PUBLICATION words; DROP TABLE words");
  lab_->Sql("db3", "DROP TABLE words");
  Refresh();
  EXPECT_THAT(same.findings, IsEmpty());
  EXPECT_EQ(same.progress.rows_done, 4U);
  EXPECT_THAT(differs.findings,
              ElementsAre(Drains("row (k = zo\u00eb) differs from the primary's in v")));
}

TEST_F(DataDivergence, IsFoundInEitherOfTwoTablesWhoseNamesJoinToTheSame) {
  const std::string both =
      R"(CREATE SCHEMA "a.b"; CREATE SCHEMA a; CREATE TABLE "a.b".c (id int PRIMARY KEY, x int);
         CREATE TABLE a."b.c" (id int PRIMARY KEY, x int))";
  lab_->Sql("db3", both);
  lab_->Sql("db1", both);
  lab_->Sql("db1",
            R"(INSERT INTO "a.b".c VALUES (1, 1), (2, 2); INSERT INTO a."b.c" VALUES (1, 5))");
  Refresh();
  WaitUntilInStep();
  lab_->Sql("db3", R"(UPDATE "a.b".c SET x = 3 WHERE id = 2)");
  const Result one = Compare();
  lab_->Sql("db3", R"(UPDATE "a.b".c SET x = 2 WHERE id = 2; UPDATE a."b.c" SET x = 6)");
  const Result other = Compare();
  const std::string gone = R"(DROP SCHEMA "a.b" CASCADE; DROP SCHEMA a CASCADE)";
  lab_->Sql("db1", gone);
  lab_->Sql("db3", gone);
  Refresh();
  EXPECT_THAT(one.findings, ElementsAre(Drains(R"(table "a.b".c: row (id = 2) differs)")));
  EXPECT_THAT(other.findings, ElementsAre(Drains(R"(table a."b.c": row (id = 1) differs)")));
  EXPECT_EQ(one.progress.tables_done, 6U);
}

TEST_F(DataDivergence, IsFoundInAWriteOnTheSubscriberWithTheColumnsThatDiffer) {
  const Result result = CompareAfter("UPDATE items SET a = a + 1, n = n + 1 WHERE id = 2500",
                                     "UPDATE items SET a = a - 1, n = 3750.00 WHERE id = 2500");
  EXPECT_THAT(result.differences, ElementsAre(Row(RowDifferenceKind::kDifferent, "2500")));
  EXPECT_THAT(result.findings,
              ElementsAre(Drains("replica db3: table public.items: row (id = 2500) differs from "
                                 "the primary's in a, n")));
}

TEST_F(DataDivergence, IsFoundInARowThatIsMissingAndInOneTooMany) {
  const Result result =
      CompareAfter("DELETE FROM items WHERE id = 1; INSERT INTO items VALUES (9000, 1)",
                   "DELETE FROM items WHERE id = 9000; INSERT INTO items VALUES (1, 1, 'item 1', "
                   "1.50, '2024-01-01 00:00:01+00')");
  EXPECT_THAT(result.differences, ElementsAre(Row(RowDifferenceKind::kMissing, "1"),
                                              Row(RowDifferenceKind::kExtra, "9000")));
  EXPECT_THAT(result.findings,
              ElementsAre(Drains("row (id = 1) is missing here"),
                          Drains("row (id = 9000) is here and not on the primary")));
  EXPECT_THAT(Compare(Only({"items"})).findings, IsEmpty());
}

TEST_F(DataDivergence, IsFoundInTheScaleOfANumeric) {
  const Result result = CompareAfter("UPDATE items SET n = 3.0 WHERE id = 2",
                                     "UPDATE items SET n = 3.00 WHERE id = 2");
  EXPECT_THAT(result.findings, ElementsAre(Drains("(id = 2) differs from the primary's in n")));
}

TEST_F(DataDivergence, IsFoundInValuesSwappedBetweenTwoRows) {
  // Of one column, and of several columns at once: sums and exclusive ors of columns are the same.
  for (const char* columns : {"b = y.b", "a = y.a, b = y.b, n = y.n, at = y.at"}) {
    const std::string swap = std::string("UPDATE items AS x SET ") + columns +
                             " FROM items AS y WHERE x.id IN (11, 22) AND y.id = 33 - x.id";
    EXPECT_THAT(CompareAfter(swap, swap).differences,
                ElementsAre(Row(RowDifferenceKind::kDifferent, "11"),
                            Row(RowDifferenceKind::kDifferent, "22")))
        << columns;
  }
  EXPECT_THAT(Compare(Only({"items"})).findings, IsEmpty());
}

TEST_F(DataDivergence, IsFoundInNullsThatChangedPlaces) {
  const Result result = CompareAfter("UPDATE items SET a = NULL, n = 5 WHERE id = 5",
                                     "UPDATE items SET a = 5, n = 7.50 WHERE id = 5");
  EXPECT_THAT(result.differences, SizeIs(1));
}

TEST_F(DataDivergence, IsFoundAfterATruncateAndCountedWhereItIsTooMuchToTell) {
  lab_->Sql("db3", "CREATE TABLE kept AS SELECT * FROM items; TRUNCATE items");
  const Result result = Compare(Only({"public.items"}));
  lab_->Sql("db3", "INSERT INTO items SELECT * FROM kept; DROP TABLE kept");
  EXPECT_THAT(result.findings, SizeIs(::testing::Le(DataComparison::kRowsToldMax + 2)));
  EXPECT_THAT(result.findings, Each(Drains("replica db3: table public.items: ")));
  EXPECT_THAT(result.findings, Contains(Drains("more rows differ from the primary's")));
  EXPECT_THAT(result.findings, Contains(Drains("rows on the primary and 0 here")));
  EXPECT_THAT(Compare(Only({"items"})).findings, IsEmpty());
}

TEST_F(DataDivergence, IsFoundInATableThatWasNeverCopied) {
  const std::string table = "CREATE TABLE coupons (id int PRIMARY KEY, code text)";
  lab_->Sql("db3", table);
  lab_->Sql("db1", table + "; INSERT INTO coupons VALUES (1, 'x'), (2, 'y')");
  Refresh("WITH (copy_data = false)");
  WaitUntilInStep();
  const Result result = Compare(Only({"coupons"}));
  lab_->Sql("db1", "DROP TABLE coupons");
  lab_->Sql("db3", "DROP TABLE coupons");
  Refresh();
  EXPECT_THAT(result.differences,
              ElementsAre(Field(&RowDifference::kind, RowDifferenceKind::kMissing),
                          Field(&RowDifference::kind, RowDifferenceKind::kMissing)));
}

TEST_F(DataDivergence, IsFoundInABigintWhoseHalvesHashAlike) {
  const std::string table = "CREATE TABLE wide (id int PRIMARY KEY, v bigint)";
  lab_->Sql("db3", table);
  lab_->Sql("db1", table + "; INSERT INTO wide VALUES (1, -1), (2, 1)");
  Refresh();
  WaitUntilInStep();
  lab_->Sql("db3", "UPDATE wide SET v = 4294967295 WHERE id = 1");
  lab_->Sql("db3", "UPDATE wide SET v = 4294967296 WHERE id = 2");
  const Result result = Compare(Only({"wide"}));
  lab_->Sql("db1", "DROP TABLE wide");
  lab_->Sql("db3", "DROP TABLE wide");
  Refresh();
  EXPECT_THAT(result.differences, SizeIs(2));
}

TEST_F(DataDivergence, IsFoundInPartitionsAndInTheTableThatTheyArePublishedAs) {
  lab_->Sql("db3", "CREATE TABLE visits (id int, day date, PRIMARY KEY (day, id))");
  lab_->Sql("db1", "ALTER PUBLICATION shop SET (publish_via_partition_root = true)");
  lab_->Sql(
      "db1",
      "CREATE TABLE visits (id int, day date, PRIMARY KEY (day, id)) PARTITION BY RANGE (day);"
      "CREATE TABLE visits_23 PARTITION OF visits FOR VALUES FROM ('2023-01-01') TO "
      "('2024-01-01'); CREATE TABLE visits_24 PARTITION OF visits FOR VALUES FROM "
      "('2024-01-01') TO ('2025-01-01'); INSERT INTO visits SELECT i, '2023-06-01'::date + i "
      "FROM generate_series(1, 400) AS i");
  Refresh();
  WaitUntilInStep();
  const ComparisonOptions options = Only({"visits", "visits_23", "visits_24"});
  const Result same = Compare(options);
  EXPECT_THAT(same.findings, IsEmpty());
  // As a whole with the subscriber, part by part with the standby.
  EXPECT_EQ(same.progress.rows_done, 800U);
  lab_->Sql("db3", "DELETE FROM visits WHERE id = 300");
  const Result result = Compare(options);
  lab_->Sql("db1",
            "DROP TABLE visits; ALTER PUBLICATION shop SET (publish_via_partition_root = false)");
  lab_->Sql("db3", "DROP TABLE visits");
  Refresh();
  EXPECT_THAT(result.findings,
              ElementsAre(Drains("replica db3: table public.visits: row (day = 2024-03-27, id = "
                                 "300) is missing here")));
}

// One row of every type that is hashed in its own way, and of some that have no hash; on the
// replica in another order of columns.
constexpr char kKindsColumns[] =
    "CREATE TYPE mood AS ENUM ('bad', 'good'); CREATE TYPE pair AS (x int, y text);"
    "CREATE DOMAIN cents AS bigint; CREATE TABLE kinds (";
const std::vector<std::string> kKinds = {"i2 smallint",
                                         "i8 cents",
                                         "ok boolean",
                                         "f4 real",
                                         "f8 double precision",
                                         "n numeric",
                                         "c char(5)",
                                         "letter \"char\"",
                                         "label name",
                                         "d date",
                                         "t time",
                                         "tz timetz",
                                         "ts timestamp",
                                         "i interval",
                                         "u uuid",
                                         "raw bytea",
                                         "j json",
                                         "jb jsonb",
                                         "x xml",
                                         "p point",
                                         "ip inet",
                                         "list int[]",
                                         "words text[]",
                                         "m mood",
                                         "pr pair",
                                         "r int4range",
                                         "cash money",
                                         "o oid",
                                         "twice bigint GENERATED ALWAYS AS (i2 * 2) STORED"};
constexpr char kKindsRows[] =
    "INSERT INTO kinds (k1, k2, k3, i2, i8, ok, f4, f8, n, c, letter, label, d, t, tz, ts, i, u, "
    "raw, j, jb, x, p, ip, list, words, m, pr, r, cash, o) VALUES "
    "('a', '2024-03-31 01:30+00', '00000000-0000-0000-0000-00000000000a', 1, 2, true, 0.1, '-0', "
    "'NaN', 'ab', 'x', 'n', 'infinity', '12:00', '12:00+02', '-infinity', '1 mon -3 days 04:05', "
    "'00000000-0000-0000-0000-00000000000b', '\\x00ff', '{\"b\": 1, \"a\":2}', '{\"n\": 1.50}', "
    "'<a/>', '(1,2)', '10.0.0.0/8', '{1,NULL,3}', '{\"a,b\",\"\"}', 'good', '(1,\"x y\")', "
    "'[1,5)', '12.34', 17), "
    "('a', '2024-03-31 01:30+00', '00000000-0000-0000-0000-00000000000c', NULL, NULL, NULL, NULL, "
    "'NaN', 1e-30, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
    "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), "
    "('Ä ''\"\\', 'infinity', '00000000-0000-0000-0000-00000000000a', -1, -1, false, 'Infinity', "
    "1e300, -0.0, '', '', '', '0044-03-15 BC', '24:00', '00:00-12', '2024-01-01', '0', "
    "'ffffffff-ffff-ffff-ffff-ffffffffffff', '', 'null', '[]', '<b/>', '(0,-0)', '::1', '{}', "
    "'{}', 'bad', '(,)', 'empty', '-1', 0)";
constexpr char kKindsKey[] = "k1 text, k2 timestamptz, k3 uuid, PRIMARY KEY (k1, k2, k3))";

class DataOfEveryKind : public ComparedTest {
 protected:
  static void SetUpTestSuite() {
    ComparedTest::SetUpTestSuite();
    std::string columns;
    std::string reversed;
    for (const std::string& kind : kKinds) {
      columns += kind + ", ";
      reversed.insert(0, kind + ", ");
    }
    lab_->Sql("db3", kKindsColumns + reversed + kKindsKey);
    lab_->Sql("db1", kKindsColumns + columns + kKindsKey);
    lab_->Sql("db1", kKindsRows);
    Refresh();
  }
};

TEST_F(DataOfEveryKind, IsTheSameWhateverTheServersSettingsAre) {
  const std::vector<std::string> settings = {"TimeZone = 'America/New_York'",
                                             "DateStyle = 'SQL, DMY'",
                                             "IntervalStyle = 'iso_8601'",
                                             "extra_float_digits = -3",
                                             "bytea_output = 'escape'",
                                             "search_path = 'nowhere'",
                                             "default_transaction_isolation = 'serializable'",
                                             "row_security = on",
                                             "statement_timeout = '300ms'"};
  for (const std::string& setting : settings) {
    lab_->Sql("db3", "ALTER ROLE headgate SET " + setting);
  }
  const Result result = Compare(Only({"kinds"}));
  lab_->Sql("db3", "ALTER ROLE headgate RESET ALL");
  EXPECT_THAT(result.findings, IsEmpty());
  EXPECT_EQ(result.progress.rows_done, 3U);
}

TEST_F(DataOfEveryKind, DiffersInEachColumnThatIsChanged) {
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"i2", "2"},
      {"i8", "-2"},
      {"ok", "false"},
      {"f4", "0.10000001"},
      {"f8", "0"},
      {"n", "'Infinity'"},
      {"c", "'abc'"},
      {"letter", "'y'"},
      {"label", "'N'"},
      {"d", "'-infinity'"},
      {"t", "'12:00:00.000001'"},
      {"tz", "'11:00+01'"},
      {"ts", "'infinity'"},
      {"i", "'27 days 04:05'"},
      {"u", "NULL"},
      {"raw", "'\\x00fe'"},
      {"j", "'{\"a\":2, \"b\": 1}'"},
      {"jb", "'{\"n\": 1.5}'"},
      {"x", "'<a></a>'"},
      {"p", "'(1,2.0000000000000004)'"},
      {"ip", "'10.0.0.0/9'"},
      {"list", "'[0:2]={1,NULL,3}'"},
      {"words", "'{a,b}'"},
      {"m", "'bad'"},
      {"pr", "'(1,\"x  y\")'"},
      {"r", "'[1,6)'"},
      {"cash", "'12.35'"},
      {"o", "18"}};
  for (const auto& [column, value] : changes) {
    const std::string where = " WHERE k3::text LIKE '%c' OR i2 IS NOT NULL AND k1 = 'a'";
    lab_->Sql("db3", "CREATE TABLE kept AS SELECT k1, k2, k3, " + column + " AS v FROM kinds");
    lab_->Sql("db3", "UPDATE kinds SET " + column + " = " + value + where);
    const Result result = Compare(Only({"kinds"}));
    lab_->Sql("db3", "UPDATE kinds SET " + column +
                         " = v FROM kept WHERE (kinds.k1, kinds.k2, kinds.k3) = "
                         "(kept.k1, kept.k2, kept.k3); DROP TABLE kept");
    EXPECT_THAT(result.differences, SizeIs(value == "NULL" ? 1 : 2)) << column;
    EXPECT_THAT(result.differences, Each(Field(&RowDifference::columns, Contains(column))))
        << column;
  }
  EXPECT_THAT(Compare(Only({"kinds"})).findings, IsEmpty());
}

TEST_F(DataOfEveryKind, IsComparedAlsoWhereTheReplicaSortsItsKeyDifferently) {
  const std::string of_primary = "CREATE TABLE words (word text PRIMARY KEY, n int)";
  lab_->Sql("db3", "CREATE TABLE words (word text COLLATE \"en-x-icu\" PRIMARY KEY, n int)");
  lab_->Sql("db1", of_primary);
  lab_->Sql("db1",
            "INSERT INTO words SELECT (ARRAY['a', 'B', 'ä', '-c', ' d'])[1 + i % 5] || i, i "
            "FROM generate_series(1, 5000) AS i");
  Refresh();
  WaitUntilInStep();
  EXPECT_THAT(Compare(Only({"words"})).findings, IsEmpty());
  lab_->Sql("db3", "INSERT INTO words VALUES ('Zz', 1), ('ä0', 1)");
  lab_->Sql("db3", "DELETE FROM words WHERE n = 7");
  const Result result = Compare(Only({"words"}));
  lab_->Sql("db1", "DROP TABLE words");
  lab_->Sql("db3", "DROP TABLE words");
  Refresh();
  EXPECT_THAT(result.differences, SizeIs(3));
}

}  // namespace
}  // namespace headgate::database
