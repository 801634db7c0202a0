#include "controller/database/maria_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/database/maria_grants.h"

namespace headgate::database {
namespace {

using ::testing::HasSubstr;

Rows Lines(std::initializer_list<const char*> lines) {
  Rows rows;
  for (const char* line : lines) rows.push_back({std::string(line)});
  return rows;
}

TEST(MariaGrants, SufficeOnEverythingByARoleOrOnTheDeclaredDatabases) {
  EXPECT_EQ(MissingGrants(Lines({"GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT "
                                 "OPTION"}),
                          {}),
            "");
  EXPECT_EQ(MissingGrants(
                Lines({"GRANT `watch` TO `headgate`@`%`", "GRANT USAGE ON *.* TO `headgate`@`%`",
                       "GRANT SELECT, SHOW VIEW, TRIGGER ON *.* TO `watch`"}),
                {}),
            "");
  const Rows on_two = Lines({"GRANT USAGE ON *.* TO `headgate`@`%`",
                             "GRANT SELECT, SHOW VIEW, TRIGGER ON `shop`.* TO `headgate`@`%`",
                             "GRANT SELECT, SHOW VIEW, TRIGGER ON `big\\_shop`.* TO "
                             "`headgate`@`%`"});
  EXPECT_EQ(MissingGrants(on_two, {"shop", "big_shop"}), "");
  EXPECT_THAT(MissingGrants(on_two, {"shop", "other"}), HasSubstr("SELECT"));
  // All databases are watched, and there may be more than these.
  EXPECT_THAT(MissingGrants(on_two, {}), HasSubstr("SELECT"));
}

TEST(MariaGrants, ThatAreMissingAreNamedAndNothingElseIs) {
  const Rows grants =
      Lines({"GRANT SELECT, BINLOG MONITOR ON *.* TO `headgate`@`10.%` IDENTIFIED "
             "BY PASSWORD '*B999D775072B'",
             "GRANT TRIGGER ON `shop`.`orders` TO `headgate`@`10.%`"});
  EXPECT_EQ(MissingGrants(grants, {}), "GRANT TRIGGER, SHOW VIEW ON *.* TO 'headgate'@'10.%'");
  // A role that is not in force gives nothing.
  EXPECT_EQ(MissingGrants(
                Lines({"GRANT `watch` TO `norole`@`%`", "GRANT USAGE ON *.* TO `norole`@`%`"}), {}),
            "GRANT SELECT, TRIGGER, SHOW VIEW ON *.* TO 'norole'@'%'");
}

TEST(MariaSchema, IsUnreadWhileAPartOfItMayBeHidden) {
  Answers answers(kMariaSchemaStatements, Rows());
  answers.back() = Lines(
      {"GRANT USAGE ON *.* TO `guest`@`%`", "GRANT SELECT ON `shop`.`orders` TO `guest`@`%`"});
  const auto schema = ReadMariaSchema({}, answers);
  EXPECT_TRUE(absl::IsPermissionDenied(schema.status()));
  EXPECT_THAT(std::string(schema.status().message()),
              HasSubstr("run GRANT SELECT, TRIGGER, SHOW VIEW ON *.* TO 'guest'@'%' there"));
}

TEST(MariaSchema, AsksForTheDeclaredDatabasesAsParameters) {
  for (const Statement& statement : MariaSchemaStatements({"shop", "it's"})) {
    if (statement.sql == "SHOW GRANTS") continue;
    EXPECT_THAT(statement.sql, HasSubstr("IN (?, ?)"));
    EXPECT_EQ(statement.parameters.size(), 2U);
  }
  EXPECT_EQ(MariaSchemaStatements({}).size(), kMariaSchemaStatements);
}

}  // namespace
}  // namespace headgate::database
