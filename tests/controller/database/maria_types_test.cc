// Data of MariaDB that differ in a value, through a key or under a name of every kind.
#include <fmt/format.h>

#include "controller/database/label.h"
#include "tests/controller/database/maria_compared.h"

namespace headgate::database {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class MariaTypes : public MariaComparedTest {};

struct ChangedValue {
  const char* column;
  const char* type;
  const char* value;
  const char* other;
};

// What differs least, or looks alike.
const std::vector<ChangedValue> kValues = {
    {"big", "BIGINT UNSIGNED", "18446744073709551615", "18446744073709551614"},
    {"padded", "INT(5) ZEROFILL", "42", "43"},
    {"exact", "DECIMAL(40,10)", "123456789012345678901234567890.1",
     "123456789012345678901234567890.2"},
    {"near", "FLOAT", "1.1", "1.1000001"},
    {"nearer", "DOUBLE", "0.1", "0.10000000000000002"},
    {"letters", "VARCHAR(9)", "'a'", "'A'"},
    {"blank", "VARCHAR(9)", "'a'", "'a '"},
    {"accent", "CHAR(9) CHARACTER SET latin1", "'é'", "'è'"},
    {"east", "VARCHAR(9) CHARACTER SET latin2", "'č'", "'ć'"},
    {"wide", "VARCHAR(9) CHARACTER SET ucs2", "'é'", "'e'"},
    {"bytes", "VARBINARY(9)", "x'00'", "x'0000'"},
    {"fixed", "BINARY(4)", "x'00ff'", "x'00fe'"},
    {"bits", "BIT(64)", "b'1'",
     "b'1000000000000000000000000000000000000000000000000000000000000001'"},
    {"document", "JSON", "'{\"a\": 1}'", "'{\"a\":1}'"},
    {"label", "ENUM('x', 'y')", "'x'", "'y'"},
    {"no_label", "ENUM('x', 'y')", "'x'", "'z'"},
    {"labels", "SET('x', 'y')", "'x'", "'x,y'"},
    {"day", "DATE", "'0000-00-00'", "'0000-00-01'"},
    {"moment", "DATETIME(6)", "'2024-01-01 00:00:00'", "'2024-01-01 00:00:00.000001'"},
    {"stamp", "TIMESTAMP NOT NULL DEFAULT 0", "'2024-03-31 02:30:00'", "'2024-03-31 03:30:00'"},
    {"hours", "TIME(3)", "'-838:59:59'", "'838:59:59'"},
    {"year", "YEAR", "2024", "1924"},
    {"uuid", "UUID", "'7e0a3ffe-0000-11ef-9262-0242ac120002'",
     "'7e0a3ffe-0000-11ef-9262-0242ac120003'"},
    {"address", "INET6", "'::1'", "'::2'"},
    {"place", "POINT", "POINT(1, 2)", "POINT(2, 1)"},
    {"note", "TEXT", "REPEAT('n', 60000)", "CONCAT(REPEAT('n', 59999), 'm')"},
    {"old_note", "TEXT CHARACTER SET latin1", "'é'", "'è'"},
    {"old_book", "MEDIUMTEXT CHARACTER SET latin2", "REPEAT('č', 2000)", "REPEAT('ć', 2000)"},
    {"wide_note", "LONGTEXT CHARACTER SET utf16", "'é'", "'e'"},
    {"file", "LONGBLOB", "REPEAT('n', 300000)", "CONCAT(REPEAT('n', 299999), 'm')"},
    {"empty", "VARCHAR(9)", "''", "NULL"},
    {"zero", "INT", "0", "NULL"}};

TEST_F(MariaTypes, OfAllKindsAreSeenToDifferInOneValue) {
  std::string columns;
  std::string values;
  for (const ChangedValue& value : kValues) {
    columns += fmt::format(", {} {}", value.column, value.type);
    values += fmt::format(", {}", value.value);
  }
  Both("CREATE TABLE shop.types (id INT PRIMARY KEY" + columns +
       ", twice INT AS (zero * 2) VIRTUAL, thrice INT AS (zero * 3) STORED, hidden INT INVISIBLE); "
       "SET sql_mode = ''; INSERT INTO shop.types VALUES (1" +
       values + ", DEFAULT, DEFAULT), (2" + values + ", DEFAULT, DEFAULT)");
  ASSERT_THAT(Compare(Only({"types"})).findings, IsEmpty());
  for (const ChangedValue& value : kValues) {
    const auto set = [&](const char* to) {
      return fmt::format("SET sql_mode = ''; UPDATE shop.types SET {} = {} WHERE id = 2",
                         value.column, to);
    };
    const Result result = CompareAfter(set(value.other), set(value.value), "types");
    ASSERT_THAT(result.differences, SizeIs(1)) << value.column;
    EXPECT_THAT(result.differences[0].columns, Contains(value.column));
    if (std::string_view(value.type).ends_with("DEFAULT 0")) continue;  // never NULL
    const Result without = CompareAfter(set("NULL"), set(value.value), "types");
    ASSERT_THAT(without.differences, SizeIs(1)) << value.column;
    EXPECT_THAT(without.differences[0].columns, Contains(value.column));
  }
  const Result hidden = CompareAfter("UPDATE shop.types SET hidden = 1 WHERE id = 2",
                                     "UPDATE shop.types SET hidden = NULL WHERE id = 2", "types");
  EXPECT_THAT(hidden.findings,
              ElementsAre(Drains("(id = 2) differs from the primary's in hidden")));
  EXPECT_THAT(Compare(Only({"types"})).findings, IsEmpty());
  Both("DROP TABLE shop.types");
}

// MariaDB answers questions about NULL of such columns without reading them.
TEST_F(MariaTypes, ThatAreNeverNullAreSeenToDifferInATableWithoutAnyOther) {
  Both(
      "CREATE TABLE shop.never_null (id INT PRIMARY KEY, n INT NOT NULL, exact DECIMAL(9,2) NOT "
      "NULL, word VARCHAR(9) NOT NULL, text TEXT CHARACTER SET latin1 NOT NULL, day DATE NOT NULL, "
      "label ENUM('x', 'y') NOT NULL); INSERT INTO shop.never_null SELECT seq, seq, seq, seq, seq, "
      "'2024-01-01', 'x' FROM shop.seq_1_to_3000");
  ASSERT_THAT(Compare(Only({"never_null"})).findings, IsEmpty());
  for (const auto& [column, change] :
       std::vector<std::pair<std::string, const char*>>{{"n", "0"},
                                                        {"exact", "0.01"},
                                                        {"word", "'other'"},
                                                        {"text", "'other'"},
                                                        {"day", "'2024-01-02'"},
                                                        {"label", "'y'"}}) {
    const std::string of = " WHERE id = 77";
    const std::string before = column == "day" ? "'2024-01-01'" : column == "label" ? "'x'" : "77";
    const Result result = CompareAfter(
        fmt::format("UPDATE shop.never_null SET {} = {}{}", column, change, of),
        fmt::format("UPDATE shop.never_null SET {} = {}{}", column, before, of), "never_null");
    EXPECT_THAT(result.findings,
                ElementsAre(Drains("row (id = 77) differs from the primary's in " + column)));
  }
  const Result swapped =
      CompareAfter("UPDATE shop.never_null SET word = 97 - id WHERE id IN (20, 77)",
                   "UPDATE shop.never_null SET word = id WHERE id IN (20, 77)", "never_null");
  EXPECT_THAT(swapped.findings,
              UnorderedElementsAre(Drains("(id = 20) differs"), Drains("(id = 77) differs")));
  Both("DROP TABLE shop.never_null");
}

// What MariaDB knows never to be NULL it need not write, if all that is asked is whether it is.
TEST_F(MariaTypes, AreSeenToDifferInTablesWithoutAnyNull) {
  Both(
      "CREATE TABLE shop.n_numbers (id INT PRIMARY KEY, x INT NOT NULL, y INT NOT NULL); "
      "CREATE TABLE shop.n_text (id VARCHAR(9) PRIMARY KEY, x VARCHAR(9) NOT NULL, y CHAR(9) "
      "CHARACTER SET latin1 NOT NULL); "
      "CREATE TABLE shop.n_long (id INT PRIMARY KEY, x TEXT CHARACTER SET latin1 NOT NULL, "
      "y LONGTEXT CHARACTER SET ucs2 NOT NULL, z LONGBLOB NOT NULL); "
      "INSERT INTO shop.n_numbers VALUES (1, 1, 2), (2, 3, 4); "
      "INSERT INTO shop.n_text VALUES ('1', 'a', 'b'), ('2', 'c', 'd'); "
      "INSERT INTO shop.n_long VALUES (1, 'é', 'é', 'é'), (2, REPEAT('é', 2000), REPEAT('é', "
      "2000), "
      "REPEAT('é', 2000))");
  const std::vector<std::string> tables = {"n_numbers", "n_text", "n_long"};
  const Result same = Compare(Only(tables));
  EXPECT_THAT(same.findings, IsEmpty());
  EXPECT_EQ(same.progress.rows_done, 6U);
  OnReplica(
      "UPDATE shop.n_numbers SET x = 9 WHERE id = 2; UPDATE shop.n_text SET y = 'e' WHERE id = 1; "
      "UPDATE shop.n_long SET x = CONCAT(REPEAT('é', 1999), 'e') WHERE id = 2");
  const Result result = Compare(Only(tables));
  EXPECT_THAT(
      result.findings,
      UnorderedElementsAre(Drains("n_numbers: row (id = 2) differs from the primary's in x"),
                           Drains("n_text: row (id = 1) differs from the primary's in y"),
                           Drains("n_long: row (id = 2) differs from the primary's in x")));
  Both("DROP TABLE shop.n_numbers, shop.n_text, shop.n_long");
}

// As much as that cannot be written in digits within max_allowed_packet.
TEST_F(MariaTypes, OfAMegabyteAreSeenToDiffer) {
  for (const auto* server : {&lab_->db1(), &lab_->db2()}) {
    server->Sql("SET GLOBAL max_allowed_packet = 1048576");
  }
  Both(
      "CREATE TABLE shop.large (id INT PRIMARY KEY, place GEOMETRY NOT NULL, story LONGTEXT "
      "CHARACTER SET latin1 NOT NULL); INSERT INTO shop.large VALUES (1, "
      "ST_GeomFromText(CONCAT('LINESTRING(0 0', REPEAT(',1 1', 45000), ')')), "
      "REPEAT('a', 600000))");
  EXPECT_THAT(Compare(Only({"large"})).findings, IsEmpty());
  OnReplica(
      "UPDATE shop.large SET place = ST_GeomFromText(CONCAT('LINESTRING(5 0', "
      "REPEAT(',1 1', 45000), ')'))");
  EXPECT_THAT(Compare(Only({"large"})).findings, ElementsAre(Drains("differs from the primary's in "
                                                                    "place")));
  OnReplica(
      "ALTER TABLE shop.large DROP COLUMN place, MODIFY story LONGTEXT CHARACTER SET utf8mb4 "
      "NOT NULL");
  EXPECT_THAT(Compare(Only({"large"})).findings, IsEmpty());
  OnReplica("UPDATE shop.large SET story = CONCAT(REPEAT('a', 599999), 'b')");
  EXPECT_THAT(Compare(Only({"large"})).findings, ElementsAre(Drains("differs from the primary's in "
                                                                    "story")));
  OnReplica("DROP TABLE shop.large");
  lab_->db1().Sql("SET sql_log_bin = 0; DROP TABLE shop.large");
  for (const auto* server : {&lab_->db1(), &lab_->db2()}) {
    server->Sql("SET GLOBAL max_allowed_packet = DEFAULT");
  }
}

// In pairs too, whose hashes are joined.
TEST_F(MariaTypes, OfRowsThatCannotBeWrittenAreNeverTheSame) {
  const std::vector<std::string> tables = {"wide", "widest"};
  Both(
      "CREATE TABLE shop.wide (id INT PRIMARY KEY, x VARCHAR(60000) CHARACTER SET latin1); INSERT "
      "INTO shop.wide VALUES (1, REPEAT('a', 60000)), (2, REPEAT('b', 60000)); CREATE TABLE "
      "shop.widest (id INT PRIMARY KEY, x VARCHAR(60000) CHARACTER SET latin1 NOT NULL); INSERT "
      "INTO shop.widest SELECT * FROM shop.wide");
  OnReplica("UPDATE shop.wide SET x = REPEAT('c', 60000); UPDATE shop.widest SET x = 'c'");
  for (const auto* server : {&lab_->db1(), &lab_->db2()}) {
    server->Sql("SET GLOBAL max_allowed_packet = 32768");
  }
  ComparisonOptions options = Only(tables);
  options.patience.rest = Duration(300);
  // Were they the same, then by chance.
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(
        Compare(options).findings,
        UnorderedElementsAre(CannotTell("db2", "table shop.wide: 2 rows could not be compared"),
                             CannotTell("db2", "table shop.widest: 2 rows could not be compared")));
  }
  for (const auto* server : {&lab_->db1(), &lab_->db2()}) {
    server->Sql("SET GLOBAL max_allowed_packet = DEFAULT");
  }
  Both("DROP TABLE shop.wide, shop.widest");
}

