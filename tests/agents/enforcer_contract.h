// What every load balancer promises behind the Enforcer interface, tried on the real one. A kind
// names the two: `struct Kind { using Real = TestHaproxy; using Enforcer = haproxy::Haproxy; };`
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "agents/core/enforcer.h"
#include "common/base/bucket.h"
#include "tests/support/test_app.h"

namespace headgate::test {

template <typename Kind>
class EnforcerContract : public testing::Test {
 protected:
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

REGISTER_TYPED_TEST_SUITE_P(EnforcerContract, EnforcesWhatItIsToldAndReadsItBack,
                            ProbesFindEveryKindOfKeyAndRefuteAWrongShare);

}  // namespace headgate::test
