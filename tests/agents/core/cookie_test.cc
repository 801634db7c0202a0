#include "agents/core/cookie.h"

#include <gtest/gtest.h>

namespace headgate::agent {
namespace {

const CookieKey kOld{7, std::string(32, 'o')};
const CookieKey kNew{9, std::string("\0\xff with every byte \n", 20) + std::string(12, 'n')};

TEST(Cookie, IsWhatOpensslMakesOfIt) {
  // printf 7.name | openssl dgst -sha256 -mac HMAC -macopt key:oooooooooooooooooooooooooooooooo
  EXPECT_EQ(SignCookie(kOld, "name"), "7.name.65e298ac20c3229082377f00eac4916b");
}

TEST(Cookie, IsGoodIfAnyOfTheKeysSignedIt) {
  const CookieKeys keys{.issuing = 9, .keys = {kOld, kNew}};
  EXPECT_TRUE(IsSigned(keys, SignCookie(kOld, "name")));
  EXPECT_TRUE(IsSigned(keys, SignCookie(kNew, "name")));
  EXPECT_FALSE(IsSigned({.issuing = 9, .keys = {kNew}}, SignCookie(kOld, "name")));
}

TEST(Cookie, WhatIsMadeUpIsNotSigned) {
  const CookieKeys keys{.issuing = 9, .keys = {kOld, kNew}};
  const std::string good = SignCookie(kOld, "name");
  for (const std::string& bad :
       {std::string(), std::string("name"), std::string("7.name"), std::string("7.name."),
        good + "0", good.substr(0, good.size() - 1), "9" + good.substr(1), "07" + good.substr(1),
        good + ".x", "issue" + good.substr(1), std::string("..")}) {
    EXPECT_FALSE(IsSigned(keys, bad)) << bad;
  }
}

TEST(Cookie, KeysAreReadAsTheyWereWritten) {
  const CookieKeys keys{.issuing = 9, .keys = {kOld, kNew}};
  EXPECT_EQ(*ParseCookieKeys(CookieKeysText(keys)), keys);
  EXPECT_EQ(*ParseCookieKeys(CookieKeysText({})), CookieKeys{});
  EXPECT_EQ(*ParseCookieKeys(""), CookieKeys{});
}

TEST(Cookie, DamagedKeysAreNone) {
  const std::string text = CookieKeysText({.issuing = 9, .keys = {kOld, kNew}});
  for (const std::string& bad :
       {std::string("issue 9\n"), text.substr(0, text.size() - 8), std::string("k9 !!\n"),
        "x" + text.substr(text.find("issue")), text + "k9 AAAA\n"}) {
    EXPECT_FALSE(ParseCookieKeys(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace headgate::agent
