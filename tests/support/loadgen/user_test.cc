#include "tests/support/loadgen/user.h"

#include "gtest/gtest.h"

namespace headgate::loadgen {
namespace {

support::Response Page(int status = 200) {
  return {.status = status, .headers = {}, .body = "", .keep_alive = true};
}

support::Response Refusal() {
  return {.status = 503,
          .headers = {{"Retry-After", "10"}, {"Cache-Control", "no-store"}},
          .body = "",
          .keep_alive = true};
}

support::Response With(support::Response response, std::string set_cookie) {
  response.headers.emplace_back("Set-Cookie", std::move(set_cookie));
  return response;
}

TEST(User, KeepsTheCookieThatItWasGiven) {
  User user;
  EXPECT_EQ(user.cookie(), "");
  user.Take(With(Refusal(), "headgate_uid=abc.def; Path=/; Max-Age=31536000"), {});
  EXPECT_EQ(user.cookie(), "headgate_uid=abc.def");
  EXPECT_FALSE(user.is_admitted());
  user.Take(Page(), {});
  EXPECT_EQ(user.cookie(), "headgate_uid=abc.def");
  EXPECT_TRUE(user.is_admitted());
}

TEST(User, TellsTheGatesRefusalFromTheShopsErrors) {
  EXPECT_EQ(User::Classify(Refusal()), Answer::kRefused);
  EXPECT_EQ(User::Classify(Page(503)), Answer::kError);
  support::Response busy = Page(503);
  busy.headers = {{"Cache-Control", "no-cache"}};
  EXPECT_EQ(User::Classify(busy), Answer::kError) << "HAProxy's own answer";
  EXPECT_EQ(User::Classify(Page(404)), Answer::kPage);
}

TEST(User, WhoHadBeenAdmittedAndIsRefusedIsToldOfOnce) {
  User user;
  user.Take(With(Page(), "headgate_uid=u1"), {.sent_ms = 1'000, .answered_ms = 1'010});
  user.Take(Page(500), {.sent_ms = 2'000, .answered_ms = 2'010});
  const auto taken_out = user.Take(Refusal(), {.sent_ms = 3'000, .answered_ms = 3'010});
  ASSERT_TRUE(taken_out.has_value());
  EXPECT_EQ(taken_out->cookie, "headgate_uid=u1");
  EXPECT_EQ(taken_out->admitted_sent_ms, 2'000) << "an admitted request that errs was admitted";
  EXPECT_EQ(taken_out->refused_sent_ms, 3'000);
  EXPECT_EQ(taken_out->refused_ms, 3'010);
  EXPECT_FALSE(user.Take(Refusal(), {.sent_ms = 4'000, .answered_ms = 4'010}).has_value());
  EXPECT_TRUE(user.has_been_admitted());
  EXPECT_FALSE(user.is_admitted());
}

TEST(User, WithoutACookieNobodyWasPromisedAnything) {
  User user;
  user.Take(Page(), {.sent_ms = 1'000, .answered_ms = 1'010});
  EXPECT_FALSE(user.Take(Refusal(), {.sent_ms = 2'000, .answered_ms = 2'010}).has_value());
}

TEST(User, ComesBackWhenToldGiveOrTake) {
  std::mt19937 random(1);
  const Habits habits{.time_scale = 0.5, .tries = 1'000'000};
  User user;
  for (int i = 0; i < 1'000; ++i) {
    const Millis wait = user.NextVisit(Answer::kRefused, 10, habits, random);
    EXPECT_GE(wait, Millis(5'000));
    EXPECT_LE(wait, Millis(7'500));
  }
}

TEST(User, GoesAwayForAWhileAfterSoManyTriesInARow) {
  std::mt19937 random(1);
  const Habits habits{.think = Millis(1'000'000'000), .reload = Millis(4'000), .tries = 3};
  User user;
  const auto wait = [&] { return user.NextVisit(Answer::kError, std::nullopt, habits, random); };
  EXPECT_LE(wait(), Millis(6'000));
  EXPECT_LE(wait(), Millis(6'000));
  EXPECT_GT(wait(), Millis(6'000));
  EXPECT_LE(wait(), Millis(6'000)) << "patience is back after the break";
  user.NextVisit(Answer::kPage, std::nullopt, habits, random);
  EXPECT_LE(wait(), Millis(6'000));
  EXPECT_LE(wait(), Millis(6'000)) << "a page makes up for what was before";
}

TEST(User, ReadsForAsLongAsItsHabitOnAverage) {
  std::mt19937 random(7);
  const Habits habits{.think = Millis(30'000)};
  User user;
  double sum = 0;
  for (int i = 0; i < 20'000; ++i) {
    sum += static_cast<double>(user.NextVisit(Answer::kPage, {}, habits, random).count());
  }
  EXPECT_NEAR(sum / 20'000, 30'000, 1'500);
}

}  // namespace
}  // namespace headgate::loadgen
