// What every load balancer promises behind the Enforcer interface, tried on the real one. A kind
// names the two: `struct Kind { using Real = TestHaproxy; using Enforcer = haproxy::Haproxy; };`,
// and says in `Missing()`, if it has that, why its tests are skipped.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "agents/core/enforcer.h"
#include "common/base/bucket.h"
#include "tests/support/test_app.h"

namespace headgate::test {

template <typename Kind>
class EnforcerContract : public testing::Test {
 protected:
  void SetUp() override {
    // Of a kind that cannot be had everywhere.
    if constexpr (requires { Kind::Missing(); }) {
      if (const std::string why = Kind::Missing(); !why.empty()) GTEST_SKIP() << why;
    }
  }
  static Share Percent(const char* text) { return *Share::Parse(text); }
};
TYPED_TEST_SUITE_P(EnforcerContract);

TYPED_TEST_P(EnforcerContract, EnforcesWhatItIsToldAndReadsItBack) {
  const TestApp app;
  const typename TypeParam::Real real({.app_port = app.port()});
  typename TypeParam::Enforcer enforcer(real.settings());
  for (const char* text : {"0%", "1%", "20%", "50%", "100%"}) {
    const Share share = this->Percent(text);
    const agent::Reading before = enforcer.Read();
    ASSERT_TRUE(before.in_force.has_value()) << before.trouble << real.Log();
    const auto direction =
        *before.in_force < share ? agent::Direction::kUp : agent::Direction::kDown;
    const agent::ApplyOutcome outcome = enforcer.Put({share, 7, direction});
    ASSERT_TRUE(outcome.in_memory.ok()) << outcome.in_memory;
    ASSERT_TRUE(outcome.at_next_start.ok()) << outcome.at_next_start;
    const agent::Reading after = enforcer.Read();
    EXPECT_EQ(after.in_force, share);
    EXPECT_EQ(after.at_next_start, share);
    EXPECT_EQ(after.retry_after_s, 7U);
    EXPECT_EQ(after.trouble, "");
    EXPECT_TRUE(enforcer.Try(share).ok()) << text << ": " << enforcer.Try(share);
    for (int i = 0; i < 50; ++i) {
      const std::string user = "user-" + std::to_string(i);
      const bool inside = IsAdmitted(BucketOf(user), share);
      ASSERT_EQ(real.StatusFor(user), inside ? 200 : 503) << user << " at " << text;
    }
  }
}

TYPED_TEST_P(EnforcerContract, ProbesFindEveryKindOfKeyAndRefuteAWrongShare) {
  const TestApp app;
  for (const char* key : {"cookie headgate_uid", "header X-User-Id", "client_address"}) {
    const typename TypeParam::Real real(
        {.app_port = app.port(), .key = key, .share = this->Percent("20%")});
    typename TypeParam::Enforcer enforcer(real.settings());
    EXPECT_TRUE(enforcer.Try(this->Percent("20%")).ok()) << enforcer.Try(this->Percent("20%"));
    EXPECT_FALSE(enforcer.Try(this->Percent("21%")).ok());
    EXPECT_FALSE(enforcer.Try(this->Percent("19%")).ok());
    EXPECT_FALSE(enforcer.Try(Share::All()).ok());
    EXPECT_FALSE(enforcer.Try(Share::None()).ok());
  }
}

TYPED_TEST_P(EnforcerContract, AFileThatCannotBeWrittenPreventsARaiseButNoLowering) {
  const TestApp app;
  const typename TypeParam::Real real({.app_port = app.port(), .share = this->Percent("50%")});
  typename TypeParam::Enforcer enforcer(real.settings());
  // A folder in the way of the temporary file stands for every disk that takes nothing.
  std::filesystem::create_directory(real.share_file() + "." + std::to_string(getpid()) + ".tmp");
  const agent::ApplyOutcome raise = enforcer.Put({this->Percent("60%"), 10, agent::Direction::kUp});
  EXPECT_FALSE(raise.in_memory.ok());
  EXPECT_FALSE(raise.at_next_start.ok());
  EXPECT_EQ(enforcer.Read().in_force, this->Percent("50%"));
  const agent::ApplyOutcome lowering =
      enforcer.Put({this->Percent("5%"), 10, agent::Direction::kDown});
  EXPECT_TRUE(lowering.in_memory.ok()) << lowering.in_memory;
  EXPECT_FALSE(lowering.at_next_start.ok());
  EXPECT_EQ(enforcer.Read().in_force, this->Percent("5%"));
  EXPECT_EQ(enforcer.Read().at_next_start, this->Percent("50%"));
}

// Whoever is not of the agent's own may ask for it, too: that must not say that users are refused.
TYPED_TEST_P(EnforcerContract, TheWaitingPageByItsOwnAddressIsNoRefusal) {
  const TestApp app;
  const typename TypeParam::Real real({.app_port = app.port(), .share = Share::All()});
  typename TypeParam::Enforcer enforcer(real.settings());
  ASSERT_TRUE(enforcer.Read().in_force.has_value());
  const absl::StatusOr<agent::RawCounters> before = enforcer.ReadCounters();
  ASSERT_TRUE(before.ok()) << before.status();
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(enforcer.TryWaitPage().ok()) << enforcer.TryWaitPage();
  }
  ASSERT_TRUE(enforcer.Read().in_force.has_value());
  const absl::StatusOr<agent::RawCounters> after = enforcer.ReadCounters();
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->refused, before->refused);
}

REGISTER_TYPED_TEST_SUITE_P(EnforcerContract, EnforcesWhatItIsToldAndReadsItBack,
                            ProbesFindEveryKindOfKeyAndRefuteAWrongShare,
                            AFileThatCannotBeWrittenPreventsARaiseButNoLowering,
                            TheWaitingPageByItsOwnAddressIsNoRefusal);

}  // namespace headgate::test
