// What nginx may answer instead of a gate's Lua.
#include "agents/nginx/control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headgate::nginx {
namespace {

using testing::HasSubstr;

constexpr char kGood[] =
    "nginx 1022001\ngate shop\nwidth 1000\nretry_after 10\ninstance 7-1.5\nanswered 5\n"
    "refused 0\nslow_500 2\n";

TEST(Control, ReadsWhatTheLuaTells) {
  const auto told = ParseTold("shop", kGood);
  ASSERT_TRUE(told.ok()) << told.status();
  EXPECT_EQ(told->share.width, 1000U);
  EXPECT_EQ(told->share.retry_after_s, 10U);
  EXPECT_EQ(told->instance, "7-1.5");
  EXPECT_EQ(told->counts.at("slow_500"), 2U);
}

TEST(Control, TakesNothingElse) {
  for (const char* body : {"", "hello", "<html>\n", "gate other\nwidth 1\n", "gate shop\nwidth 1\n",
                           "gate shop\nwidth -1\nretry_after 1\nanswered 1\nrefused 1\n",
                           "gate shop\nwidth 1e3\nretry_after 1\nanswered 1\nrefused 1\n"}) {
    EXPECT_FALSE(ParseTold("shop", body).ok()) << body;
  }
}

TEST(Control, SaysWhatTheLuaLacks) {
  const auto told = ParseTold("shop", "nginx 1\ngate shop\ntrouble no dict\n");
  EXPECT_THAT(std::string(told.status().message()), HasSubstr("no dict"));
}

}  // namespace
}  // namespace headgate::nginx
