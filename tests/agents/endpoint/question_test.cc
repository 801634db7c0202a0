// What is read from a load balancer's question, and what a user cannot forge in it.
#include "agents/endpoint/question.h"

#include <gtest/gtest.h>

#include <map>

namespace headgate::endpoint {
namespace {

class Given : public Headers {
 public:
  Given(std::initializer_list<std::pair<const std::string, std::string>> all) : all_(all) {}

  std::vector<std::string_view> All(std::string_view name) const override {
    std::vector<std::string_view> found;
    const auto [first, last] = all_.equal_range(std::string(name));
    for (auto header = first; header != last; ++header) found.push_back(header->second);
    return found;
  }

 private:
  const std::multimap<std::string, std::string> all_;
};

Rules RulesOf(const char* key, const std::vector<std::string>& bypass = {},
              const std::vector<std::string>& trusted = {}) {
  return *MakeRules(*agent::UserKey::Parse(key), bypass, trusted);
}

const Asked kForward{.dialect = Dialect::kForward, .method = "GET", .target = "/authz"};
const Asked kNginx{.dialect = Dialect::kNginx, .method = "GET", .target = "/authz/nginx"};

TEST(Question, OfSeveralCookiesOfTheNameTheLastCounts) {
  const Rules rules = RulesOf("cookie headgate_uid");
  EXPECT_EQ(ReadQuestion(rules, kForward, Given{{"cookie", "a=1; headgate_uid=x; b=2"}}).key, "x");
  EXPECT_EQ(ReadQuestion(rules, kForward, Given{{"cookie", "headgate_uid=x;headgate_uid=y"}}).key,
            "y");
  EXPECT_EQ(ReadQuestion(rules, kForward,
                         Given{{"cookie", "xheadgate_uid=x; headgate_uid=a=b; yheadgate_uid=z"}})
                .key,
            "a=b");
  EXPECT_EQ(ReadQuestion(rules, kForward,
                         Given{{"cookie", "headgate_uid=x"}, {"cookie", "headgate_uid=y"}})
                .key,
            "y");
  EXPECT_EQ(ReadQuestion(rules, kForward, Given{{"cookie", "headgate_uid"}}).key, "");
  EXPECT_EQ(ReadQuestion(rules, kForward, Given{}).key, "");
}

TEST(Question, ANamedHeaderIsTheKey) {
  EXPECT_EQ(ReadQuestion(RulesOf("header X-User-Id"), kForward, Given{{"x-user-id", " u7 "}}).key,
            "u7");
}

TEST(Question, TheClientIsTheNearestThatIsNoTrustedProxy) {
  const Rules rules = RulesOf("client_address", {}, {"10.0.0.0/8", "2001:db8::/32"});
  const auto key = [&](const char* forwarded) {
    return ReadQuestion(rules, kForward, Given{{"x-forwarded-for", forwarded}}).key;
  };
  EXPECT_EQ(key("203.0.113.7"), "203.0.113.7");
  EXPECT_EQ(key("1.1.1.1, 203.0.113.7"), "203.0.113.7");
  EXPECT_EQ(key("1.1.1.1, 203.0.113.7, 10.1.2.3"), "203.0.113.7");
  EXPECT_EQ(key("203.0.113.7,2001:db8::5 , 10.1.2.3"), "203.0.113.7");
  EXPECT_EQ(key("[2001:db9::1]:443"), "2001:db9::1");
  EXPECT_EQ(key("::ffff:203.0.113.7"), "203.0.113.7");
  // All are proxies: the farthest of them.
  EXPECT_EQ(key("10.1.1.1, 10.1.2.3"), "10.1.1.1");
  EXPECT_EQ(key("203.0.113.7, unknown"), "");
  EXPECT_EQ(key(""), "");
  const Asked envoy{
      .dialect = Dialect::kEnvoy, .method = "GET", .target = "/", .peer = "192.0.2.1"};
  EXPECT_EQ(ReadQuestion(rules, envoy, Given{{"x-forwarded-for", "1.1.1.1"}}).key, "192.0.2.1");
  const Asked behind{
      .dialect = Dialect::kEnvoy, .method = "GET", .target = "/", .peer = "10.0.0.1"};
  EXPECT_EQ(ReadQuestion(rules, behind, Given{{"x-forwarded-for", "1.1.1.1"}}).key, "1.1.1.1");
}

TEST(Question, OnlyHeadersThatTheLoadBalancerSetsLetARequestBypass) {
  const Rules rules = RulesOf("cookie headgate_uid", {"path=/healthz", "cidr=203.0.113.0/24"});
  const auto bypassed = [&](const Asked& asked, const Given& headers) {
    return ReadQuestion(rules, asked, headers).is_bypassed;
  };
  EXPECT_TRUE(bypassed(kForward, {{"x-forwarded-uri", "/healthz?a=b"}}));
  EXPECT_TRUE(bypassed(kNginx, {{"x-original-url", "https://shop.example/healthz"}}));
  EXPECT_TRUE(bypassed({.dialect = Dialect::kEnvoy, .method = "GET", .target = "/healthz?x"}, {}));
  EXPECT_TRUE(
      bypassed(kNginx, {{"x-original-url", "http://a/"}, {"x-forwarded-for", "203.0.113.9"}}));
  // Traefik and Caddy pass a user's own X-Original-URL on, and nginx a user's X-Forwarded-Uri.
  EXPECT_FALSE(bypassed(kForward, {{"x-forwarded-uri", "/"}, {"x-original-url", "/healthz"}}));
  EXPECT_FALSE(
      bypassed(kNginx, {{"x-original-url", "http://a/"}, {"x-forwarded-uri", "/healthz"}}));
  EXPECT_FALSE(bypassed(kForward, {{"x-forwarded-uri", "/healthz"}, {"x-forwarded-uri", "/"}}));
  EXPECT_FALSE(bypassed(kForward, {{"x-forwarded-uri", "/healthz/../admin"}}));
  EXPECT_FALSE(bypassed(kForward, {{"x-forwarded-uri", "/a?/healthz"}}));
  EXPECT_FALSE(bypassed(kForward, {{"x-forwarded-for", "203.0.113.9, 198.51.100.1"}}));
  EXPECT_FALSE(bypassed(kForward, {}));
}

TEST(Question, NavigationsAreTheUsersOwnRequests) {
  const Rules rules = RulesOf("cookie headgate_uid");
  const auto navigates = [&](const Given& headers) {
    return ReadQuestion(rules, kForward, headers).is_navigation;
  };
  EXPECT_TRUE(navigates({{"x-forwarded-method", "GET"}, {"accept", "Text/HTML,*/*"}}));
  EXPECT_TRUE(navigates({{"x-forwarded-method", "GET"}, {"sec-fetch-mode", "navigate"}}));
  EXPECT_FALSE(navigates({{"x-forwarded-method", "POST"}, {"accept", "text/html"}}));
  EXPECT_FALSE(navigates(
      {{"x-forwarded-method", "GET"}, {"sec-fetch-mode", "no-cors"}, {"accept", "text/html"}}));
  EXPECT_FALSE(navigates({{"accept", "text/html"}}));
}

TEST(Network, ContainsWhatItSays) {
  const auto contains = [](const char* network, const char* address) {
    return Network::Parse(network)->Contains(*ParseAddress(address));
  };
  EXPECT_TRUE(contains("203.0.113.0/24", "203.0.113.255"));
  EXPECT_FALSE(contains("203.0.113.0/24", "203.0.114.0"));
  EXPECT_TRUE(contains("203.0.112.0/23", "203.0.113.1"));
  EXPECT_TRUE(contains("203.0.113.7", "203.0.113.7"));
  EXPECT_FALSE(contains("203.0.113.7", "203.0.113.6"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(contains("0.0.0.0/1", "::ffff:1.2.3.4"));
  EXPECT_FALSE(contains("0.0.0.0/1", "2001:db8::1"));
  for (const char* text : {"", "a", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "::/129", "1.2.3.4/-1"}) {
    EXPECT_FALSE(Network::Parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace headgate::endpoint
