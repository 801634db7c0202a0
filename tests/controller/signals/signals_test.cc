#include "controller/signals/signals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "controller/signals/prometheus_follower.h"
#include "tests/controller/signals/fake_server.h"
#include "tests/controller/signals/inbox.h"

namespace headgate::signals {
namespace {

using ::testing::HasSubstr;

SignalSpec Value(const std::string& name, const std::string& url) {
  return {name, PrometheusValueQuery{
                    .url = url, .query = "up", .every = Duration(1'000), .sampled_by = ""}};
}

class SignalsTest : public ::testing::Test {
 protected:
  std::optional<Reading> WaitForName(const std::string& name, std::size_t skip = 0) {
    return inbox_.WaitFor([&](const Reading& reading) { return reading.signal == name; },
                          Duration(5'000), skip);
  }

  SteadyClock clock_;
  Inbox inbox_;
  Sink sink_ = [this](Reading reading) { inbox_.Put(std::move(reading)); };
};

TEST_F(SignalsTest, NeitherFollowNorTheDestructorWaitsForASourceThatHangs) {
  FakeServer server([](const std::string&) { return ""; });
  const TimePoint began = clock_.Now();
  {
    Signals signals(sink_, clock_);
    signals.Follow({Value("a", server.Url()), Value("b", server.Url())});
    signals.Follow({Value("b", server.Url())});
    signals.Follow({});
    EXPECT_LT(clock_.Now() - began, Duration(300));
  }
  EXPECT_LT(clock_.Now() - began, Duration(900));
}

TEST_F(SignalsTest, AnUnchangedSignalGoesOnAndARemovedOneFallsSilent) {
  FakeServer server([](const std::string&) { return FakeServer::Vector({"1"}); });
  Signals signals(sink_, clock_);
  signals.Follow({Value("kept", server.Url()), Value("dropped", server.Url())});
  ASSERT_TRUE(WaitForName("kept") && WaitForName("dropped"));
  const auto first = WaitForName("kept");
  signals.Follow({Value("kept", server.Url())});
  const std::size_t before = inbox_.Count();
  const auto next = WaitForName("kept", before);
  ASSERT_TRUE(next.has_value());
  // It was not started anew: its poll is one period after its first.
  EXPECT_EQ((next->observed_at - first->observed_at) % Duration(1'000), Duration(0));
  ASSERT_TRUE(WaitForName("kept", before + 1));
  EXPECT_FALSE(inbox_.WaitFor([](const Reading& reading) { return reading.signal == "dropped"; },
                              Duration(0), before + 1));
}

TEST_F(SignalsTest, AChangedSpecReplacesTheFormerOne) {
  FakeServer server([](const std::string&) { return FakeServer::Vector({"1"}); });
  Signals signals(sink_, clock_);
  signals.Follow({Value("a", server.Url())});
  ASSERT_TRUE(WaitForName("a"));
  signals.Follow({Value("a", "")});
  EXPECT_TRUE(inbox_.WaitFor([](const Reading& reading) { return !WhyNot(reading).empty(); },
                             Duration(5'000)));
}

TEST_F(SignalsTest, BeyondTheLimitASignalIsToldThatItIsNotFollowed) {
  Signals signals(sink_, clock_);
  std::vector<SignalSpec> specs;
  for (std::size_t i = 0; i <= kSignalsMax; ++i) specs.push_back(Value(std::to_string(i), ""));
  signals.Follow(std::move(specs));
  const auto refused = WaitForName(std::to_string(kSignalsMax));
  ASSERT_TRUE(refused.has_value());
  EXPECT_THAT(WhyNot(*refused), HasSubstr("more than 64 signals"));
}

TEST(NextPollTest, KeepsWindowsDisjointAndSkipsTheMissedOnes) {
  const TimePoint first = FromUnixMillis(1'000'000);
  const Duration every(30'000);
  EXPECT_EQ(NextPoll(first, every, first + Duration(200)), first + every);
  EXPECT_EQ(NextPoll(first, every, first + Duration(31'000)), first + every);
  EXPECT_EQ(NextPoll(first, every, first + Duration(95'000)), first + 3 * every);
}

}  // namespace
}  // namespace headgate::signals
