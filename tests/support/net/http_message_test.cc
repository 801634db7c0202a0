#include "tests/support/net/http_message.h"

#include "gtest/gtest.h"

namespace headgate::support {
namespace {

TEST(HttpMessage, ARequestIsTakenWholeHoweverItsBytesArrive) {
  const std::string whole =
      "POST /order?n=1 HTTP/1.1\r\nHost: shop\r\nContent-Length: 3\r\n\r\nabc";
  std::string buffer;
  for (std::size_t i = 0; i + 1 < whole.size(); ++i) {
    buffer += whole[i];
    const auto early = TakeRequest(buffer);
    ASSERT_TRUE(early.ok());
    EXPECT_FALSE(early->has_value()) << "after byte " << i;
  }
  buffer += whole.back();
  buffer += "GET";
  const auto request = TakeRequest(buffer);
  ASSERT_TRUE(request.ok() && request->has_value());
  EXPECT_EQ((*request)->target, "/order?n=1");
  EXPECT_TRUE((*request)->keep_alive);
  EXPECT_EQ(FindHeader((*request)->headers, "hOsT"), "shop");
  EXPECT_EQ(buffer, "GET");
}

TEST(HttpMessage, AResponseKeepsItsStatusHeadersAndBody) {
  std::string buffer = Serialise(Response{
      .status = 503, .headers = {{"Retry-After", "7"}}, .body = "wait", .keep_alive = true});
  const auto response = TakeResponse(buffer, false);
  ASSERT_TRUE(response.ok() && response->has_value());
  EXPECT_EQ((*response)->status, 503);
  EXPECT_EQ(FindHeader((*response)->headers, "retry-after"), "7");
  EXPECT_EQ((*response)->body, "wait");
  EXPECT_TRUE(buffer.empty());
}

TEST(HttpMessage, ABodyWithoutALengthEndsWithTheConnection) {
  std::string buffer = "HTTP/1.1 200 OK\r\n\r\nhello";
  auto response = TakeResponse(buffer, false);
  ASSERT_TRUE(response.ok());
  EXPECT_FALSE(response->has_value());
  response = TakeResponse(buffer, true);
  ASSERT_TRUE(response.ok() && response->has_value());
  EXPECT_EQ((*response)->body, "hello");
  EXPECT_FALSE((*response)->keep_alive);
}

TEST(HttpMessage, WhatIsBeyondALimitOrNoMessageIsRefused) {
  std::string long_head(kHeadBytesMax + 1, 'a');
  EXPECT_FALSE(TakeRequest(long_head).ok());
  std::string long_body =
      "GET / HTTP/1.1\r\nContent-Length: " + std::to_string(kBodyBytesMax + 1) + "\r\n\r\n";
  EXPECT_FALSE(TakeRequest(long_body).ok());
  std::string chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_FALSE(TakeResponse(chunks, false).ok());
  std::string nonsense = "hello\r\n\r\n";
  EXPECT_FALSE(TakeRequest(nonsense).ok());
  EXPECT_FALSE(TakeResponse(nonsense, true).ok());
}

}  // namespace
}  // namespace headgate::support
