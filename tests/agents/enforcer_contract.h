// What every load balancer promises behind the Enforcer interface, tried on the real one. A kind
// names the two: `struct Kind { using Real = TestHaproxy; using Enforcer = haproxy::Haproxy; };`
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

TYPED_TEST_P(EnforcerContract, CookiesAreSignedAndOneThatIsMadeUpIsNoKey) {
  const TestApp app;
  const typename TypeParam::Real real({.app_port = app.port(), .share = this->Percent("50%")});
  typename TypeParam::Enforcer enforcer(real.settings());
  PutAndSee(enforcer, kOldKeys);
  EXPECT_TRUE(enforcer.Try(this->Percent("50%")).ok()) << enforcer.Try(this->Percent("50%"));
  int inside = 0;
  for (int i = 0; i < 40; ++i) {
    const std::string cookie = CookieGivenTo(real, "");
    ASSERT_TRUE(agent::IsSigned(kOldKeys, cookie)) << cookie;
    const bool is_inside = IsAdmitted(BucketOf(cookie), this->Percent("50%"));
    inside += is_inside ? 1 : 0;
    ASSERT_EQ(real.StatusFor(cookie), is_inside ? 200 : 503) << cookie;
    ASSERT_EQ(CookieGivenTo(real, cookie), "");
    const std::string made_up = MadeUpInside(this->Percent("50%"), i);
    ASSERT_EQ(real.StatusFor(made_up), 503) << made_up;
    ASSERT_EQ(real.StatusFor("user-" + std::to_string(i)), 503);
    ASSERT_TRUE(agent::IsSigned(kOldKeys, CookieGivenTo(real, made_up)));
  }
  EXPECT_GT(inside, 5);
}

TYPED_TEST_P(EnforcerContract, ARotationOfKeysTakesNobodysPlace) {
  const TestApp app;
  const typename TypeParam::Real real({.app_port = app.port(), .share = this->Percent("50%")});
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
  EXPECT_TRUE(enforcer.Try(this->Percent("50%")).ok()) << enforcer.Try(this->Percent("50%"));
  // What is in force is what a start reads.
  EXPECT_EQ(*agent::ReadCookieKeys(agent::CookieKeysFileOf(real.share_file())), kNewKeys);
}

REGISTER_TYPED_TEST_SUITE_P(EnforcerContract, EnforcesWhatItIsToldAndReadsItBack,
                            ProbesFindEveryKindOfKeyAndRefuteAWrongShare,
                            CookiesAreSignedAndOneThatIsMadeUpIsNoKey,
                            ARotationOfKeysTakesNobodysPlace);

}  // namespace headgate::test
