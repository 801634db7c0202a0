#include "agents/core/keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agents/core/keeper_bench.h"

namespace headgate::agent {
namespace {

TEST(Keeper, ActsOnADirectiveWithinTheSameCall) {
  Bench bench("100%");
  bench.Direct(1, 1, "5%");
  EXPECT_EQ(bench.enforcer.in_force(), Percent("5%"));
  EXPECT_EQ(bench.keeper->Describe(bench.now).stage, Stage::kObserved);
}

TEST(Keeper, TakesTheOperatorsWordBeforeItWritesAnything) {
  Bench bench("20%");
  bench.Direct(1, 1, "20%");
  ASSERT_TRUE(bench.store.SaveOverride({.share = Percent("1%"), .until = {}}).ok());
  bench.Direct(1, 2, "50%");
  EXPECT_LE(bench.enforcer.in_force(), Percent("20%"));
  bench.Pass(std::chrono::milliseconds(250));
  EXPECT_EQ(bench.enforcer.in_force(), Percent("1%"));
}

TEST(Keeper, EndsAnOverrideWhenItsTimeHasCome) {
  Bench bench("20%");
  bench.Direct(1, 1, "20%");
  ASSERT_TRUE(bench.store
                  .SaveOverride({.is_ceiling = true,
                                 .share = Percent("1%"),
                                 .until = bench.now + std::chrono::seconds(5)})
                  .ok());
  bench.Pass(std::chrono::seconds(1));
  EXPECT_EQ(bench.enforcer.in_force(), Percent("1%"));
  bench.Pass(std::chrono::seconds(5));
  EXPECT_EQ(*bench.store.LoadOverride(), std::nullopt);
  EXPECT_EQ(bench.enforcer.in_force(), Percent("20%"));
}

TEST(Keeper, ACeilingSaidDuringAnOverrideFollowsIt) {
  Bench bench("50%");
  bench.Direct(1, 1, "50%");
  ASSERT_TRUE(bench.store
                  .SaveOverride({.is_ceiling = false,
                                 .share = Percent("5%"),
                                 .until = bench.now + std::chrono::seconds(5),
                                 .ceiling_after = Percent("20%")})
                  .ok());
  bench.Pass(std::chrono::seconds(1));
  EXPECT_EQ(bench.enforcer.in_force(), Percent("5%"));
  // A directive that comes between that time and the next look finds the ceiling, too.
  bench.now += std::chrono::seconds(5);
  bench.Direct(1, 2, "60%");
  EXPECT_LE(bench.enforcer.in_force(), Percent("20%"));
  bench.Pass(std::chrono::milliseconds(250));
  EXPECT_EQ(bench.enforcer.in_force(), Percent("20%"));
  const LocalOverride ceiling{.is_ceiling = true, .share = Percent("20%"), .until = {}};
  EXPECT_EQ(*bench.store.LoadOverride(), ceiling);
}

TEST(Keeper, LowersWhileADiskAndAProbeHang) {
  Bench bench("50%");
  bench.Direct(1, 1, "50%");
  bench.saving.is_slow = bench.probing.is_slow = true;
  bench.Direct(1, 2, "60%");
  EXPECT_EQ(bench.enforcer.in_force(), Percent("50%"));
  bench.Direct(1, 3, "2%");
  EXPECT_EQ(bench.enforcer.in_force(), Percent("2%"));
  // The save of the raise ends at last; what came meanwhile stands.
  bench.saving.Finish();
  bench.keeper->Mend(bench.now);
  EXPECT_EQ(bench.enforcer.in_force(), Percent("2%"));
  EXPECT_TRUE(bench.keeper->Describe(bench.now).unsaved);
  bench.saving.Finish();
  EXPECT_FALSE(bench.keeper->Describe(bench.now).unsaved);
  EXPECT_EQ(bench.store.memory()->directive.version, (Version{1, 3}));
}

TEST(Keeper, LowersWhileTheMapsDiskHangsInARaise) {
  Bench bench("50%");
  bench.Direct(1, 1, "50%");
  bench.syncing.is_slow = true;
  bench.Direct(1, 2, "60%");
  // In the file, not in force: that waits until the file survives a power failure.
  EXPECT_EQ(bench.enforcer.file(), Percent("60%"));
  EXPECT_EQ(bench.enforcer.in_force(), Percent("50%"));
  bench.Direct(1, 3, "2%");
  EXPECT_EQ(bench.enforcer.in_force(), Percent("2%"));
  EXPECT_EQ(bench.enforcer.file(), Percent("2%"));
  EXPECT_EQ(bench.keeper->Describe(bench.now).stage, Stage::kObserved);
  EXPECT_TRUE(bench.keeper->Describe(bench.now).unsaved);
  // The raise's own sync ends at last, and then that of the lowering.
  bench.syncing.Finish();
  EXPECT_EQ(bench.enforcer.in_force(), Percent("2%"));
  EXPECT_TRUE(bench.keeper->Describe(bench.now).unsaved);
  bench.syncing.Finish();
  EXPECT_EQ(bench.enforcer.in_force(), Percent("2%"));
  EXPECT_EQ(bench.enforcer.file(), Percent("2%"));
  EXPECT_FALSE(bench.keeper->Describe(bench.now).unsaved);
}

TEST(Keeper, ARaiseWhoseFileIsDurableTooLateIsNotMade) {
  Bench bench("50%");
  bench.Direct(1, 1, "50%");
  bench.syncing.is_slow = true;
  bench.Direct(1, 2, "60%");
  bench.now += std::chrono::minutes(1);
  bench.syncing.Finish();
  EXPECT_EQ(bench.enforcer.in_force(), Percent("50%"));
  bench.keeper->Mend(bench.now);
  EXPECT_EQ(bench.enforcer.file(), Percent("50%"));
}

TEST(Keeper, ARaiseWhoseFileCannotBeMadeDurableIsRefusedAndTriedAgain) {
  Bench bench("50%");
  bench.Direct(1, 1, "50%");
  bench.enforcer.sync_fails = true;
  bench.Direct(1, 2, "60%");
  EXPECT_EQ(bench.enforcer.in_force(), Percent("50%"));
  EXPECT_EQ(bench.keeper->Describe(bench.now).refusal->code, RefusalCode::kDisk);
  bench.enforcer.sync_fails = false;
  bench.Pass(Gate::kApplyRetry);
  EXPECT_EQ(bench.enforcer.in_force(), Percent("60%"));
  EXPECT_FALSE(bench.keeper->Describe(bench.now).unsaved);
}

TEST(Keeper, ALoweringThatWasNotSyncedIsSyncedAgain) {
  Bench bench("50%");
  bench.Direct(1, 1, "50%");
  bench.enforcer.sync_fails = true;
  bench.Direct(1, 2, "2%");
  EXPECT_EQ(bench.enforcer.in_force(), Percent("2%"));
  EXPECT_TRUE(bench.keeper->Describe(bench.now).unsaved);
  EXPECT_EQ(bench.keeper->Describe(bench.now).trouble, "the map's disk does not sync");
  bench.enforcer.sync_fails = false;
  bench.Pass(std::chrono::milliseconds(250));
  EXPECT_FALSE(bench.keeper->Describe(bench.now).unsaved);
  const int syncs = bench.enforcer.syncs;
  bench.Pass(std::chrono::milliseconds(250));
  EXPECT_EQ(bench.enforcer.syncs, syncs);
}

TEST(Keeper, StartsAndLowersWhileTheRoomForAnOverrideWaitsForADisk) {
  Bench bench("50%");
  bench.saving.is_slow = true;
  bench.Restart();
  bench.Direct(1, 1, "2%");
  EXPECT_EQ(bench.enforcer.in_force(), Percent("2%"));
  const int before = bench.store.rooms_kept;
  bench.saving.Finish();
  EXPECT_EQ(bench.store.rooms_kept, before + 1);
}

// As root's file may be to an agent that is not root.
TEST(Keeper, AnOverrideThatItCannotReadIsNotUndone) {
  Bench bench("50%");
  bench.Direct(1, 1, "50%");
  bench.enforcer.SetMemory(Percent("5%"));
  bench.store.override_status = absl::PermissionDeniedError("cannot open shop.override.json");
  bench.Pass(std::chrono::milliseconds(250));
  EXPECT_EQ(bench.enforcer.in_force(), Percent("5%"));
  bench.Direct(1, 2, "60%");
  bench.Pass(std::chrono::seconds(2));
  EXPECT_EQ(bench.enforcer.in_force(), Percent("5%"));
  EXPECT_EQ(bench.keeper->Describe(bench.now).trouble, "cannot open shop.override.json");
  bench.store.override_status = absl::OkStatus();
  bench.Pass(std::chrono::seconds(1));
  EXPECT_EQ(bench.enforcer.in_force(), Percent("60%"));
}

TEST(Keeper, AnOverrideThatBecomesUnreadableJustBeforeARaiseStopsIt) {
  Bench bench("50%");
  bench.Direct(1, 1, "50%");
  bench.store.override_status = absl::PermissionDeniedError("cannot open shop.override.json");
  bench.Direct(1, 2, "60%");
  EXPECT_EQ(bench.enforcer.in_force(), Percent("50%"));
  EXPECT_EQ(bench.enforcer.file(), Percent("50%"));
}

TEST(Keeper, AMapThatWouldAdmitTooManyIsMendedWhileAnotherDiskHangs) {
  Bench bench("80%");
  bench.Direct(1, 1, "80%");
  bench.enforcer.file_fails = true;
  bench.Direct(1, 2, "10%");
  bench.Direct(1, 3, "50%");
  ASSERT_EQ(bench.enforcer.in_force(), Percent("10%"));
  ASSERT_EQ(bench.enforcer.file(), Percent("80%"));
  // The map can be written again; the agent's own state can not.
  bench.saving.is_slow = true;
  bench.Direct(1, 4, "50%");
  bench.enforcer.file_fails = false;
  bench.Pass(Gate::kApplyRetry);
  EXPECT_EQ(bench.enforcer.file(), Percent("10%"));
  bench.saving.is_slow = false;
  bench.saving.Finish();
  bench.Pass(Gate::kApplyRetry);
  EXPECT_EQ(bench.enforcer.in_force(), Percent("50%"));
}

TEST(Keeper, ARaiseWaitsForASlowDisk) {
  Bench bench("50%");
  bench.Direct(1, 1, "50%");
  bench.saving.is_slow = true;
  bench.Direct(1, 2, "60%");
  bench.Pass(std::chrono::seconds(5));
  EXPECT_EQ(bench.enforcer.in_force(), Percent("50%"));
  bench.saving.Finish();
  bench.keeper->Mend(bench.now);
  EXPECT_EQ(bench.enforcer.in_force(), Percent("60%"));
}

TEST(Keeper, ARaiseWhoseSaveOutlastsItsValidityIsNotMade) {
  Bench bench("50%");
  bench.Direct(1, 1, "50%");
  bench.saving.is_slow = true;
  bench.Direct(1, 2, "60%");
  bench.now += std::chrono::minutes(1);
  bench.saving.Finish();
  bench.keeper->Mend(bench.now);
  EXPECT_EQ(bench.enforcer.in_force(), Percent("50%"));
}

TEST(Keeper, ALoadBalancerThatLetsRequestsThroughAtZeroIsRefutedThoughItsProbesAreRight) {
  Bench bench("100%");
  bench.Direct(1, 1, "0%");
  bench.Pass(std::chrono::seconds(1));
  bench.Pass(std::chrono::seconds(1));
  ASSERT_EQ(bench.keeper->Describe(bench.now).stage, Stage::kObserved);
  bench.enforcer.counted.answered += 5;
  bench.Pass(std::chrono::milliseconds(250));
  ASSERT_EQ(bench.keeper->Describe(bench.now).stage, Stage::kRefused);
  EXPECT_EQ(bench.keeper->Describe(bench.now).refusal->code, RefusalCode::kLoadBalancer);
  EXPECT_THAT(bench.keeper->Describe(bench.now).refusal->detail, testing::HasSubstr("at 0 % 5"));
  // Bypassed ones are counted apart.
  bench.Pass(Refuter::kWindow);
  bench.enforcer.counted.answered += 5;
  bench.enforcer.counted.bypassed += 5;
  bench.Pass(std::chrono::milliseconds(250));
  EXPECT_EQ(bench.keeper->Describe(bench.now).stage, Stage::kObserved);
}

TEST(Keeper, MendsALoadBalancerThatCameBack) {
  Bench bench("100%");
  bench.Direct(1, 1, "5%");
  bench.enforcer.is_down = true;
  bench.Pass(std::chrono::seconds(1));
  EXPECT_FALSE(bench.keeper->counters().live);
  bench.Direct(1, 2, "1%");
  EXPECT_EQ(bench.enforcer.file(), Percent("1%"));
  bench.enforcer.is_down = false;
  bench.enforcer.Restart();
  EXPECT_EQ(bench.enforcer.in_force(), Percent("1%"));
  bench.Pass(std::chrono::seconds(1));
  EXPECT_EQ(bench.keeper->Describe(bench.now).stage, Stage::kObserved);
}

}  // namespace
}  // namespace headgate::agent
