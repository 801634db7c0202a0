// What a keeper does in the rows of docs/FAILING_STATIC.md that need hours, another clock or
// another disk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agents/core/keeper_bench.h"

namespace headgate::agent {
namespace {

TEST(Keeper, KeepsItsShareWithoutAControllerForAnHour) {
  Bench bench("100%");
  bench.Direct(1, 1, "5%");
  for (int minute = 0; minute < 60; ++minute) {
    bench.Pass(std::chrono::minutes(1));
    ASSERT_EQ(bench.enforcer.in_force(), Percent("5%")) << minute;
    ASSERT_EQ(bench.enforcer.file(), Percent("5%")) << minute;
    ASSERT_TRUE(bench.keeper->Describe(bench.now).expired) << minute;
  }
  // What was lowered meanwhile on the box, or by a reload, is not raised without it.
  ASSERT_TRUE(bench.store.SaveOverride({.share = Percent("1%"), .until = {}}).ok());
  bench.Pass(std::chrono::milliseconds(250));
  EXPECT_EQ(bench.enforcer.in_force(), Percent("1%"));
  ASSERT_TRUE(bench.store.ReleaseOverride().ok());
  bench.Pass(std::chrono::minutes(1));
  EXPECT_EQ(bench.enforcer.in_force(), Percent("1%"));
}

TEST(Keeper, AClockThatIsSteppedByADayChangesNoShareAndNoValidity) {
  for (const auto day : {std::chrono::hours(24), std::chrono::hours(-24)}) {
    Bench bench("100%");
    bench.Direct(1, 1, "20%");
    ASSERT_TRUE(bench.store.SaveOverride({.share = Percent("5%"), .until = {}}).ok());
    bench.Pass(std::chrono::seconds(1));
    bench.keeper->OnWallClock(bench.now + day, bench.now);
    bench.Pass(std::chrono::seconds(1));
    EXPECT_EQ(bench.enforcer.in_force(), Percent("5%"));
    EXPECT_FALSE(bench.keeper->Describe(bench.now).expired);
    // Neither does it keep a renewal alive.
    bench.Pass(std::chrono::seconds(15));
    EXPECT_TRUE(bench.keeper->Describe(bench.now).expired);
    ASSERT_TRUE(bench.store.SaveOverride({.share = Percent("1%"), .until = {}}).ok());
    bench.Pass(std::chrono::milliseconds(250));
    EXPECT_EQ(bench.enforcer.in_force(), Percent("1%"));
  }
}

TEST(Keeper, AFolderThatIsLostReleasesNobodysWord) {
  Bench bench("50%");
  bench.Direct(1, 1, "50%");
  const LocalOverride ceiling{.is_ceiling = true, .share = Percent("5%"), .until = {}};
  ASSERT_TRUE(bench.store.SaveOverride(ceiling).ok());
  bench.Pass(std::chrono::milliseconds(250));
  bench.store.Lose();
  bench.store.fails = true;
  for (int i = 0; i < 8; ++i) {
    bench.Pass(std::chrono::milliseconds(250));
    bench.Direct(1, 1, "50%");
    ASSERT_EQ(bench.enforcer.in_force(), Percent("5%"));
    EXPECT_TRUE(bench.keeper->Describe(bench.now).unsaved);
    EXPECT_EQ(bench.keeper->Describe(bench.now).trouble, "the state's disk is full");
  }
  // Both are there again as soon as the disk is, and the word can be released as ever.
  bench.store.fails = false;
  bench.Pass(std::chrono::seconds(1));
  EXPECT_EQ(*bench.store.LoadOverride(), ceiling);
  EXPECT_EQ(bench.store.memory()->directive.version, (Version{1, 1}));
  EXPECT_EQ(bench.keeper->Describe(bench.now).trouble, "");
  EXPECT_FALSE(bench.keeper->Describe(bench.now).unsaved);
  EXPECT_EQ(bench.enforcer.in_force(), Percent("5%"));
  ASSERT_TRUE(bench.store.ReleaseOverride().ok());
  bench.Pass(std::chrono::milliseconds(250));
  EXPECT_EQ(bench.enforcer.in_force(), Percent("50%"));
}

TEST(Keeper, WhatIsLoweredWithoutItsFolderIsNotRaisedBack) {
  Bench bench("50%");
  bench.Direct(1, 1, "50%");
  bench.store.Lose();
  bench.store.fails = true;
  bench.Pass(std::chrono::milliseconds(250));
  // As `lower` does, which has nowhere to leave its word.
  bench.enforcer.SetMemory(Percent("5%"));
  for (int i = 0; i < 8; ++i) {
    bench.Direct(1, 1, "50%");
    bench.Pass(std::chrono::milliseconds(250));
    ASSERT_EQ(bench.enforcer.in_force(), Percent("5%"));
  }
  bench.store.fails = false;
  bench.Pass(std::chrono::seconds(1));
  bench.Pass(std::chrono::milliseconds(250));
  EXPECT_EQ(bench.enforcer.in_force(), Percent("50%"));
}

TEST(Keeper, AFolderThatIsLostJustBeforeADirectiveReleasesNobodysWord) {
  Bench bench("50%");
  bench.Direct(1, 1, "50%");
  ASSERT_TRUE(bench.store.SaveOverride({.share = Percent("5%"), .until = {}}).ok());
  bench.Pass(std::chrono::milliseconds(250));
  bench.store.Lose();
  bench.Direct(1, 2, "60%");
  bench.Pass(std::chrono::milliseconds(250));
  EXPECT_EQ(bench.enforcer.in_force(), Percent("5%"));
  EXPECT_TRUE(bench.store.LoadOverride()->has_value());
}

TEST(Keeper, LeavesTheLoadBalancerAsItIsWhenItsStateIsLost) {
  Bench bench("100%");
  bench.Direct(1, 1, "5%");
  bench.store = FakeStore();
  bench.Restart();
  bench.Pass(std::chrono::hours(1));
  EXPECT_EQ(bench.enforcer.in_force(), Percent("5%"));
  EXPECT_EQ(bench.keeper->Describe(bench.now).stage, Stage::kIdle);
  EXPECT_EQ(bench.keeper->Describe(bench.now).enforced, Percent("5%"));
}

TEST(Keeper, KeepsItsShareAfterARestartWithoutAController) {
  Bench bench("100%");
  bench.Direct(1, 1, "5%");
  bench.Restart();
  bench.Pass(std::chrono::hours(1));
  EXPECT_EQ(bench.enforcer.in_force(), Percent("5%"));
  EXPECT_TRUE(bench.keeper->Describe(bench.now).expired);
}

TEST(Keeper, AnOverrideEndsByTheWallClockAsItIsNow) {
  Bench bench("20%");
  bench.Direct(1, 1, "20%");
  // NTP has set the clock right by an hour since the agent began; `--until 30m` was typed after it.
  const TimePoint wall = bench.now - std::chrono::hours(1);
  const TimePoint until = wall + std::chrono::minutes(30);
  const LocalOverride closed{.is_ceiling = false, .share = Percent("0%"), .until = until};
  ASSERT_TRUE(bench.store.SaveOverride(closed).ok());
  bench.keeper->OnWallClock(wall, bench.now);
  bench.Pass(std::chrono::minutes(29));
  EXPECT_EQ(bench.enforcer.in_force(), Percent("0%"));
  EXPECT_EQ(bench.keeper->Describe(bench.now).local_override, closed);
  // Small differences are no steps: what is reported stands still.
  bench.keeper->OnWallClock(wall + std::chrono::minutes(29) + Duration(400), bench.now);
  bench.Pass(Duration(250));
  EXPECT_EQ(bench.keeper->Describe(bench.now).local_override, closed);
  bench.Pass(std::chrono::seconds(59));
  bench.Direct(1, 1, "20%");
  EXPECT_EQ(bench.enforcer.in_force(), Percent("0%"));
  bench.Pass(std::chrono::seconds(1));
  EXPECT_EQ(*bench.store.LoadOverride(), std::nullopt);
  EXPECT_EQ(bench.enforcer.in_force(), Percent("20%"));
}

TEST(Keeper, LowersWhileBothDisksAreFullAndSavesAsSoonAsThereIsRoom) {
  Bench bench("50%");
  bench.Direct(1, 1, "50%");
  bench.store.fails = bench.enforcer.file_fails = true;
  bench.Direct(1, 2, "2%");
  EXPECT_EQ(bench.enforcer.in_force(), Percent("2%"));
  EXPECT_TRUE(bench.keeper->Describe(bench.now).unsaved);
  bench.Direct(1, 3, "90%");
  EXPECT_EQ(bench.enforcer.in_force(), Percent("2%"));
  EXPECT_EQ(bench.keeper->Describe(bench.now).refusal->code, RefusalCode::kDisk);
  bench.store.fails = bench.enforcer.file_fails = false;
  bench.Pass(std::chrono::seconds(2));
  EXPECT_EQ(bench.enforcer.in_force(), Percent("90%"));
  EXPECT_FALSE(bench.keeper->Describe(bench.now).unsaved);
}

}  // namespace
}  // namespace headgate::agent
