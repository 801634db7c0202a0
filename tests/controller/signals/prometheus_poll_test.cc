#include "controller/signals/prometheus_poll.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/controller/signals/fake_server.h"

namespace headgate::signals {
namespace {

using ::testing::HasSubstr;

// Answers by the query: the key must stand in the request.
FakeServer::Answer ByQuery(std::map<std::string, std::string> answers) {
  return [answers = std::move(answers)](const std::string& request) {
    for (const auto& [key, answer] : answers) {
      if (request.find(key) != std::string::npos) return answer;
    }
    return FakeServer::Vector({});
  };
}

class PollTest : public ::testing::Test {
 protected:
  PrometheusRatioQuery Ratio() const {
    return {.url = server_.Url(),
            .bad = "failed",
            .total = "all",
            .every = Duration(1'000),
            .bad_absent_is_zero = false,
            .sampled_by = ""};
  }

  Reading PollRatio(const PrometheusRatioQuery& query) {
    return Poll("shop/payments", query, now_, fetcher_, clock_);
  }

  static std::string Why(const Reading& reading) {
    const auto* none = std::get_if<NoReading>(&reading.value);
    return none == nullptr ? "(a reading)" : none->why;
  }

  FakeServer server_{ByQuery({})};
  HttpFetcher fetcher_;
  SteadyClock clock_;
  TimePoint now_ = clock_.Now();
};

TEST_F(PollTest, CountsAreRoundedAndBothAskedAtTheSameTime) {
  server_.SetAnswer(ByQuery({{"query=failed", FakeServer::Vector({"2.6"})},
                             {"query=all", FakeServer::Vector({"100.4"})}}));
  const Reading reading = PollRatio(Ratio());
  ASSERT_TRUE(std::holds_alternative<RatioReading>(reading.value)) << Why(reading);
  EXPECT_EQ(std::get<RatioReading>(reading.value).bad, 3U);
  EXPECT_EQ(std::get<RatioReading>(reading.value).total, 100U);
  EXPECT_EQ(reading.observed_at, now_);
  EXPECT_EQ(reading.signal, "shop/payments");
  const std::string time =
      fmt::format("time={}.{:03}", UnixMillis(now_) / 1'000, UnixMillis(now_) % 1'000);
  for (const std::string& request : server_.Requests()) EXPECT_THAT(request, HasSubstr(time));
}

TEST_F(PollTest, AnAbsentBadCounterIsZeroOnlyWhereThePlanSaysSo) {
  server_.SetAnswer(ByQuery({{"query=all", FakeServer::Vector({"100"})}}));
  EXPECT_THAT(Why(PollRatio(Ratio())), HasSubstr("bad: empty answer to failed"));
  PrometheusRatioQuery query = Ratio();
  query.bad_absent_is_zero = true;
  const Reading reading = PollRatio(query);
  ASSERT_TRUE(std::holds_alternative<RatioReading>(reading.value)) << Why(reading);
  EXPECT_EQ(std::get<RatioReading>(reading.value).bad, 0U);
  // Not for anything else than an empty answer, and not for the total.
  server_.SetAnswer(ByQuery(
      {{"query=all", FakeServer::Vector({"100"})}, {"query=failed", FakeServer::Vector({"NaN"})}}));
  EXPECT_THAT(Why(PollRatio(query)), HasSubstr("bad: the value is NaN"));
  server_.SetAnswer(ByQuery({{"query=failed", FakeServer::Vector({"1"})}}));
  EXPECT_THAT(Why(PollRatio(query)), HasSubstr("total: empty answer to all"));
}

TEST_F(PollTest, CountsThatContradictEachOtherAreNoReading) {
  server_.SetAnswer(ByQuery(
      {{"query=failed", FakeServer::Vector({"101"})}, {"query=all", FakeServer::Vector({"100"})}}));
  EXPECT_THAT(Why(PollRatio(Ratio())), HasSubstr("101 bad events of 100 in total"));
  server_.SetAnswer(ByQuery(
      {{"query=failed", FakeServer::Vector({"-1"})}, {"query=all", FakeServer::Vector({"100"})}}));
  EXPECT_THAT(Why(PollRatio(Ratio())), HasSubstr("-1 is not a count"));
  server_.SetAnswer(ByQuery(
      {{"query=failed", FakeServer::Vector({"1"})}, {"query=all", FakeServer::Vector({"1e30"})}}));
  EXPECT_THAT(Why(PollRatio(Ratio())), HasSubstr("1e+30 is not a count"));
}

TEST_F(PollTest, AReadingIsAsOldAsItsNewestSampleAndNoneIfThatIsStale) {
  PrometheusRatioQuery query = Ratio();
  query.sampled_by = "all_total";
  const auto answer_with_age = [&](Duration age) {
    const std::string sampled =
        fmt::format("{:.3f}", static_cast<double>(UnixMillis(now_ - age)) / 1'000);
    server_.SetAnswer(ByQuery({{"timestamp", FakeServer::Vector({sampled})},
                               {"query=failed", FakeServer::Vector({"1"})},
                               {"query=all&", FakeServer::Vector({"100"})}}));
  };
  answer_with_age(Duration(700));
  const Reading fresh = PollRatio(query);
  ASSERT_TRUE(std::holds_alternative<RatioReading>(fresh.value)) << Why(fresh);
  EXPECT_EQ(fresh.observed_at, now_ - Duration(700));
  answer_with_age(Duration(2'100));
  EXPECT_THAT(Why(PollRatio(query)), HasSubstr("its newest sample is 2s100ms old, over 2s"));
}

TEST_F(PollTest, SaysWhereItAskedWithoutCredentials) {
  PrometheusRatioQuery query = Ratio();
  query.url = "http://me:hunter2@" + server_.Url().substr(7) + "/";
  server_.SetAnswer(
      [](const std::string&) { return FakeServer::WithStatus("503 Service Unavailable", ""); });
  EXPECT_EQ(Why(PollRatio(query)),
            fmt::format("prometheus at {}: total: 503 Service Unavailable", server_.Url()));
  query.url = "";
  EXPECT_THAT(Why(PollRatio(query)), HasSubstr("--prometheus-url"));
}

TEST_F(PollTest, GivesUpWithinItsPeriod) {
  server_.SetAnswer([](const std::string&) { return ""; });
  const Reading reading = PollRatio(Ratio());
  EXPECT_THAT(Why(reading), HasSubstr("no answer within"));
  EXPECT_LT(clock_.Now() - now_, Duration(1'500));
}

TEST_F(PollTest, AValueMayBeNegative) {
  server_.SetAnswer(ByQuery({{"query=lag", FakeServer::Vector({"-2.5"})}}));
  const PrometheusValueQuery query{
      .url = server_.Url(), .query = "lag", .every = Duration(1'000), .sampled_by = ""};
  const Reading reading = Poll("shop/lag", query, now_, fetcher_, clock_);
  ASSERT_TRUE(std::holds_alternative<ValueReading>(reading.value)) << Why(reading);
  EXPECT_EQ(std::get<ValueReading>(reading.value).value, -2.5);
}

}  // namespace
}  // namespace headgate::signals
