#include "agents/core/local_override.h"

#include <gtest/gtest.h>

#include "agents/core/store.h"
#include "tests/support/temp_folder.h"

namespace headgate::agent {
namespace {

const TimePoint kNow = FromUnixMillis(1'723'658'400'000);
Share Percent(const char* text) { return *Share::Parse(text); }

LocalOverride AtMost(const char* share) {
  return {.is_ceiling = true, .share = Percent(share), .until = std::nullopt};
}
LocalOverride Exactly(const char* share) {
  return {.is_ceiling = false, .share = Percent(share), .until = kNow + std::chrono::minutes(30)};
}

TEST(WithCeiling, TheLowerOfTwoCeilingsStands) {
  EXPECT_EQ(WithCeiling(std::nullopt, Percent("5%")), AtMost("5%"));
  EXPECT_EQ(WithCeiling(AtMost("5%"), Percent("50%")), AtMost("5%"));
  EXPECT_EQ(WithCeiling(AtMost("5%"), Percent("5%")), AtMost("5%"));
  EXPECT_EQ(WithCeiling(AtMost("5%"), Percent("1%")), AtMost("1%"));
}

TEST(WithCeiling, ReplacesAnOverrideThatAdmitsMoreAndFollowsOneThatAdmitsLess) {
  EXPECT_EQ(WithCeiling(Exactly("80%"), Percent("5%")), AtMost("5%"));
  LocalOverride word = WithCeiling(Exactly("5%"), Percent("20%"));
  EXPECT_FALSE(word.is_ceiling);
  EXPECT_EQ(word.share, Percent("5%"));
  EXPECT_EQ(word.ceiling_after, Percent("20%"));
  EXPECT_EQ(WithCeiling(word, Percent("50%")), word);
  word = WithCeiling(word, Percent("10%"));
  EXPECT_EQ(word.ceiling_after, Percent("10%"));
  EXPECT_EQ(WithCeiling(word, Percent("1%")), AtMost("1%"));
}

TEST(InForceAt, AnOverrideEndsAtItsTimeAndItsCeilingFollows) {
  const LocalOverride word = Exactly("5%");
  EXPECT_EQ(InForceAt(word, kNow), word);
  EXPECT_EQ(InForceAt(word, *word.until), std::nullopt);
  EXPECT_EQ(InForceAt(WithCeiling(word, Percent("20%")), *word.until), AtMost("20%"));
  EXPECT_EQ(InForceAt(AtMost("5%"), kNow + std::chrono::hours(1000)), AtMost("5%"));
}

TEST(FileStore, FindsTheCeilingThatFollowsAnOverrideAgain) {
  const test::TempFolder folder;
  FileStore store(folder.path(), "shop");
  const LocalOverride word = WithCeiling(Exactly("5%"), Percent("20%"));
  ASSERT_TRUE(store.SaveOverride(word).ok());
  EXPECT_EQ(*store.LoadOverride(), word);
}

TEST(FileStore, OneAtATimeHasTheTurnAndNobodyWaitsForEver) {
  const test::TempFolder folder;
  const FileStore one(folder.path(), "shop");
  const FileStore other(folder.path(), "shop");
  {
    const auto turn = one.TakeTurn(Duration(0));
    ASSERT_TRUE(turn.ok()) << turn.status();
    EXPECT_TRUE(absl::IsUnavailable(other.TakeTurn(Duration(30)).status()));
  }
  EXPECT_TRUE(other.TakeTurn(Duration(0)).ok());
  EXPECT_TRUE(absl::IsNotFound(FileStore("/nowhere", "shop").TakeTurn(Duration(0)).status()));
}

TEST(FileStore, AnOverrideThatEndsTakesNoNewerWordAlong) {
  const test::TempFolder folder;
  FileStore store(folder.path(), "shop");
  ASSERT_TRUE(store.SaveOverride(Exactly("80%")).ok());
  {
    const auto turn = store.TakeTurn(Duration(0));
    EXPECT_FALSE(store.EndOverride(Exactly("80%"), std::nullopt).ok());
    ASSERT_TRUE(store.SaveOverride(AtMost("5%")).ok());
  }
  EXPECT_TRUE(store.EndOverride(Exactly("80%"), std::nullopt).ok());
  EXPECT_EQ(*store.LoadOverride(), AtMost("5%"));
  EXPECT_TRUE(store.EndOverride(AtMost("5%"), AtMost("1%")).ok());
  EXPECT_EQ(*store.LoadOverride(), AtMost("1%"));
}

}  // namespace
}  // namespace headgate::agent
