#include "controller/database/chunker.h"

#include <gtest/gtest.h>

namespace headgate::database {
namespace {

TEST(ChunkSize, GrowsToWhatHalfOfTheTimeAllowsAndNotAtOnce) {
  ChunkSize size;
  size.Took(2'000, Microseconds(500));
  EXPECT_EQ(size.rows(), 4'000U);
  for (int i = 0; i < 10; ++i) size.Took(size.rows(), Microseconds(size.rows() * 2));
  EXPECT_EQ(size.rows(), 12'500U);
  for (int i = 0; i < 10; ++i) size.Took(size.rows(), Microseconds(1));
  EXPECT_EQ(size.rows(), ChunkSize::kRowsMax);
}

TEST(ChunkSize, IsHalvedByASlowStatementAndNeverNothing) {
  ChunkSize size;
  size.Took(2'000, Microseconds(900'000));
  EXPECT_EQ(size.rows(), 1'000U);
  for (int i = 0; i < 10; ++i) size.Took(size.rows(), Microseconds(5'000'000));
  EXPECT_EQ(size.rows(), ChunkSize::kRowsMin);
}

TEST(ChunkSize, LearnsNothingFromAHandfulOfRows) {
  ChunkSize size;
  size.Took(3, Microseconds(40'000));
  EXPECT_EQ(size.rows(), ChunkSize::kRowsFirst);
}

KeyRange Range(const std::string& after, const std::string& until) {
  return {.after = Key{after}, .until = Key{until}};
}

TEST(Density, CountsOnWhileMostNumbersAreThere) {
  Density density("bigint");
  EXPECT_EQ(density.Next({"100"}, 50), std::nullopt);
  density.Saw(Range("0", "100"), 90);
  EXPECT_EQ(density.Next({"100"}, 50), Key{"150"});
  density.Saw(Range("100", "150"), 20);
  EXPECT_EQ(density.Next({"150"}, 50), std::nullopt);
}

TEST(Density, LooksForWhatCannotBeCounted) {
  Density text("text");
  text.Saw(Range("0", "100"), 100);
  EXPECT_EQ(text.Next({"100"}, 50), std::nullopt);
  Density number("integer");
  number.Saw({.after = {}, .until = Key{"100"}}, 100);
  EXPECT_EQ(number.Next({"100"}, 50), std::nullopt);
  number.Saw(Range("0", "100"), 100);
  EXPECT_EQ(number.Next({"x"}, 50), std::nullopt);
  // There is no such number.
  EXPECT_EQ(number.Next({"2147483600"}, 50), std::nullopt);
  Density wide("bigint");
  wide.Saw(Range("-9223372036854775808", "9223372036854775807"), 5);
  EXPECT_EQ(wide.Next({"9223372036854775800"}, 50), std::nullopt);
  Density pair("bigint");
  pair.Saw({.after = Key{"1", "2"}, .until = Key{"3", "4"}}, 100);
  EXPECT_EQ(pair.Next({"3", "4"}, 50), std::nullopt);
}

TEST(Throttle, RestsSoLongThatTheShareIsKept) {
  EXPECT_EQ(Throttle(20).RestAfter(Microseconds(25'000)), Duration(100));
  EXPECT_EQ(Throttle(50).RestAfter(Microseconds(25'000)), Duration(25));
  EXPECT_EQ(Throttle(100).RestAfter(Microseconds(25'000)), Duration(0));
}

TEST(Throttle, KeepsFractionsOfAMillisecondForLater) {
  Throttle throttle(50);
  Duration rested(0);
  for (int i = 0; i < 10; ++i) rested += throttle.RestAfter(Microseconds(300));
  EXPECT_EQ(rested, Duration(3));
}

TEST(Throttle, OwesNoMinutesForAServerThatHung) {
  EXPECT_EQ(Throttle(1).RestAfter(Microseconds(60'000'000)), Duration(5'000));
}

}  // namespace
}  // namespace headgate::database