TEST_F(MariaTypes, OfNoLabelIsNotTheEmptyLabel) {
  Both(
      "CREATE TABLE shop.label (id INT PRIMARY KEY, x ENUM('a', '')); SET sql_mode = ''; INSERT "
      "INTO shop.label VALUES (1, 'none'), (2, '')");
  const Result result = CompareAfter("UPDATE shop.label SET x = '' WHERE id = 1", "DO 0", "label");
  EXPECT_THAT(result.findings, ElementsAre(Drains("row (id = 1) differs from the primary's in x")));
  Both("DROP TABLE shop.label");
}

// Characters that Unicode does not have, or has for two of them.
TEST_F(MariaTypes, OfKeysThatUnicodeCannotTellApartAreComparedByTheirBytes) {
  Both(
      "CREATE TABLE shop.east (k VARBINARY(9), x INT); INSERT INTO shop.east VALUES (x'eef9', 1), "
      "(x'81ca', 2), ('z', 3); ALTER TABLE shop.east MODIFY k VARCHAR(9) CHARACTER SET cp932 "
      "COLLATE cp932_nopad_bin NOT NULL, ADD PRIMARY KEY (k); "
      "CREATE TABLE shop.west (k VARBINARY(9), x INT); INSERT INTO shop.west SELECT "
      "CONCAT(CHAR(128 + seq % 128), seq), seq FROM shop.seq_1_to_2500; ALTER TABLE shop.west "
      "MODIFY k VARCHAR(9) CHARACTER SET cp1250 COLLATE cp1250_czech_cs NOT NULL, ADD PRIMARY KEY "
      "(k)");
  EXPECT_THAT(Compare(Only({"east", "west"})).findings, IsEmpty());
  OnReplica(
      "UPDATE shop.east SET x = 9 WHERE x = 1; UPDATE shop.west SET x = 0 WHERE x IN (129, 2177)");
  EXPECT_THAT(Compare(Only({"east", "west"})).findings,
              UnorderedElementsAre(Drains("east: row (k = EEF9) differs from the primary's in x"),
                                   Drains("west: row (k = 81313239) differs"),
                                   Drains("west: row (k = 8132313737) differs")));
  Both("DROP TABLE shop.east, shop.west");
}

