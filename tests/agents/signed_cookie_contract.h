// What every load balancer that verifies the gate's cookie promises, tried on the real one. A kind
// is as in enforcer_contract.h.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "agents/core/cookie.h"
#include "agents/core/enforcer.h"
#include "common/base/bucket.h"
#include "tests/support/process.h"
#include "tests/support/test_app.h"

namespace headgate::test {

template <typename Kind>
class SignedCookieContract : public testing::Test {};
TYPED_TEST_SUITE_P(SignedCookieContract);

inline const CookieKeys kOldKeys{.issuing = 5, .keys = {{5, std::string(32, 'a')}}};
inline const CookieKeys kBothKeys{
    .issuing = 5, .keys = {{5, std::string(32, 'a')}, {6, std::string(32, '\xfe')}}};
inline const CookieKeys kNewKeys{.issuing = 6,
                                 .keys = {{5, std::string(32, 'a')}, {6, std::string(32, '\xfe')}}};

// Puts them, and waits until they are read back.
template <typename Enforcer>
void PutAndSee(Enforcer& enforcer, const CookieKeys& keys) {
  absl::Status status;
  EXPECT_TRUE(Eventually([&] {
    status = enforcer.PutCookieKeys(keys);
    return status.ok() && enforcer.Read().cookie_keys == keys;
  })) << status
      << enforcer.Read().trouble;
}

// The value of the cookie that a person gets who comes without one, or with `cookie`.
template <typename Real>
std::string CookieGivenTo(const Real& real, const std::string& cookie) {
  std::vector<std::string> headers = {"Sec-Fetch-Mode: navigate"};
  if (!cookie.empty()) headers.push_back("Cookie: headgate_uid=" + cookie);
  const std::string answer = real.Visit(headers).headers;
  constexpr char kName[] = "headgate_uid=";
  const std::size_t at = answer.find(kName);
  if (at == std::string::npos) return "";
  const std::size_t from = at + sizeof kName - 1;
  return answer.substr(from, answer.find(';', from) - from);
}

// Looks like a cookie, and would be admitted as a key.
inline std::string MadeUpInside(Share share, int seed) {
  for (int i = 0;; ++i) {
    std::string cookie = fmt::format("5.made-up-{}-{}.{}", seed, i, std::string(32, 'a'));
    if (IsAdmitted(BucketOf(cookie), share)) return cookie;
  }
}

TYPED_TEST_P(SignedCookieContract, CookiesAreSignedAndOneThatIsMadeUpIsNoKey) {
  const TestApp app;
  const typename TypeParam::Real real({.app_port = app.port(), .share = *Share::Parse("50%")});
  typename TypeParam::Enforcer enforcer(real.settings());
  PutAndSee(enforcer, kOldKeys);
  EXPECT_TRUE(enforcer.Try(*Share::Parse("50%")).ok()) << enforcer.Try(*Share::Parse("50%"));
  int inside = 0;
  for (int i = 0; i < 40; ++i) {
    const std::string cookie = CookieGivenTo(real, "");
    ASSERT_TRUE(agent::IsSigned(kOldKeys, cookie)) << cookie;
    const bool is_inside = IsAdmitted(BucketOf(cookie), *Share::Parse("50%"));
    inside += is_inside ? 1 : 0;
    ASSERT_EQ(real.StatusFor(cookie), is_inside ? 200 : 503) << cookie;
    ASSERT_EQ(CookieGivenTo(real, cookie), "");
    const std::string made_up = MadeUpInside(*Share::Parse("50%"), i);
    ASSERT_EQ(real.StatusFor(made_up), 503) << made_up;
    ASSERT_EQ(real.StatusFor("user-" + std::to_string(i)), 503);
    ASSERT_TRUE(agent::IsSigned(kOldKeys, CookieGivenTo(real, made_up)));
  }
  EXPECT_GT(inside, 5);
}

TYPED_TEST_P(SignedCookieContract, ARotationOfKeysTakesNobodysPlace) {
  const TestApp app;
  const typename TypeParam::Real real({.app_port = app.port(), .share = *Share::Parse("50%")});
  typename TypeParam::Enforcer enforcer(real.settings());
  PutAndSee(enforcer, kOldKeys);
  std::vector<std::string> admitted;
  while (admitted.size() < 5) {
    const std::string cookie = CookieGivenTo(real, "");
    ASSERT_NE(cookie, "");
    if (real.StatusFor(cookie) == 200) admitted.push_back(cookie);
  }
  PutAndSee(enforcer, kBothKeys);
  EXPECT_TRUE(agent::IsSigned(kOldKeys, CookieGivenTo(real, "")));
  PutAndSee(enforcer, kNewKeys);
  EXPECT_TRUE(Eventually([&] { return CookieGivenTo(real, "").starts_with("6."); }));
  for (const std::string& cookie : admitted) EXPECT_EQ(real.StatusFor(cookie), 200) << cookie;
  EXPECT_TRUE(enforcer.Try(*Share::Parse("50%")).ok()) << enforcer.Try(*Share::Parse("50%"));
  // What is in force is what a start reads.
  EXPECT_EQ(*agent::ReadCookieKeys(agent::CookieKeysFileOf(real.share_file())), kNewKeys);
}

TYPED_TEST_P(SignedCookieContract, ACookieOfAKeyThatHasGoneIsNoneHoweverOftenItWasVerifiedBefore) {
  const TestApp app;
  const typename TypeParam::Real real({.app_port = app.port(), .share = *Share::Parse("50%")});
  typename TypeParam::Enforcer enforcer(real.settings());
  PutAndSee(enforcer, kNewKeys);
  std::string cookie;
  for (int i = 0; !IsAdmitted(BucketOf(cookie), *Share::Parse("50%")); ++i) {
    cookie = agent::SignCookie(kNewKeys.keys[0], "user-" + std::to_string(i));
  }
  for (int i = 0; i < 8; ++i) EXPECT_EQ(real.StatusFor(cookie), 200);
  PutAndSee(enforcer, CookieKeys{.issuing = 6, .keys = {kNewKeys.keys[1]}});
  EXPECT_TRUE(Eventually([&] { return real.StatusFor(cookie) == 503; }));
  // Each worker has heard of it by then, or hears of it: none admits them again.
  EXPECT_TRUE(Eventually([&] {
    int refused = 0;
    for (int i = 0; i < 8; ++i) refused += real.StatusFor(cookie) == 503 ? 1 : 0;
    return refused == 8;
  }));
}

REGISTER_TYPED_TEST_SUITE_P(SignedCookieContract, CookiesAreSignedAndOneThatIsMadeUpIsNoKey,
                            ARotationOfKeysTakesNobodysPlace,
                            ACookieOfAKeyThatHasGoneIsNoneHoweverOftenItWasVerifiedBefore);

}  // namespace headgate::test
