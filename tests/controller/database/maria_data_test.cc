// Data that differ between two MariaDB servers, and data that only look as if they did.
#include "tests/controller/database/maria_compared.h"

namespace headgate::database {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr auto kDifferent = RowDifferenceKind::kDifferent;
constexpr auto kMissing = RowDifferenceKind::kMissing;
constexpr auto kExtra = RowDifferenceKind::kExtra;

class MariaDivergence : public MariaComparedTest {};

TEST_F(MariaDivergence, IsNotFoundInAHealthyPairWhoseTableWithoutAKeyIsUnknown) {
  const Result result = Compare({});
  EXPECT_TRUE(result.is_done);
  EXPECT_EQ(result.progress.rows_done, 3'000U + 2U + 1U);
  EXPECT_THAT(result.findings,
              ElementsAre(CannotTell("db2",
                                     "replica db2: table shop.visits was not compared: it has no "
                                     "primary key and no unique index")));
}

TEST_F(MariaDivergence, IsFoundInAReplicaWrittenToWithTheKeyAndTheColumns) {
  const Result result = CompareAfter("UPDATE shop.items SET a = a + 1, n = n + 1 WHERE id = 2500",
                                     "UPDATE shop.items SET a = a - 1, n = n - 1 WHERE id = 2500");
  EXPECT_THAT(result.differences, ElementsAre(IsRow(kDifferent, "shop.items", "2500")));
  EXPECT_THAT(result.findings,
              ElementsAre(Drains("replica db2: table shop.items: row (id = 2500) differs from the "
                                 "primary's in a, n")));
}

TEST_F(MariaDivergence, IsFoundInEitherOfTwoTablesWhoseNamesJoinToTheSame) {
  Both(
      "CREATE DATABASE `a.b`; CREATE DATABASE a; CREATE TABLE `a.b`.c (id INT PRIMARY KEY, x INT); "
      "CREATE TABLE a.`b.c` (id INT PRIMARY KEY, x INT); INSERT INTO `a.b`.c VALUES (1, 1), (2, "
      "2); "
      "INSERT INTO a.`b.c` VALUES (1, 5)");
  const Result same = Compare(Only({"a.b.c"}));
  OnReplica("UPDATE `a.b`.c SET x = 3 WHERE id = 2");
  const Result one = Compare(Only({"a.b.c"}));
  OnReplica("UPDATE `a.b`.c SET x = 2 WHERE id = 2; UPDATE a.`b.c` SET x = 6");
  const Result other = Compare(Only({"a.b.c"}));
  Both("DROP DATABASE `a.b`; DROP DATABASE a");
  EXPECT_THAT(same.findings, IsEmpty());
  EXPECT_EQ(same.progress.tables_done, 2U);
  EXPECT_THAT(one.findings, ElementsAre(Drains(R"(table "a.b".c: row (id = 2) differs)")));
  EXPECT_THAT(other.findings, ElementsAre(Drains(R"(table a."b.c": row (id = 1) differs)")));
}

TEST_F(MariaDivergence, IsFoundInARowThatIsMissingAndInOneTooMany) {
  // Heavy writes of other tests change rows up to 1500.
  const Result result = CompareAfter(
      "DELETE FROM shop.items WHERE id = 2003; INSERT INTO shop.items (id, a) VALUES (9000, 1)",
      "DELETE FROM shop.items WHERE id = 9000; INSERT INTO shop.items VALUES "
      "(2003, 1, 'item 2003', 3004.5, '2024-01-01 00:33:23')");
  EXPECT_THAT(result.findings,
              ElementsAre(Drains("row (id = 2003) is missing here"),
                          Drains("row (id = 9000) is here and not on the primary")));
  EXPECT_THAT(Compare(Only({"items"})).findings, IsEmpty());
}

TEST_F(MariaDivergence, IsFoundInValuesSwappedBetweenTwoRows) {
  // Of one column, and of several at once: sums and exclusive ors of columns are the same.
  for (const char* columns : {"x.b = y.b", "x.a = y.a, x.b = y.b, x.n = y.n, x.at = y.at"}) {
    const std::string swap =
        std::string(
            "CREATE TEMPORARY TABLE shop.kept AS SELECT * FROM shop.items WHERE id IN (11, 22); "
            "UPDATE shop.items AS x JOIN shop.kept AS y ON y.id = 33 - x.id SET ") +
        columns + " WHERE x.id IN (11, 22); DROP TEMPORARY TABLE shop.kept";
    EXPECT_THAT(
        CompareAfter(swap, swap).differences,
        ElementsAre(IsRow(kDifferent, "shop.items", "11"), IsRow(kDifferent, "shop.items", "22")))
        << columns;
  }
  EXPECT_THAT(Compare(Only({"items"})).findings, IsEmpty());
}

TEST_F(MariaDivergence, IsFoundInNullsThatChangedPlacesAndInValuesThatMovedBetweenColumns) {
  Both(
      "CREATE TABLE shop.texts (id INT PRIMARY KEY, a VARCHAR(9), b VARCHAR(9), c VARCHAR(9)); "
      "INSERT INTO shop.texts VALUES (1, 'x', NULL, 'y'), (2, '1#2', '', NULL), (3, 'ab', 'c', "
      "'')");
  const auto after = [&](const std::string& row) {
    OnReplica("REPLACE INTO shop.texts VALUES " + row);
    const std::size_t found = Compare(Only({"texts"})).differences.size();
    OnReplica(
        "REPLACE INTO shop.texts VALUES (1, 'x', NULL, 'y'), (2, '1#2', '', NULL), "
        "(3, 'ab', 'c', '')");
    return found;
  };
  EXPECT_EQ(after("(1, NULL, 'x', 'y')"), 1U);
  EXPECT_EQ(after("(2, '1#2', NULL, '')"), 1U);
  EXPECT_EQ(after("(2, '1', '2', '')"), 1U);
  EXPECT_EQ(after("(3, 'a', 'bc', '')"), 1U);
  Both("DROP TABLE shop.texts");
}

TEST_F(MariaDivergence, IsFoundAfterATruncateAndCountedWhereItIsTooMuchToTell) {
  OnReplica("CREATE TABLE shop.kept AS SELECT * FROM shop.items; TRUNCATE shop.items");
  const Result result = Compare(Only({"shop.items"}));
  OnReplica("INSERT INTO shop.items SELECT * FROM shop.kept; DROP TABLE shop.kept");
  EXPECT_THAT(result.findings, SizeIs(::testing::Le(DataComparison::kRowsToldMax + 2)));
  EXPECT_THAT(result.findings, Each(Drains("replica db2: table shop.items: ")));
  EXPECT_THAT(result.findings, Contains(Drains("rows on the primary and 0 here")));
  EXPECT_THAT(Compare(Only({"items"})).findings, IsEmpty());
}

TEST_F(MariaDivergence, IsFoundInALossyConversion) {
  OnReplica("SET GLOBAL slave_type_conversions = 'ALL_LOSSY'; STOP SLAVE; START SLAVE");
  Both(
      "CREATE TABLE shop.lossy (id INT PRIMARY KEY, word VARCHAR(20), price DECIMAL(10,2), "
      "amount INT)");
  OnReplica(
      "ALTER TABLE shop.lossy MODIFY word VARCHAR(4), MODIFY price DECIMAL(10,0), "
      "MODIFY amount SMALLINT");
  Both(
      "INSERT INTO shop.lossy VALUES (1, 'long word', 3, 4), (2, 'abcd', 1.25, 5), "
      "(3, 'abcd', 7, 100000), (4, 'abcd', NULL, 7)");
  ComparisonOptions options = Only({"lossy"});
  const Result result = Compare(options);
  OnReplica("SET GLOBAL slave_type_conversions = DEFAULT; STOP SLAVE; START SLAVE");
  Both("DROP TABLE shop.lossy");
  // A whole number with and without a scale is not the same: its type differs too.
  EXPECT_THAT(result.findings,
              UnorderedElementsAre(Drains("row (id = 1) differs from the primary's in price, word"),
                                   Drains("row (id = 2) differs from the primary's in price"),
                                   Drains("row (id = 3) differs from the primary's in amount, "
                                          "price")));
}

TEST_F(MariaDivergence, IsFoundWhereIdempotentModeMaskedIt) {
  Both(
      "CREATE TABLE shop.masked (id INT PRIMARY KEY, x INT); "
      "INSERT INTO shop.masked VALUES (1, 1), (2, 2)");
  OnReplica("SET GLOBAL slave_exec_mode = IDEMPOTENT; DELETE FROM shop.masked WHERE id = 2");
  // Strictly it would stop with an error.
  Both("UPDATE shop.masked SET x = 20 WHERE id = 2");
  EXPECT_EQ(lab_->db2().Sql("SELECT COUNT(*) FROM information_schema.GLOBAL_STATUS WHERE "
                            "VARIABLE_NAME = 'SLAVE_RUNNING' AND VARIABLE_VALUE = 'ON'"),
            "1");
  const Result result = Compare(Only({"masked"}));
  OnReplica("SET GLOBAL slave_exec_mode = DEFAULT");
  Both("DROP TABLE shop.masked");
  EXPECT_THAT(result.findings, ElementsAre(Drains("row (id = 2) is missing here")));
}

TEST_F(MariaDivergence, IsFoundInWhatAMissingMiddleColumnMadeOfTheData) {
  OnReplica("ALTER TABLE shop.customers DROP middle_name");
  Both("INSERT INTO shop.customers VALUES (77, 'Katherine', 'M', 'Johnson')");
  const Result result = Compare(Only({"customers"}));
  OnReplica("ALTER TABLE shop.customers ADD middle_name VARCHAR(40) AFTER first_name");
  Both("DELETE FROM shop.customers WHERE id = 77");
  OnReplica("UPDATE shop.customers SET middle_name = IF(id = 1, 'M', 'B')");
  EXPECT_THAT(result.findings,
              ElementsAre(Drains("row (id = 77) differs from the primary's in last_name")));
  EXPECT_THAT(Compare(Only({"customers"})).findings, IsEmpty());
}

TEST_F(MariaDivergence, IsFoundInWhatAnotherOrderOfAnEnumsLabelsMadeOfTheData) {
  Both("CREATE TABLE shop.states (id INT PRIMARY KEY, state ENUM('new', 'paid'))");
  OnReplica("ALTER TABLE shop.states MODIFY state ENUM('paid', 'new')");
  Both("INSERT INTO shop.states VALUES (1, 'new')");
  EXPECT_EQ(lab_->db2().Sql("SELECT state FROM shop.states"), "paid");
  const Result result = Compare(Only({"states"}));
  Both("DROP TABLE shop.states");
  EXPECT_THAT(result.findings, ElementsAre(Drains("(id = 1) differs from the primary's in state")));
}

TEST_F(MariaDivergence, IsFoundInWhatAnUnsignedTypeMadeOfANegativeNumber) {
  Both("CREATE TABLE shop.signs (id INT PRIMARY KEY, n BIGINT)");
  OnReplica("ALTER TABLE shop.signs MODIFY n BIGINT UNSIGNED");
  Both("INSERT INTO shop.signs VALUES (1, -5), (2, 5)");
  EXPECT_EQ(lab_->db2().Sql("SELECT n FROM shop.signs"), "18446744073709551611");
  const Result result = Compare(Only({"signs"}));
  Both("DROP TABLE shop.signs");
  EXPECT_THAT(result.findings, ElementsAre(Drains("(id = 1) differs from the primary's in n")));
}

TEST_F(MariaDivergence, IsNotWhatTheServersHaveSetDifferently) {
  Both(
      "CREATE TABLE shop.calm (id INT PRIMARY KEY, at TIMESTAMP NOT NULL DEFAULT 0, c CHAR(9), "
      "f FLOAT, d DATE, t VARCHAR(30)); SET sql_mode = '', time_zone = '+00:00'; INSERT INTO "
      "shop.calm SELECT seq, '2024-03-31 00:59:59' + INTERVAL seq SECOND, 'x', seq / 3e0, "
      "'0000-00-00', 'a\\\\b\\'c' FROM shop.seq_1_to_3000");
  lab_->db2().Sql(
      "SET GLOBAL time_zone = 'SYSTEM', sql_mode = 'ANSI,PAD_CHAR_TO_FULL_LENGTH,NO_ZERO_DATE,"
      "NO_BACKSLASH_ESCAPES', character_set_server = latin1, collation_server = latin1_german2_ci, "
      "character_set_client = latin1, character_set_results = latin1, character_set_connection = "
      "latin1, sql_select_limit = 1, tx_isolation = 'SERIALIZABLE', lc_time_names = 'de_DE', "
      "lc_messages = 'de_DE', group_concat_max_len = 8, div_precision_increment = 1, "
      "max_join_size = 10, sql_big_selects = 0; SET GLOBAL time_zone = '+07:00'");
  const Result result = Compare(Only({"calm", "items", "orders"}));
  lab_->db2().Sql(
      "SET GLOBAL time_zone = DEFAULT, sql_mode = DEFAULT, character_set_server = DEFAULT, "
      "collation_server = DEFAULT, character_set_client = DEFAULT, character_set_results = "
      "DEFAULT, "
      "character_set_connection = DEFAULT, sql_select_limit = DEFAULT, tx_isolation = DEFAULT, "
      "lc_time_names = DEFAULT, lc_messages = DEFAULT, group_concat_max_len = DEFAULT, "
      "div_precision_increment = DEFAULT, max_join_size = DEFAULT, sql_big_selects = DEFAULT");
  EXPECT_THAT(result.findings, IsEmpty());
  EXPECT_EQ(result.progress.rows_done, 6'001U);
  Both("DROP TABLE shop.calm");
}

TEST_F(MariaDivergence, IsNotWhatIsStoredInAnotherCharacterSetOrSortedOtherwise) {
  Both(
      "CREATE TABLE shop.words (word VARCHAR(20) PRIMARY KEY, note VARCHAR(20)); INSERT INTO "
      "shop.words SELECT CONCAT(ELT(1 + seq % 4, 'é', 'Z', 'a', 'B'), seq), CONCAT('ñ', seq) FROM "
      "shop.seq_1_to_2500");
  OnReplica(
      "ALTER TABLE shop.words MODIFY word VARCHAR(20) COLLATE utf8mb4_bin, "
      "MODIFY note VARCHAR(30) CHARACTER SET latin1");
  EXPECT_THAT(Compare(Only({"words"})).findings, IsEmpty());
  const Result result =
      CompareAfter("UPDATE shop.words SET note = 'n7' WHERE word = 'B7'",
                   "UPDATE shop.words SET note = 'ñ7' WHERE word = 'B7'", "words");
  EXPECT_THAT(result.findings,
              ElementsAre(Drains("row (word = B7) differs from the primary's in note")));
  Both("DROP TABLE shop.words");
}

TEST_F(MariaDivergence, OfSpellingAloneIsARowMissingAndARowTooMany) {
  Both(
      "CREATE TABLE shop.spelt (word VARCHAR(20) PRIMARY KEY); "
      "INSERT INTO shop.spelt VALUES ('one'), ('two')");
  const Result result =
      CompareAfter("UPDATE shop.spelt SET word = 'ONE' WHERE word = 'one'",
                   "UPDATE shop.spelt SET word = 'one' WHERE word = 'one'", "spelt");
  EXPECT_THAT(result.differences, UnorderedElementsAre(IsRow(kMissing, "shop.spelt", "one"),
                                                       IsRow(kExtra, "shop.spelt", "ONE")));
  Both("DROP TABLE shop.spelt");
}

}  // namespace
}  // namespace headgate::database
