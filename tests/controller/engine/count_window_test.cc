#include "controller/engine/count_window.h"

#include <gtest/gtest.h>

#include <chrono>

namespace headgate::engine {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kNow{Duration(1'000'000)};

TEST(CountWindow, SumsWhatIsYoungerThanItsSpanAndForgetsTheRest) {
  CountWindow window(10s);
  window.Add(kNow, {.total = 10, .bad = 1});
  window.Add(kNow + 5s, {.total = 20, .bad = 2});
  EXPECT_EQ(window.Sum(kNow + 5s).total, 30U);
  EXPECT_EQ(window.Sum(kNow + 9'999ms).bad, 3U);
  EXPECT_EQ(window.Sum(kNow + 10s).total, 20U);
  EXPECT_EQ(window.Sum(kNow + 15s).total, 0U);
}

TEST(CountWindow, CountsASlotAsOldAsItsFirstCount) {
  CountWindow window(1s);
  window.Add(kNow, {.total = 1});
  window.Add(kNow + 249ms, {.total = 1});
  window.Add(kNow + 250ms, {.total = 1});
  EXPECT_EQ(window.Sum(kNow + 1s).total, 1U);
}

TEST(CountWindow, AddsCountsOfAnOlderTimeToTheNewestSlot) {
  CountWindow window(10s);
  window.Add(kNow + 5s, {.total = 1});
  window.Add(kNow, {.total = 1});
  EXPECT_EQ(window.Sum(kNow + 14s).total, 2U);
}

TEST(CountWindow, ForgetsEverythingWhenItIsCleared) {
  CountWindow window(10s);
  window.Add(kNow, {.total = 1});
  window.Clear();
  EXPECT_EQ(window.Sum(kNow).total, 0U);
}

TEST(CountWindow, LosesNoCountHoweverManyCome) {
  CountWindow window(1h);
  std::uint64_t added = 0;
  for (Duration at = 0ms; at < 1h - 30s; at += 100ms, ++added) window.Add(kNow + at, {.total = 1});
  EXPECT_EQ(window.Sum(kNow + 1h - 30s).total, added);
}

}  // namespace
}  // namespace headgate::engine