struct KeyedTable {
  const char* name;
  const char* definition;
  const char* values;
  // The whole key of the 2,300th row.
  const char* gone;
};

const std::vector<KeyedTable> kKeyed = {
    {"k_unsigned", "k BIGINT UNSIGNED PRIMARY KEY)", "18446744073709549000 + seq",
     "18446744073709551300"},
    {"k_negative", "k INT PRIMARY KEY)", "CAST(seq AS SIGNED) - 1200", "1100"},
    {"k_decimal", "k DECIMAL(30,10) PRIMARY KEY)", "seq + 12345678901234567890.0000000001",
     "12345678901234570190.0000000001"},
    {"k_double", "k DOUBLE PRIMARY KEY)", "seq / 7e0", "328.57142857142856"},
    {"k_float", "k FLOAT PRIMARY KEY)", "seq / 8e0", "287.5"},
    {"k_text", "k VARCHAR(20) PRIMARY KEY)", "CONCAT('It''s ', LPAD(seq, 5, '0'), '\\\\é')",
     "It's 02300\\é"},
    {"k_latin1", "k CHAR(20) CHARACTER SET latin1 PRIMARY KEY)", "CONCAT('é', LPAD(seq, 5, '0'))",
     "é02300"},
    {"k_ucs2", "k VARCHAR(20) CHARACTER SET ucs2 PRIMARY KEY)", "CONCAT('é', LPAD(seq, 5, '0'))",
     "é02300"},
    {"k_bytes", "k VARBINARY(20) PRIMARY KEY)", "CONCAT(x'00ff27', LPAD(seq, 5, '0'))",
     "00FF273032333030"},
    {"k_date", "k DATE PRIMARY KEY)", "'2000-01-01' + INTERVAL seq DAY", "2006-04-19"},
    {"k_moment", "k DATETIME(6) PRIMARY KEY)", "'2000-01-01' + INTERVAL seq MICROSECOND",
     "2000-01-01 00:00:00.002300"},
    {"k_stamp", "k TIMESTAMP PRIMARY KEY)", "'2024-01-01' + INTERVAL seq MINUTE",
     "2024-01-02 14:20:00"},
    {"k_time", "k TIME PRIMARY KEY)", "SEC_TO_TIME(seq - 1200e0)", "00:18:20"},
    {"k_bits", "k BIT(40) PRIMARY KEY)", "seq + 100000000000", "100000002300"},
    {"k_uuid", "k UUID PRIMARY KEY)", "CONCAT('00000000-0000-0000-0000-', LPAD(seq, 12, '0'))",
     "00000000-0000-0000-0000-000000002300"},
    {"k_address", "k INET6 PRIMARY KEY)", "CONCAT('::', HEX(seq))", "::8fc"},
    {"k_down", "k INT, PRIMARY KEY (k DESC))", "seq", "2300"},
    {"k_unique", "k INT NOT NULL UNIQUE)", "seq", "2300"},
    {"k_beginning", "k TEXT NOT NULL, PRIMARY KEY (k(9)))", "CONCAT('k', LPAD(seq, 5, '0'))",
     "k02300"},
    {"k_hashed", "k TEXT NOT NULL UNIQUE)", "CONCAT('k', LPAD(seq, 5, '0'))", "k02300"},
    {"k_memory", "k INT PRIMARY KEY) ENGINE = MEMORY", "seq", "2300"},
    {"k_myisam", "k INT PRIMARY KEY) ENGINE = MyISAM", "seq", "2300"},
    {"k_aria", "k INT PRIMARY KEY) ENGINE = Aria", "seq", "2300"},
    {"k_parts", "k INT PRIMARY KEY) PARTITION BY HASH (k) PARTITIONS 3", "seq", "2300"},
    {"k_history", "k INT PRIMARY KEY) WITH SYSTEM VERSIONING", "seq", "2300"}};

