// The file that a load balancer starts with, where it cannot be read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agents/core/settled_gate.h"

namespace headgate::agent {
namespace {

Reading WithoutFile(Reading reading) {
  reading.at_next_start.reset();
  reading.needs_file_to_start = true;
  return reading;
}
Reading Down(Reading reading) {
  reading.in_force.reset();
  return reading;
}

TEST(Gate, AFileThatCannotBeReadIsMadeAnewWhileTheLoadBalancerIsDown) {
  Settled at;
  at.gate.Observe(Down(WithoutFile(at.reading)));
  EXPECT_EQ(std::get<Apply>(at.gate.NextDuty(at.now + Gate::kApplyRetry)),
            (Apply{Percent("20%"), 10, Direction::kDown}));
  // One that says it is left as it is.
  at.gate.Observe(Down(at.reading));
  EXPECT_TRUE(std::holds_alternative<Nothing>(at.gate.NextDuty(at.now + Gate::kApplyRetry)));
}

TEST(Gate, AfterARestartTheFileIsMadeOfWhatWasGrantedAndNoMoreThanTheOperatorsWord) {
  const Memory memory{OfferOf(7, 3, "50%").directive, Percent("20%")};
  Gate gate("shop", {}, memory, kStart);
  gate.Observe(Down(WithoutFile(ReadingOf("50%"))));
  EXPECT_EQ(std::get<Apply>(gate.NextDuty(kStart)).share, Percent("20%"));
  gate.SetOverride(LocalOverride{.is_ceiling = true, .share = Percent("5%")}, absl::OkStatus());
  EXPECT_EQ(std::get<Apply>(gate.NextDuty(kStart)).share, Percent("5%"));
  // A word that cannot be read may be a lowering.
  gate.SetOverride(std::nullopt, absl::DataLossError("damaged"));
  EXPECT_TRUE(std::holds_alternative<Nothing>(gate.NextDuty(kStart)));
}

TEST(Gate, BeforeItsFirstDirectiveAFileIsMadeOfWhatIsInForceAndOfNothingElse) {
  Gate gate("shop", {}, std::nullopt, kStart);
  gate.Observe(WithoutFile(ReadingOf("50%")));
  EXPECT_EQ(std::get<Apply>(gate.NextDuty(kStart)).share, Percent("50%"));
  gate.Observe(Down(WithoutFile(ReadingOf("50%"))));
  EXPECT_TRUE(std::holds_alternative<Nothing>(gate.NextDuty(kStart)));
  Reading starts_without = WithoutFile(ReadingOf("50%"));
  starts_without.needs_file_to_start = false;
  gate.Observe(starts_without);
  EXPECT_TRUE(std::holds_alternative<Nothing>(gate.NextDuty(kStart)));
}

}  // namespace
}  // namespace headgate::agent
