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
