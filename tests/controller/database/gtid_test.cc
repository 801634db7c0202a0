#include "controller/database/gtid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headgate::database {
namespace {

TimePoint At(int seconds) { return FromUnixMillis(1'000'000) + std::chrono::seconds(seconds); }

GtidPosition Position(const char* text) { return ParseGtidPosition(text).value(); }

TEST(Gtid, IsReadWithItsDomainServerAndNumber) {
  EXPECT_THAT(
      ParseGtids("0-1-100,5-4294967295-18446744073709551615").value(),
      ::testing::ElementsAre(Gtid{0, 1, 100}, Gtid{5, 4'294'967'295, 18'446'744'073'709'551'615U}));
  EXPECT_TRUE(ParseGtids("")->empty());
  EXPECT_EQ(ToString(Gtid{5, 2, 7}), "5-2-7");
}

TEST(Gtid, ThatIsNoneIsRefused) {
  for (const char* text :
       {"0-1", "0-1-", "0-1-x", "0--1-2", "0-1-2-3", "4294967296-1-1", ",", "a"}) {
    EXPECT_EQ(ParseGtids(text), std::nullopt) << text;
  }
  // Of a binary log's state, not of a position.
  EXPECT_EQ(ParseGtidPosition("0-1-100,0-2-99"), std::nullopt);
}

TEST(Gtid, CoversWhatEveryDomainHasReached) {
  EXPECT_TRUE(Covers(Position("0-1-100,5-1-3,9-9-9"), Position("0-2-100,5-1-2")));
  EXPECT_FALSE(Covers(Position("0-1-100"), Position("0-1-100,5-1-1")));
  EXPECT_TRUE(Covers(Position(""), Position("")));
  EXPECT_EQ(TransactionsBehind(Position("0-1-90"), Position("0-1-100,5-1-3")), 13U);
}

TEST(GtidLag, IsThatOfTheWorstDomain) {
  GtidLag lag;
  lag.Add(At(0), Position("0-1-1,5-1-1"));
  lag.Add(At(2), Position("0-1-2,5-1-1"));
  lag.Add(At(4), Position("0-1-3,5-1-2"));
  EXPECT_EQ(lag.LagOf(Position("0-1-3,5-1-2"), At(9)), Duration(0));
  EXPECT_EQ(lag.LagOf(Position("0-1-3,5-1-1"), At(9)), Duration(5'000));
  EXPECT_EQ(lag.LagOf(Position("0-1-1,5-1-1"), At(9)), Duration(7'000));
}

TEST(GtidLag, IsNoneWhileThePrimaryIsIdleForAnHour) {
  GtidLag lag;
  for (int second = 0; second < 3'600; ++second) lag.Add(At(second), Position("0-1-7"));
  EXPECT_EQ(lag.LagOf(Position("0-1-7"), At(3'600)), Duration(0));
}

TEST(GtidLag, DoesNotCountADomainThatAReplicaNeverHadUntilItIsWritten) {
  GtidLag lag;
  lag.Add(At(0), Position("0-1-1,8-1-500"));
  EXPECT_EQ(lag.LagOf(Position("0-1-1"), At(60)), Duration(0));
  lag.Add(At(60), Position("0-1-1,8-1-501"));
  EXPECT_EQ(lag.LagOf(Position("0-1-1"), At(61)), Duration(1'000));
  // A domain that appears only now is new to everybody.
  lag.Add(At(62), Position("0-1-1,8-1-501,9-1-1"));
  EXPECT_EQ(lag.LagOf(Position("0-1-1,8-1-501"), At(65)), Duration(3'000));
}

TEST(GtidLag, StartsAnewWithAnotherPrimary) {
  GtidLag lag;
  lag.Add(At(0), Position("0-1-500,5-1-5"));
  lag.Add(At(1), Position("0-1-100"));
  EXPECT_EQ(lag.LagOf(Position("0-1-100"), At(9)), Duration(0));
}

}  // namespace
}  // namespace headgate::database
