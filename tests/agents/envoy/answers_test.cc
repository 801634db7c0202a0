// What Envoy's admin interface says, and what it never says.
#include "agents/envoy/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/envoy/counts.h"

namespace headgate::envoy {
namespace {

using testing::HasSubstr;

const Gate kGate{"shop", {"app", "api"}};

Stats Sound() {
  return {.counts = {{"server.uptime", 7},
                     {"vhost.a.route.headgate_shop.upstream_rq_total", 12},
                     {"vhost.a.route.headgate_shop.upstream_rq_completed", 10},
                     {"vhost.b.route.headgate_shop.upstream_rq_completed", 1},
                     {"vhost.a.route.headgate_shop.upstream_rq_5xx", 2},
                     {"vhost.a.route.headgate_shop.upstream_rq_timeout", 1},
                     {"vhost.a.route.headgate_shop_bypass.upstream_rq_completed", 4},
                     {"vhost.a.route.headgate_shop_bypass.upstream_rq_5xx", 1},
                     {"headgate_shop_refused.http_local_rate_limit.enabled", 5},
                     {"cluster.app.upstream_cx_connect_fail", 3},
                     {"cluster.app.upstream_rq_active", 2},
                     {"cluster.api.upstream_cx_connect_fail", 1}},
          .below = {{"vhost.a.route.headgate_shop.upstream_rq_time",
                     {{500, 6}, {5000, 8}, {kSlowestMs, 9}}}}};
}

TEST(Answers, TellTheRuntimeByLayer) {
  const auto runtime = ParseRuntime(
      R"({"layers":["a","b"],"entries":{"x":{"final_value":"2","layer_values":["1","2"]},"y":{}}})");
  ASSERT_TRUE(runtime.ok()) << runtime.status();
  EXPECT_EQ(runtime->entries.at("x").in_force, "2");
  EXPECT_EQ(runtime->entries.at("x").by_layer.front(), "1");
  EXPECT_EQ(runtime->entries.at("y").by_layer.size(), 2U);
}

TEST(Answers, TellCountsAndHistograms) {
  const auto stats = ParseStats(
      R"({"stats":[{"name":"a","value":3},{"name":"b","value":"many"},{"name":"c","value":-1},7,)"
      R"({"histograms":[{"name":"t","buckets":[{"upper_bound":500,"cumulative":4},{}]},{}]}]})");
  ASSERT_TRUE(stats.ok()) << stats.status();
  EXPECT_THAT(stats->counts, testing::ElementsAre(testing::Pair("a", 3U)));
  EXPECT_EQ(stats->below.at("t").at(500), 4U);
}

TEST(Answers, NothingElseIsTaken) {
  for (const char* body : {"", "x", "[]", "{}", R"({"stats":{}})", R"({"layers":[]})",
                           R"({"layers":[],"entries":[]})"}) {
    EXPECT_FALSE(ParseRuntime(body).ok()) << body;
    EXPECT_FALSE(ParseStats(body).ok()) << body;
    EXPECT_FALSE(ParseVersion(body).ok()) << body;
  }
}

TEST(Answers, TellAVersionAndWhetherItCanHash) {
  EXPECT_EQ(*ParseVersion(R"({"version":"9e55/1.40.0/Clean/RELEASE/BoringSSL"})"), "1.40.0");
  for (const char* version : {"1.36.0", "1.40.2", "1.37.0-dev", "2.0.0"}) {
    EXPECT_TRUE(CanHash(version)) << version;
  }
  for (const char* version : {"1.35.9", "1.9.0", "0.40.0", "", "1", "x.40"}) {
    EXPECT_FALSE(CanHash(version)) << version;
  }
}

TEST(Counts, AreSummedOverVirtualHostsAndClusters) {
  const auto raw = CountersFrom(Sound(), kGate, {500, 700, 5000});
  ASSERT_TRUE(raw.ok()) << raw.status();
  EXPECT_EQ(raw->answered, 15U);
  EXPECT_EQ(raw->http_5xx, 3U);
  EXPECT_EQ(raw->bypassed, 4U);
  EXPECT_EQ(raw->bypassed_5xx, 1U);
  EXPECT_EQ(raw->refused, 5U);
  EXPECT_EQ(raw->connection_errors, 4U);
  EXPECT_EQ(raw->in_flight, 2U);
  // With the one that timed out; 700 is not counted.
  EXPECT_THAT(raw->slow, testing::ElementsAre(testing::Pair(500U, 4U), testing::Pair(5000U, 2U)));
}

TEST(Counts, SayWhatIsMissing) {
  for (const auto& [name, words] : std::map<std::string, std::string>{
           {"vhost.a.route.headgate_shop.upstream_rq_total", "stat_prefix headgate_shop"},
           {"headgate_shop_refused.http_local_rate_limit.enabled",
            "stat_prefix headgate_shop_refused"},
           {"cluster.api.upstream_cx_connect_fail", "no cluster 'api'"}}) {
    Stats stats = Sound();
    stats.counts.erase(name);
    EXPECT_THAT(std::string(CountersFrom(stats, kGate, {}).status().message()), HasSubstr(words));
  }
}

TEST(Counts, ThresholdsHaveTwoDigits) {
  EXPECT_TRUE(CheckSlow({1, 99, 100, 110, 500, 2500, 600'000}).ok());
  EXPECT_THAT(std::string(CheckSlow({505}).message()), HasSubstr("write 500ms or 510ms"));
  EXPECT_FALSE(CheckSlow({1234}).ok());
}

}  // namespace
}  // namespace headgate::envoy
