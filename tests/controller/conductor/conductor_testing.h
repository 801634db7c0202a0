// What the conductor's tests share. Single-threaded.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/controller/conductor/stage.h"

namespace headgate::conductor {

// A stage with a shop on it. A base, because GoogleTest wants one.
class ConductorTest : public testing::Test {
 protected:
  // A gate at `percent` with two agents that have observed it.
  void OpenShopAt(std::uint64_t percent) {
    ASSERT_TRUE(stage_.Start().ok());
    stage_.Connect("edge-1");
    stage_.Connect("edge-2");
    const auto created =
        stage_.Do(engine::CreateGate{*Share::FromPpm(percent * 10'000)}, WaitFor::kObserved);
    ASSERT_TRUE(stage_.RunUntil([&] { return created->has_value(); }));
    ASSERT_TRUE((*created)->status.ok()) << (*created)->status;
    ASSERT_TRUE((*created)->unconfirmed.empty());
  }
  void RampTo(std::uint64_t percent) {
    stage_.Do(engine::StartRestoration{UsualPlan(), true});
    ASSERT_TRUE(
        stage_.RunUntil([&] { return stage_.gate().share == *Share::FromPpm(percent * 10'000); }));
  }
  void ComeBack() {
    stage_.Connect("edge-1");
    stage_.Connect("edge-2");
  }
  std::vector<std::string> TimelineTexts() {
    std::vector<std::string> texts;
    for (const TimelineItem* item : stage_.conductor().timeline().Newest("shop", 100)) {
      texts.push_back((item->sequence == 0 ? "- " : "+ ") + item->text);
    }
    return texts;
  }

  Stage stage_;
};

}  // namespace headgate::conductor
