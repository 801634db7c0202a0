#include "controller/database/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headgate::database {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

ObjectKey Table(const std::string& name) { return {"public", name, "table", ""}; }
ObjectKey Column(const std::string& table, const std::string& name) {
  return {"public", table, "column", name};
}

TEST(SchemaCompare, TellsOfAMissingTableOnceAndNotOfItsParts) {
  const Schema primary = {{Table("orders"), {"a table", ""}},
                          {Column("orders", "id"), {"bigint", ""}},
                          {Column("orders", "total"), {"numeric", ""}}};
  EXPECT_THAT(Compare(primary, {}), ElementsAre(Field(&Difference::key, Table("orders"))));
  EXPECT_THAT(Compare({}, primary), SizeIs(1));
  EXPECT_THAT(Compare(primary, primary), IsEmpty());
}

TEST(SchemaCompare, ShowsLongDefinitionsWhereTheyDiffer) {
  const std::string common(1'000, 'x');
  const std::string text = Describe("db3", {.key = {"public", "v", "table", ""},
                                            .here = common + "HERE" + common,
                                            .on_primary = common + "THERE" + common});
  EXPECT_THAT(text, HasSubstr("HERE"));
  EXPECT_THAT(text, HasSubstr("THERE"));
  EXPECT_LT(text.size(), 700U);
}

TEST(SchemaCompare, ShowsDefinitionsOfManyLinesOnOne) {
  const ObjectKey function = {"public", "f(integer)", "function", ""};
  EXPECT_EQ(Describe("db3",
                     {.key = function, .here = " SELECT\n   1\n", .on_primary = " SELECT\n   2\n"}),
            "replica db3: function public.f(integer) is SELECT 1 here, SELECT 2 on the primary");
  // Unless blanks are all that differs.
  EXPECT_THAT(Describe("db3", {.key = function, .here = "SELECT 1", .on_primary = "SELECT  1"}),
              HasSubstr("is SELECT 1 here, SELECT  1 on the primary"));
}

TEST(SchemaCompare, OfALogicalReplicaCoversPublishedColumnsAndTheTypesTheyAreMadeOf) {
  const ObjectKey mood = {"public", "mood", "type", ""};
  const ObjectKey colour = {"public", "colour", "type", ""};
  Schema primary = {{Table("orders"), {"a table", ""}},
                    {Column("orders", "mood"), {"public.mood", "public.mood"}},
                    {Column("orders", "secret"), {"text", ""}},
                    {Table("staff"), {"a table", ""}},
                    {Column("staff", "colour"), {"public.colour", "public.colour"}},
                    {mood, {"an enum of 'good'", ""}},
                    {colour, {"an enum of 'red'", ""}}};
  Schema replica = primary;
  replica.erase(Column("orders", "secret"));
  replica.erase(Table("staff"));
  replica[colour].text = "an enum of 'blue'";
  const PublishedTables published = {{"public.orders", {"mood"}}};
  ComparedSchemas compared = ForLogicalReplica(primary, replica, published);
  EXPECT_THAT(Compare(compared.primary, compared.replica), IsEmpty());

  replica[mood].text = "an enum of 'bad'";
  compared = ForLogicalReplica(primary, replica, published);
  EXPECT_THAT(Compare(compared.primary, compared.replica),
              ElementsAre(Field(&Difference::key, mood)));
}

TEST(SchemaRead, RefusesRowsThatItDoesNotUnderstand) {
  EXPECT_FALSE(ReadSchema(Rows{{"public", "orders"}}).ok());
  EXPECT_FALSE(ReadSchema(Rows{{"public", "orders", "table", "", std::nullopt, "", ""}}).ok());
  EXPECT_FALSE(ReadSchema(absl::DeadlineExceededError("slow")).ok());
  const auto schema =
      ReadSchema(Rows{{"public", "orders", "table", "", "a table", "", ""},
                      {"public", "orders", "column", "mood", "public.mood", "public", "mood"},
                      {"public", "f(integer)", "function", "", "SELECT 1", "public", "orders"},
                      {"public", "f(integer)", "function", "", "SELECT 1", "a.b", "c"}});
  ASSERT_TRUE(schema.ok()) << schema.status();
  EXPECT_THAT(*schema, SizeIs(3));
  EXPECT_EQ(schema->at(Column("orders", "mood")).uses, "public.mood");
  EXPECT_THAT(schema->at({"public", "f(integer)", "function", ""}).used_by,
              ElementsAre(R"("a.b".c)", "public.orders"));
}

TEST(SchemaStatementTest, QuotesTheNamesOfSchemas) {
  EXPECT_THAT(SchemaStatement({}).parameters, ElementsAre("{}"));
  EXPECT_THAT(SchemaStatement({"a", "b\"},{x\\"}).parameters, ElementsAre(R"({"a","b\"},{x\\"})"));
}

}  // namespace
}  // namespace headgate::database
