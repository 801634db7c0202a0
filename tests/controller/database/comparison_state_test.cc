#include "controller/database/comparison_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headgate::database {
namespace {

using ::testing::HasSubstr;

ComparisonState Example() {
  ComparisonState state;
  state.servers = {"postgres primary shop at db1:5432", "db3 shop at db3:5432"};
  state.done = {"public.customers db2 db3", "public.odd\tname db3"};
  state.current = "public.orders db2 db3";
  state.after = Key{"a\\b\nc", "", "d\te"};
  state.rows_done = 12'345;
  state.tallies["db3"] = {.confirmed = 3,
                          .told = 2,
                          .unsettled = 1,
                          .why_unsettled = "it kept\nchanging",
                          .chunks_left = 4,
                          .rows_left_on_primary = 5,
                          .rows_left_here = 6};
  state.suspects["db3"] = {{"1", "x"}, {"2", ""}};
  state.findings = {{.severity = Severity::kFailed,
                     .drains = true,
                     .kind = "data",
                     .server = "db3",
                     .table = "public.orders",
                     .text = "replica db3: table public.orders: row (id = 1) differs"},
                    {.severity = Severity::kUnknown,
                     .drains = false,
                     .kind = "data",
                     .server = "db3",
                     .text = ""}};
  state.differences = {{.server = "db3",
                        .table = "public.orders",
                        .kind = RowDifferenceKind::kDifferent,
                        .key = {{"id", "1"}, {"line", "\t"}},
                        .columns = {"total", "note"}},
                       {.server = "db3",
                        .table = "public.orders",
                        .kind = RowDifferenceKind::kMissing,
                        .key = {{"id", "2"}}}};
  return state;
}

TEST(ComparisonState, IsReadAsItWasWritten) {
  const ComparisonState state = Example();
  const std::string text = WriteComparisonState(state);
  const auto read = ReadComparisonState(text);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->servers, state.servers);
  EXPECT_EQ(read->done, state.done);
  EXPECT_EQ(read->current, state.current);
  EXPECT_EQ(read->after, state.after);
  EXPECT_EQ(read->rows_done, state.rows_done);
  EXPECT_EQ(read->tallies, state.tallies);
  EXPECT_EQ(read->suspects, state.suspects);
  EXPECT_EQ(read->findings, state.findings);
  EXPECT_EQ(read->differences, state.differences);
  EXPECT_EQ(WriteComparisonState(*read), text);
}

TEST(ComparisonState, IsRefusedWhereAPartOfItIsMissing) {
  const std::string text = WriteComparisonState(Example());
  // Cut anywhere, also between two lines.
  for (std::size_t size = 0; size + 1 < text.size(); ++size) {
    EXPECT_FALSE(ReadComparisonState(text.substr(0, size)).ok()) << text.substr(0, size);
  }
}

TEST(ComparisonState, NamesTheLineThatItDoesNotUnderstand) {
  for (const char* line : {"tally\tdb3", "row\tdb3\tt\t7\t0", "finding\t9\t\tdata\tdb3\t\tx",
                           "suspect\tdb3", "rows\tmany", "hope\tx", ""}) {
    const auto read =
        ReadComparisonState(std::string("headgate dbcheck state 1\n") + line + "\nend\n");
    EXPECT_THAT(std::string(read.status().message()), HasSubstr("line 2")) << line;
  }
}

}  // namespace
}  // namespace headgate::database
