#include "controller/database/baseline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headgate::database {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Schema Example() {
  return {{{"public", "orders", "table", ""}, {"a table", ""}},
          {{"public", "orders", "column", "total"}, {"numeric(10,2) not null", ""}},
          {{"public", "orders", "column", "a | b\\"}, {"text default 'x\ny | z'", "public.t"}}};
}

TEST(Baseline, IsReadAsItWasWrittenOneObjectALine) {
  const std::string text = WriteBaseline(Example(), "postgres");
  EXPECT_THAT(text, HasSubstr("\npublic | orders | column | total | numeric(10,2) not null\n"));
  const auto read = ReadBaseline(text, "postgres");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_THAT(CompareWithBaseline(*read, Example(), "primary", 20), IsEmpty());
  EXPECT_EQ(WriteBaseline(*read, "postgres"), text);
}

TEST(Baseline, TellsHowAServerDiffersFromIt) {
  Schema schema = Example();
  schema[{"public", "orders", "column", "total"}].text = "integer";
  schema[{"public", "orders", "column", "gift"}] = {"text", ""};
  EXPECT_THAT(CompareWithBaseline(Example(), schema, "primary", 20),
              ElementsAre(Field(&Finding::text,
                                "the primary: table public.orders: column gift is text here; in "
                                "the baseline there is none"),
                          Field(&Finding::text,
                                "the primary: table public.orders: column total is integer here, "
                                "numeric(10,2) not null in the baseline")));
  EXPECT_THAT(
      CompareWithBaseline(Example(), schema, "db2", 1),
      ElementsAre(Field(&Finding::server, "db2"),
                  Field(&Finding::text, "replica db2: and 1 more differences from the baseline")));
}

TEST(Baseline, IsRefusedWithItsLine) {
  EXPECT_FALSE(ReadBaseline("", "postgres").ok());
  EXPECT_FALSE(ReadBaseline(WriteBaseline(Example(), "mariadb"), "postgres").ok());
  const auto read =
      ReadBaseline(WriteBaseline({}, "postgres") + "# note\npublic | orders\n", "postgres");
  EXPECT_THAT(std::string(read.status().message()), HasSubstr("line 3 has 2 parts"));
}

}  // namespace
}  // namespace headgate::database
