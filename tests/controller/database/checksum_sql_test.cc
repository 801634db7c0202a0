// The SQL of both dialects, as far as it can be told without a server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <random>

#include "controller/database/maria_checksum.h"
#include "controller/database/postgres_checksum.h"

namespace headgate::database {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TablePlan Postgres() {
  return {.schema = "public",
          .name = "or\"ders",
          .columns = {{.name = "id", .base = "int8", .may_be_null = false},
                      {.name = "note", .base = "text", .may_be_null = true},
                      {.name = "point", .base = "point", .may_be_null = true}},
          .key = {{.name = "id", .type = "bigint"}},
          .replicas = {"db2"}};
}

TEST(PostgresChecksum, ChainsTheColumnsBehindTheirNullBits) {
  const Statement sum = PostgresChecksum().SumStatement(Postgres(), {}, std::nullopt);
  EXPECT_THAT(
      sum.sql,
      HasSubstr("bit_xor(hashtextextended(concat(\"point\") COLLATE \"C\", "
                "hashtextextended(coalesce(\"note\", '') COLLATE \"C\", hashint4extended(0, "
                "hashint4extended(CASE WHEN \"note\" IS NULL THEN 1 ELSE 0 END + CASE WHEN "
                "\"point\" IS NULL THEN 2 ELSE 0 END, 4711::int8) # \"id\"))))"));
  EXPECT_THAT(sum.sql, HasSubstr("FROM ONLY \"public\".\"or\"\"ders\""));
  EXPECT_THAT(sum.sql, Not(HasSubstr("WHERE")));
  EXPECT_THAT(sum.parameters, IsEmpty());
}

TEST(PostgresChecksum, WalksKeysOfOneAndOfSeveralColumns) {
  const PostgresChecksum dialect;
  TablePlan table = Postgres();
  const KeyRange one{.after = Key{"5"}, .until = Key{"9"}};
  Statement sum = dialect.SumStatement(table, one, std::nullopt);
  EXPECT_THAT(sum.sql, HasSubstr(" WHERE \"id\" > $1::bigint AND \"id\" <= $2::bigint"));
  EXPECT_THAT(sum.parameters, ElementsAre("5", "9"));

  table.key.push_back({.name = "code", .type = "character varying(20)", .by_bytes = true});
  const Statement bound =
      dialect.BoundStatement(table, {.after = Key{"5", "x'); --"}, .until = {}}, 100);
  EXPECT_THAT(bound.sql,
              HasSubstr("FROM (SELECT \"id\", \"code\" FROM ONLY \"public\".\"or\"\"ders\" WHERE "
                        "ROW(\"id\", \"code\" COLLATE \"C\") > ROW($1::bigint, "
                        "$2::character varying(20)) ORDER BY \"id\", \"code\" COLLATE \"C\" "
                        "OFFSET 99 LIMIT 1) AS last"));
  EXPECT_THAT(bound.parameters, ElementsAre("5", "x'); --"));
}

TEST(PostgresChecksum, HasRoomForMoreColumnsThatMayBeNullThanAnIntegerHasBits) {
  TablePlan table = Postgres();
  for (int i = 0; i < 40; ++i) {
    table.columns.push_back({.name = "c" + std::to_string(i), .base = "int4"});
  }
  const Statement sum = PostgresChecksum().SumStatement(table, {}, std::nullopt);
  EXPECT_THAT(sum.sql, HasSubstr("\"c27\" IS NULL THEN 536870912"));
  EXPECT_THAT(sum.sql, HasSubstr("hashint4extended(CASE WHEN \"c28\" IS NULL THEN 1 "));
}

TEST(PostgresChecksum, BelievesOfASubscriberOnlyWhatItReportedToHaveApplied) {
  const PostgresChecksum dialect;
  const auto replayed = [&](const char* slot_position) {
    return dialect.HasReplayed(ServerRole::kLogical, "1000",
                               {Rows{{"db3", slot_position}, {"other", "9999"}}}, {Rows{{"db3"}}});
  };
  EXPECT_TRUE(replayed("1000"));
  EXPECT_FALSE(replayed("999"));
  EXPECT_FALSE(
      dialect.HasReplayed(ServerRole::kLogical, "1000", {Rows{{"db3", "2000"}}}, {Rows{}}));
  EXPECT_TRUE(dialect.HasReplayed(ServerRole::kPhysical, "8216", {}, {Rows{{"8192"}}}));
  EXPECT_FALSE(dialect.HasReplayed(ServerRole::kPhysical, "8300", {}, {Rows{{"8192"}}}));
  EXPECT_FALSE(dialect.HasReplayed(ServerRole::kPhysical, "8300", {}, {Rows{{std::nullopt}}}));
}

TablePlan Maria() {
  return {.schema = "shop",
          .name = "or`ders",
          .columns = {{.name = "id", .base = "number", .may_be_null = false},
                      {.name = "note", .base = "text utf8mb4", .may_be_null = true},
                      {.name = "ratio", .base = "real", .may_be_null = true},
                      {.name = "where", .base = "other point", .may_be_null = false}},
          .key = {{.name = "id", .type = "bigint"}},
          .is_primary_key = true,
          .replicas = {"db2"}};
}

TEST(MariaChecksum, HashesEachRowSoThatNoTwoReadTheSame) {
  const Statement sum = MariaChecksum().SumStatement(Maria(), {}, std::nullopt);
  EXPECT_THAT(sum.sql,
              HasSubstr("BIT_XOR(IFNULL(CRC32(@row := CONCAT_WS(_binary'#' COLLATE `binary`, "
                        "`id`, IFNULL(LENGTH(`note`), 'N'), `note`, "
                        "IFNULL(CAST(`ratio` AS DOUBLE), 'N'), SHA1(`where`))) * "
                        "CRC32C(@row), CRC32(@row := UUID()) * CRC32C(@row)))"));
  EXPECT_THAT(sum.sql, HasSubstr("FROM `shop`.`or``ders` FORCE INDEX (PRIMARY)"));
}

// docs/decisions/0018: counted with 8 bits in the place of each CRC's 32.
TEST(MariaChecksum, AProductOfTwoCrcsMissesFewMoreThanAnIdealHash) {
  constexpr int kBits = 8;
  constexpr int kTrials = 5'000'000;
  constexpr double kIdeal = static_cast<double>(kTrials) / (1 << (2 * kBits));
  std::mt19937 random(11);
  std::uniform_int_distribution<std::uint32_t> crc(0, (1 << kBits) - 1);
  int missed_swaps = 0;
  int missed_changes = 0;
  for (int i = 0; i < kTrials; ++i) {
    // Of two rows, and by how much a value of the one differs from the other's.
    const std::uint32_t a1 = crc(random), b1 = crc(random), a2 = crc(random), b2 = crc(random);
    const std::uint32_t a = crc(random), b = crc(random);
    if ((a | b) == 0 || (a1 == a2 && b1 == b2)) continue;
    const std::uint32_t changed = (a1 * b1) ^ ((a1 ^ a) * (b1 ^ b));
    if (changed == 0) ++missed_changes;
    if (changed == ((a2 * b2) ^ ((a2 ^ a) * (b2 ^ b)))) ++missed_swaps;
  }
  EXPECT_LE(missed_swaps, 5 * kIdeal);
  EXPECT_LE(missed_changes, 11 * kIdeal);
}

TEST(MariaChecksum, ComparesNumbersAsNumbersAndBytesAsBytes) {
  const MariaChecksum dialect;
  TablePlan table = Maria();
  Statement sum = dialect.SumStatement(table, {.after = Key{"9007199254740993"}, .until = {}}, 10);
  EXPECT_THAT(sum.sql, HasSubstr("WHERE ((`id` > 9007199254740993)) LIMIT 10"));
  EXPECT_THAT(sum.parameters, IsEmpty());

  table.key = {{.name = "code", .type = "varchar"}, {.name = "raw", .type = "binary"}};
  sum = dialect.SumStatement(table, {.after = Key{"o'x", "C3A9"}, .until = {}}, std::nullopt);
  EXPECT_THAT(sum.sql, HasSubstr("WHERE `code` >= ? AND ((`code` > ?) OR (`code` = ? AND `raw` > "
                                 "UNHEX(?)))"));
  EXPECT_THAT(sum.parameters, ElementsAre("o'x", "o'x", "o'x", "C3A9"));
  const Statement rows = dialect.RowsStatement(table, {Key{"a", "00"}, Key{"b", "01"}});
  EXPECT_THAT(rows.sql, HasSubstr("SELECT `code`, HEX(`raw`), "));
  EXPECT_THAT(rows.sql, HasSubstr("WHERE (`code` = ? AND `raw` = UNHEX(?)) OR (`code` = ? AND "
                                  "`raw` = UNHEX(?))"));
  // A value that is no number is never written into the statement.
  table.key = {{.name = "id", .type = "bigint"}};
  sum = dialect.SumStatement(table, {.after = Key{"1 OR 1=1"}, .until = {}}, std::nullopt);
  EXPECT_THAT(sum.sql, HasSubstr("`id` > ?"));
}

TEST(GtidCovers, HoldsEachDomainAgainstItsOwn) {
  EXPECT_TRUE(GtidCovers("0-1-100", "0-1-100"));
  EXPECT_TRUE(GtidCovers("0-2-101,5-1-7", "0-1-100,5-9-7"));
  EXPECT_TRUE(GtidCovers("0-1-5", ""));
  EXPECT_FALSE(GtidCovers("0-1-99,5-1-700", "0-1-100"));
  EXPECT_FALSE(GtidCovers("0-1-100", "0-1-100,5-1-1"));
  EXPECT_FALSE(GtidCovers("nonsense", "0-1-1"));
  EXPECT_FALSE(GtidCovers("0-1-100", "nonsense"));
}

}  // namespace
}  // namespace headgate::database
