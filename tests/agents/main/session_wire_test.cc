#include "agents/core/session_wire.h"

#include <gtest/gtest.h>

#include <utility>

namespace headgate::agent {
namespace {

TEST(SessionWire, TroubleDoesNotRepeatTheRefusalUnlessItIsPartOfASentence) {
  for (const auto& [trouble, told] : {std::pair("full", ""),
                                      {"full; slow", "slow"},
                                      {"slow; full", "slow"},
                                      {"slow; full; late", "slow; late"},
                                      {"not raised: full", "not raised: full"},
                                      {"fuller", "fuller"},
                                      {"late", "late"},
                                      {"", ""}}) {
    GateWord word;
    word.standing.refusal = Refusal{RefusalCode::kDisk, "full", {}, {}};
    word.standing.trouble = trouble;
    EXPECT_EQ(ReportFrom(word).trouble(), told) << trouble;
    EXPECT_EQ(ReportFrom(word).refusal().detail(), "full");
  }
}

}  // namespace
}  // namespace headgate::agent
