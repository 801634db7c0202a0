#include "controller/signals/prometheus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace headgate::signals {
namespace {

using ::testing::HasSubstr;

HttpAnswer Ok(const std::string& body) {
  return {.status = 200, .status_line = "200 OK", .body = body, .date = std::nullopt};
}

HttpAnswer Vector(const std::string& result) {
  return Ok(R"({"status":"success","data":{"resultType":"vector","result":[)" + result + "]}}");
}

TEST(InstantAnswer, OfOneSeriesIsItsNumber) {
  const auto value = ParseInstantAnswer(Vector(R"({"metric":{},"value":[1.5,"42.25"]})"));
  ASSERT_TRUE(value.ok()) << value.status();
  EXPECT_EQ(*value, 42.25);
  const auto scalar = ParseInstantAnswer(
      Ok(R"({"status":"success","data":{"resultType":"scalar","result":[1,"-1e3"]}})"));
  ASSERT_TRUE(scalar.ok()) << scalar.status();
  EXPECT_EQ(*scalar, -1'000.0);
}

TEST(InstantAnswer, WithoutSeriesIsEmptyAndNotZero) {
  const auto value = ParseInstantAnswer(Vector(""));
  ASSERT_TRUE(value.ok());
  EXPECT_FALSE(value->has_value());
}

struct Garbage {
  HttpAnswer answer;
  std::string reason;
};

TEST(InstantAnswer, ThatIsGarbageGivesNoNumberAndItsOwnReason) {
  const std::string series = R"({"metric":{},"value":[1,"1"]})";
  HttpAnswer redirect = Ok("");
  redirect.status = 302;
  redirect.status_line = "302 Found";
  HttpAnswer bad_request = Ok(R"({"status":"error","errorType":"bad_data","error":"parse error"})");
  bad_request.status = 400;
  bad_request.status_line = "400 Bad Request";
  HttpAnswer down = Ok("<html>nginx</html>");
  down.status = 503;
  down.status_line = "503 Service Unavailable";
  const std::vector<Garbage> cases = {
      {Vector(R"({"metric":{},"value":[1,"NaN"]})"), "NaN"},
      {Vector(R"({"metric":{},"value":[1,"+Inf"]})"), "+Inf"},
      {Vector(R"({"metric":{},"value":[1,"12abc"]})"), "'12abc' is not a number"},
      {Vector(R"({"metric":{},"value":[1,""]})"), "is not a number"},
      {Vector(R"({"metric":{},"value":[1,2]})"), "not that of an instant query"},
      {Vector(R"({"metric":{}})"), "not that of an instant query"},
      {Vector(series + "," + series + "," + series), "3 series where one was expected"},
      {Ok(R"({"status":"success","data":{"resultType":"matrix","result":[]}})"), "gives a matrix"},
      {Ok(R"({"status":"success","data":null})"), "not that of an instant query"},
      {Ok("[]"), "not that of an instant query"},
      {Ok(R"({"status":"error","error":"query timed out"})"), "query timed out"},
      {Ok(R"({"status":"success","warnings":["store a is gone"],"data":{"resultType":"vector",)"
          R"("result":[{"metric":{},"value":[1,"1"]}]}})"),
       "may be partial"},
      {Ok("<!doctype html><title>Log in</title>"), "HTML instead of JSON"},
      {Ok(R"({"status":"success","data":{"resultTy)"), "was cut off"},
      {Ok(std::string(100'000, '[')), "is not JSON"},
      {Ok(""), "no body"},
      {redirect, "redirects (302 Found)"},
      {bad_request, "400 Bad Request: parse error"},
      {down, "503 Service Unavailable"},
  };
  for (const Garbage& garbage : cases) {
    const auto value = ParseInstantAnswer(garbage.answer);
    ASSERT_FALSE(value.ok()) << garbage.reason;
    EXPECT_THAT(std::string(value.status().message()), HasSubstr(garbage.reason));
  }
}

TEST(PrometheusClock, ThatDiffersFromOursIsRefused) {
  const TimePoint now = FromUnixMillis(1'700'000'000'000);
  HttpAnswer answer = Ok("");
  EXPECT_TRUE(CheckClock(answer, now).ok());
  answer.date = now + kClockSkewMax;
  EXPECT_TRUE(CheckClock(answer, now).ok());
  answer.date = now - std::chrono::seconds(42);
  EXPECT_THAT(std::string(CheckClock(answer, now).message()), HasSubstr("42s behind ours"));
}

TEST(InstantQuery, IsEscapedAndAskedAtAnExplicitTime) {
  EXPECT_EQ(InstantQueryForm("sum(a{b=\"c&d\"})", FromUnixMillis(1'700'000'000'042)),
            "query=sum%28a%7Bb%3D%22c%26d%22%7D%29&time=1700000000.042");
}

}  // namespace
}  // namespace headgate::signals
