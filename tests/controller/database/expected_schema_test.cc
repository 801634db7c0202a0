#include "controller/database/expected_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "tests/controller/database/finding_matchers.h"

namespace headgate::database {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::size_t kEnough = 64U << 10U;

Schema Shop() {
  return {{{"public", "orders", "table", ""}, {"a table", ""}},
          {{"public", "orders", "column", "total"}, {"numeric(10,2) not null", ""}},
          {{"public", "people", "table", ""}, {"a table", ""}},
          {{"audit", "log", "table", ""}, {"a table", ""}}};
}

Inventory Expecting(const Schema& schema, std::size_t bytes_max = kEnough, Inventory of = {}) {
  of.expected = Expect(schema, of, bytes_max);
  of.expected->file = "schema.baseline";
  return of;
}

TEST(ExpectedSchema, SaysNothingOfTheSameSchema) {
  EXPECT_THAT(CompareWithExpected(Expecting(Shop()), Shop(), 20), IsEmpty());
  EXPECT_EQ(Expect(Shop(), {}, kEnough).fingerprint.size(), 32U);
}

TEST(ExpectedSchema, NamesTheTablesThatDifferThatAreTooManyAndThatAreMissing) {
  Schema seen = Shop();
  seen[{"public", "orders", "column", "total"}].text = "integer not null";
  seen[{"public", "gifts", "table", ""}].text = "a table";
  seen.erase({"audit", "log", "table", ""});
  EXPECT_THAT(
      CompareWithExpected(Expecting(Shop()), seen, 20),
      ElementsAre(
          Says("the primary: table audit.log is missing, which schema.baseline has"),
          Says("the primary: table public.gifts is not in schema.baseline"),
          AllOf(IsFinding(Severity::kUnknown, "baseline", "primary"),
                Says("the primary: table public.orders is not as schema.baseline has it: headgate "
                     "dbcheck with that file tells how"))));
  EXPECT_THAT(CompareWithExpected(Expecting(Shop()), seen, 1),
              ElementsAre(Says("audit.log"), Says("and 2 more of them are not as")));
}

TEST(ExpectedSchema, LeavesOutWhatMayDifferAndWhatIsNotDeclaredOnBothSides) {
  const Inventory inventory =
      Expecting(Shop(), kEnough, {.schemas = {"public"}, .allow = {"public.orders.note"}});
  Schema seen = Shop();
  seen[{"public", "orders", "column", "note"}].text = "text";
  seen[{"audit", "log", "column", "at"}].text = "text";
  EXPECT_THAT(CompareWithExpected(inventory, seen, 20), IsEmpty());
  seen[{"public", "orders", "column", "other"}].text = "text";
  EXPECT_THAT(CompareWithExpected(inventory, seen, 20), ElementsAre(Says("public.orders")));
}

TEST(ExpectedSchema, OfMoreTablesThanCanBeSentAlongTheFingerprintDecidesAlone) {
  Schema many;
  for (int i = 0; i < 2'000; ++i) many[{"public", fmt::format("t{}", i), "table", ""}] = {};
  EXPECT_FALSE(Expect(many, {}, kEnough).tables.empty());
  const Inventory inventory = Expecting(many, 1'000);
  EXPECT_TRUE(inventory.expected->tables.empty());
  EXPECT_THAT(CompareWithExpected(inventory, many, 20), IsEmpty());
  many[{"public", "t7", "column", "x"}].text = "text";
  EXPECT_THAT(CompareWithExpected(inventory, many, 20),
              ElementsAre(AllOf(Says("its schema is not the one of schema.baseline (fingerprint "),
                                Says("dbcheck with that file tells how"))));
}

// Parts that are joined without an end of their own would come to the same bytes.
TEST(ExpectedSchema, TellsObjectsApartWhoseNamesJoinToTheSame) {
  const Schema one = {{{"a", "b", "column", "cd"}, {"text", ""}}};
  const Schema other = {{{"a", "b", "column", "c"}, {"dtext", ""}}};
  EXPECT_NE(Expect(one, {}, kEnough).fingerprint, Expect(other, {}, kEnough).fingerprint);
}

}  // namespace
}  // namespace headgate::database