TEST_F(MariaTypes, OfAllKindsAreKeysAndSoAreTablesOfAllKindsWalked) {
  std::vector<std::string> tables;
  std::string change;
  for (const KeyedTable& table : kKeyed) {
    lab_->db1().Sql(
        fmt::format("SET time_zone = '+00:00'; CREATE TABLE shop.{0} (n INT, {1}; INSERT "
                    "INTO shop.{0} SELECT seq, {2} FROM shop.seq_1_to_2500",
                    table.name, table.definition, table.values));
    tables.push_back(table.name);
    change += fmt::format("DELETE FROM shop.{} WHERE n = 2300; ", table.name);
  }
  ASSERT_TRUE(lab_->Catches(std::chrono::seconds(30)));
  EXPECT_THAT(Compare(Only(tables)).findings, IsEmpty());
  OnReplica(change);
  const Result result = Compare(Only(tables));
  EXPECT_THAT(result.findings, Contains(Drains("is missing here")));
  for (const KeyedTable& table : kKeyed) {
    EXPECT_THAT(result.differences, Contains(IsRow(RowDifferenceKind::kMissing,
                                                   std::string("shop.") + table.name, table.gone)));
  }
  EXPECT_THAT(result.differences, SizeIs(kKeyed.size()));
  for (const std::string& table : tables) lab_->db1().Sql("DROP TABLE shop." + table);
}

