#include "agents/core/refuter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headgate::agent {
namespace {

using testing::HasSubstr;

// A load balancer at one share, looked at every 250 ms.
struct Watched {
  explicit Watched(Share share) {
    counted.in_force = share;
    counted.instance = "1";
    EXPECT_TRUE(Pass(Refuter::kSettled).ok());
  }
  absl::Status Pass(Duration time) {
    absl::Status status;
    for (const TimePoint end = now + time; now < end;) {
      now += Duration(250);
      status = refuter.Weigh(counted, now);
    }
    return status;
  }

  TimePoint now = FromUnixMillis(1'723'658'400'000);
  Refuter refuter;
  Refuter::Counted counted;
};

TEST(Refuter, WhoWasUnderWayMayFinishHoweverLongItTakes) {
  Watched at{Share::All()};
  at.counted.in_flight = 3;
  at.counted.admitted = 100;
  at.counted.in_force = Share::None();
  EXPECT_TRUE(at.Pass(std::chrono::seconds(2)).ok());
  for (; at.counted.in_flight > 0; --at.counted.in_flight) {
    EXPECT_TRUE(at.Pass(std::chrono::minutes(1)).ok());
    ++at.counted.admitted;
  }
  EXPECT_TRUE(at.Pass(std::chrono::minutes(1)).ok());
}

TEST(Refuter, OneMoreAtZeroThanWereUnderWayRefutesAndIsForgivenWhenItEnds) {
  Watched at{Share::None()};
  at.counted.in_flight = 1;
  EXPECT_TRUE(at.Pass(Refuter::kWindow).ok());
  at.counted.admitted += 2;
  at.counted.in_flight = 0;
  EXPECT_THAT(std::string(at.Pass(Duration(250)).message()),
              HasSubstr("at 0 % 2 requests were answered by the application, and only 1 had been"));
  EXPECT_FALSE(at.Pass(Refuter::kWindow - Duration(250)).ok());
  EXPECT_TRUE(at.Pass(Duration(250)).ok());
}

TEST(Refuter, WhoCameInWhileNobodyLookedRefutesNothing) {
  Watched at{Share::None()};
  EXPECT_TRUE(at.Pass(std::chrono::seconds(2)).ok());
  // It hung while everybody was let in, and somebody closed the gate on the box.
  at.now += std::chrono::seconds(6);
  at.counted.admitted += 1'723;
  EXPECT_TRUE(at.Pass(std::chrono::seconds(2)).ok());
  // Opened and closed between two looks.
  at.refuter.BeginAnew();
  at.counted.admitted += 40;
  EXPECT_TRUE(at.Pass(std::chrono::seconds(2)).ok());
  ++at.counted.admitted;
  EXPECT_FALSE(at.Pass(Duration(250)).ok());
}

TEST(Refuter, RefusalsAtAHundredPerCentRefuteAndOneOfACheckDoesNot) {
  Watched at{Share::All()};
  for (int i = 0; i < 10; ++i) {
    ++at.counted.refused;
    at.counted.admitted += 1000;
    EXPECT_TRUE(at.Pass(Refuter::kWindow).ok());
  }
  at.counted.refused += Refuter::kStrayRefusalsMax + 1;
  EXPECT_THAT(std::string(at.Pass(Duration(250)).message()), HasSubstr("at 100 % 4 requests got"));
}

TEST(Refuter, SaysNothingInBetweenNorOfAnotherShareOrProcess) {
  Watched at{*Share::Parse("50%")};
  at.counted.admitted += 1000;
  at.counted.refused += 1000;
  EXPECT_TRUE(at.Pass(std::chrono::minutes(1)).ok());
  at.counted.in_force = Share::None();
  at.counted.admitted += 1000;
  EXPECT_TRUE(at.Pass(std::chrono::minutes(1)).ok());
  at.counted.admitted += 1000;
  EXPECT_FALSE(at.Pass(Duration(250)).ok());
  at.counted.instance = "2";
  EXPECT_TRUE(at.Pass(Duration(250)).ok());
}

}  // namespace
}  // namespace headgate::agent
