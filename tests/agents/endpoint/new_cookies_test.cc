#include "agents/endpoint/new_cookies.h"

#include <gtest/gtest.h>

namespace headgate::endpoint {
namespace {

const TimePoint kStart = FromUnixMillis(1'723'658'400'000);

TEST(NewCookies, AnAddressGetsNoMoreThanItsLimitWithinAMinute) {
  NewCookies limit(2);
  const Address office = *ParseAddress("203.0.113.7");
  EXPECT_TRUE(limit.Take(office, kStart));
  EXPECT_TRUE(limit.Take(office, kStart));
  EXPECT_FALSE(limit.Take(office, kStart + NewCookies::kWindow - Duration(1)));
  EXPECT_TRUE(limit.Take(*ParseAddress("203.0.113.8"), kStart));
  EXPECT_TRUE(limit.Take(office, kStart + NewCookies::kWindow));
}

TEST(NewCookies, OfIpv6TheWholeNetworkOfASiteIsOne) {
  NewCookies limit(1);
  EXPECT_TRUE(limit.Take(*ParseAddress("2001:db8:0:1::1"), kStart));
  EXPECT_FALSE(limit.Take(*ParseAddress("2001:db8:0:1:ffff::2"), kStart));
  EXPECT_TRUE(limit.Take(*ParseAddress("2001:db8:0:2::1"), kStart));
}

TEST(NewCookies, BeyondItsRoomNoFurtherAddressIsLimitedAndThoseThatAreStayLimited) {
  NewCookies limit(1);
  Address address = *ParseAddress("10.0.0.0");
  for (std::size_t i = 0; i <= NewCookies::kAddressesMax; ++i) {
    address[13] = static_cast<std::uint8_t>(i >> 16);
    address[14] = static_cast<std::uint8_t>(i >> 8);
    address[15] = static_cast<std::uint8_t>(i);
    EXPECT_TRUE(limit.Take(address, kStart));
  }
  EXPECT_TRUE(limit.Take(address, kStart));
  EXPECT_FALSE(limit.Take(*ParseAddress("10.0.0.0"), kStart));
}

TEST(NewCookies, ZeroIsWithoutALimit) {
  NewCookies limit(0);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(limit.Take(*ParseAddress("10.0.0.1"), kStart));
}

}  // namespace
}  // namespace headgate::endpoint