TEST_F(MariaTypes, OfSeveralColumnsAreAKeyTogether) {
  Both(
      "CREATE TABLE shop.several (e ENUM('b', 'a', 'c'), s VARCHAR(9) COLLATE utf8mb4_swedish_ci, "
      "n INT UNSIGNED, x INT, PRIMARY KEY (e, s, n)); INSERT INTO shop.several SELECT 1 + seq % 3, "
      "CONCAT('Ö', seq % 5), seq, seq FROM shop.seq_1_to_9000");
  EXPECT_THAT(Compare(Only({"several"})).findings, IsEmpty());
  const Result result =
      CompareAfter("UPDATE shop.several SET x = 0 WHERE n IN (1, 8999)",
                   "UPDATE shop.several SET x = n WHERE n IN (1, 8999)", "several");
  EXPECT_EQ(result.progress.rows_done, 9'000U);
  EXPECT_THAT(result.findings,
              UnorderedElementsAre(Drains("row (e = 2, s = Ö1, n = 1) differs"),
                                   Drains("row (e = 3, s = Ö4, n = 8999) differs")));
  Both("DROP TABLE shop.several");
}

TEST_F(MariaTypes, HaveNamesOfEveryLetter) {
  // A question mark, a backtick, quotes, blanks, other alphabets, and a reserved word.
  const std::vector<std::string> names = {"what?",       "back``tick", "it's", "say \"no\"",
                                          "straße ñ 数", "select",     "a.b",  "100%s {}"};
  std::vector<std::string> wanted;
  for (const std::string& name : names) {
    lab_->db1().Sql("CREATE TABLE shop.`" + name + "` (`" + name + "` VARCHAR(9) PRIMARY KEY, `x" +
                    name + "` INT); INSERT INTO shop.`" + name + "` VALUES ('?', 1), ('`', 2)");
    std::string plain = name;
    if (const auto tick = plain.find("``"); tick != std::string::npos) plain.erase(tick, 1);
    wanted.push_back(plain);
  }
  ASSERT_TRUE(lab_->Catches());
  EXPECT_THAT(Compare(Only(wanted)).findings, IsEmpty());
  for (const std::string& name : names) {
    OnReplica("UPDATE shop.`" + name + "` SET `x" + name + "` = 3 WHERE `" + name + "` = '?'");
  }
  const Result result = Compare(Only(wanted));
  EXPECT_THAT(result.differences, SizeIs(names.size()));
  for (const std::string& name : wanted) {
    EXPECT_THAT(result.differences,
                Contains(AllOf(IsRow(RowDifferenceKind::kDifferent, LabelOf("shop", name), "?"),
                               Field(&RowDifference::columns, ElementsAre("x" + name)))));
  }
  for (const std::string& name : names) lab_->db1().Sql("DROP TABLE shop.`" + name + "`");
}

}  // namespace
}  // namespace headgate::database
