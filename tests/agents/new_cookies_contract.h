// What every load balancer that gives the gate's cookie promises of those who throw it away to draw
// another, tried on the real one. A kind is as in enforcer_contract.h.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "agents/core/enforcer.h"
#include "common/base/bucket.h"
#include "tests/agents/signed_cookie_contract.h"
#include "tests/support/process.h"
#include "tests/support/test_app.h"

namespace headgate::test {

template <typename Kind>
class NewCookiesContract : public testing::Test {};
TYPED_TEST_SUITE_P(NewCookiesContract);

TYPED_TEST_P(NewCookiesContract, WhoDrawsAgainAndAgainGetsNoMoreAndNobodyLosesAPlace) {
  constexpr unsigned kMost = 4;
  const Share half = *Share::Parse("50%");
  const TestApp app;
  const typename TypeParam::Real real(
      {.app_port = app.port(), .share = half, .new_cookies_per_minute = kMost});
  typename TypeParam::Enforcer enforcer(real.settings());
  std::string admitted = "user-0";
  for (int i = 1; !IsAdmitted(BucketOf(admitted), half); ++i) {
    admitted = "user-" + std::to_string(i);
  }
  unsigned drawn = 0;
  // Twice the limit, if one minute ends and the next begins meanwhile.
  while (drawn <= 2 * kMost && !CookieGivenTo(real, "").empty()) ++drawn;
  EXPECT_GE(drawn, kMost);
  EXPECT_LE(drawn, 2 * kMost);
  const auto answer = real.Visit({"Sec-Fetch-Mode: navigate"});
  EXPECT_EQ(answer.status, 429);
  EXPECT_THAT(answer.headers, testing::ContainsRegex("[Rr]etry-[Aa]fter: 60"));
  EXPECT_THAT(answer.headers, testing::Not(testing::HasSubstr("headgate_uid=")));
  EXPECT_THAT(answer.body, testing::HasSubstr("Too many new visitors"));
  // From the same address: who has a place keeps it, and who asks for no cookie is not counted.
  EXPECT_EQ(real.StatusFor(admitted), 200);
  EXPECT_EQ(real.Visit({"Sec-Fetch-Mode: cors"}).status, 503);
  EXPECT_TRUE(Eventually([&] {
    enforcer.Read();
    const auto counters = enforcer.ReadCounters();
    return counters.ok() && counters->new_cookies_refused == 2;
  }));
}

TYPED_TEST_P(NewCookiesContract, WithoutALimitEverybodyGetsOne) {
  const TestApp app;
  const typename TypeParam::Real real(
      {.app_port = app.port(), .share = *Share::Parse("50%"), .new_cookies_per_minute = 0});
  typename TypeParam::Enforcer enforcer(real.settings());
  for (int i = 0; i < 20; ++i) EXPECT_NE(CookieGivenTo(real, ""), "");
}

REGISTER_TYPED_TEST_SUITE_P(NewCookiesContract, WhoDrawsAgainAndAgainGetsNoMoreAndNobodyLosesAPlace,
                            WithoutALimitEverybodyGetsOne);

}  // namespace headgate::test
