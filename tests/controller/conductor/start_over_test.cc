// A controller that could not record, and goes on in the same process once it can.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <variant>

#include "tests/controller/conductor/conductor_testing.h"

namespace headgate::conductor {
namespace {

using namespace std::chrono_literals;

class StartOverTest : public ConductorTest {
 protected:
  // The reign that the disk had, to give it back: no epoch is above the one that it has now.
  std::uint64_t RestartWithoutReign() {
    const std::uint64_t reign = stage_.disk().reign;
    stage_.disk().reign = std::numeric_limits<std::uint64_t>::max();
    EXPECT_FALSE(stage_.Start().ok());
    return reign;
  }
};

TEST_F(StartOverTest, WhatNoJournalTookOutlivesAStartOver) {
  OpenShopAt(0);
  RampTo(50);
  stage_.Run(500ms);
  const std::uint64_t reign = RestartWithoutReign();
  // Nobody hears of it.
  stage_.Do(engine::CloseGate{});
  stage_.Run(500ms);
  const std::uint64_t epoch = stage_.conductor().state().epoch;
  stage_.disk().reign = reign;
  ASSERT_TRUE(stage_.StartOver().ok());
  EXPECT_GT(stage_.conductor().state().epoch, epoch);
  EXPECT_EQ(stage_.gate().share, Share::None());
  EXPECT_TRUE(engine::HasEnded(*stage_.gate().restoration));
  ComeBack();
  stage_.Run(1min);
  EXPECT_EQ(stage_.agent("edge-1").report.enforced, Share::None());
  const Move* move = stage_.conductor().timeline().LastMove("shop");
  ASSERT_NE(move, nullptr);
  EXPECT_EQ(move->cause.what, "close");
  EXPECT_EQ(move->cause.who, "anna");
}

TEST_F(StartOverTest, AHandsRetreatThatNoJournalTookStaysOneAfterAStartOver) {
  OpenShopAt(0);
  RampTo(50);
  stage_.Run(500ms);
  const std::uint64_t reign = RestartWithoutReign();
  stage_.Do(engine::Retreat{.to = *Share::FromPpm(100'000)});
  stage_.Run(500ms);
  stage_.disk().reign = reign;
  ASSERT_TRUE(stage_.StartOver().ok());
  ComeBack();
  stage_.Run(2min);
  EXPECT_EQ(stage_.gate().share, *Share::FromPpm(100'000));
  const auto* holding = std::get_if<engine::Holding>(&stage_.gate().restoration->phase);
  ASSERT_NE(holding, nullptr);
  EXPECT_EQ(holding->why, engine::Holding::Why::kOperatorAsked);
}

TEST_F(StartOverTest, AStartOverWithAJournalThatTookAllChangesNothing) {
  OpenShopAt(0);
  RampTo(50);
  stage_.Run(500ms);
  ASSERT_TRUE(stage_.StartOver().ok());
  EXPECT_EQ(stage_.gate().share, *Share::FromPpm(500'000));
  ComeBack();
  EXPECT_TRUE(
      stage_.RunUntil([&] { return stage_.agent("edge-1").report.enforced == Share::All(); }, 20s));
}

TEST_F(StartOverTest, AnOpenEndsWhereTheClockWentBackAlsoWhereNoReignCanBegin) {
  OpenShopAt(10);
  const auto opened = stage_.Do(engine::OpenGate{stage_.now() + 10min}, WaitFor::kRecorded);
  ASSERT_TRUE(stage_.RunUntil([&] { return opened->has_value(); }));
  stage_.Run(500ms);
  stage_.SetClockBack(2h);
  RestartWithoutReign();
  EXPECT_EQ(stage_.gate().share, *Share::FromPpm(100'000));
  ComeBack();
  stage_.Run(1s);
  EXPECT_EQ(stage_.agent("edge-1").report.enforced, *Share::FromPpm(100'000));
}

}  // namespace
}  // namespace headgate::conductor
