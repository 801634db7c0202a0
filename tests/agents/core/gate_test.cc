#include "agents/core/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agents/core/settled_gate.h"

namespace headgate::agent {
namespace {

using testing::HasSubstr;

TEST(Gate, TouchesNothingUntilItsFirstDirective) {
  Gate gate("shop", {}, std::nullopt, kStart);
  gate.Observe(ReadingOf("100%"));
  EXPECT_TRUE(std::holds_alternative<Nothing>(gate.NextDuty(kStart)));
  EXPECT_EQ(gate.Describe(kStart).stage, Stage::kIdle);
  EXPECT_EQ(gate.Describe(kStart).enforced, Share::All());
}

TEST(Gate, SavesARaiseBeforeTheLoadBalancerIsTouched) {
  Settled at;
  at.gate.Consider(OfferOf(7, 4, "50%"), at.now);
  EXPECT_EQ(Settle(at.gate, at.reading, at.now), "save 50 %, apply 50 %, probe 50 %, ");
  EXPECT_EQ(at.gate.Describe(at.now).stage, Stage::kObserved);
}

TEST(Gate, LowersTheLoadBalancerBeforeAnythingIsSaved) {
  Settled at;
  at.gate.Consider(OfferOf(7, 4, "1%"), at.now);
  EXPECT_EQ(Settle(at.gate, at.reading, at.now), "apply 1 %, save 1 %, probe 1 %, ");
}

TEST(Gate, IsUnsavedUntilALoweringIsOnTheDisk) {
  Settled at;
  at.gate.Consider(OfferOf(7, 4, "1%"), at.now);
  at.gate.OnApplied(std::get<Apply>(at.gate.NextDuty(at.now)), {}, at.now);
  at.reading = ReadingOf("1%");
  at.gate.Observe(at.reading);
  at.gate.OnSaved(std::get<Save>(at.gate.NextDuty(at.now)), absl::ResourceExhaustedError("full"),
                  at.now);
  EXPECT_TRUE(at.gate.Describe(at.now).unsaved);
  EXPECT_EQ(at.gate.Describe(at.now).enforced, Percent("1%"));
  EXPECT_FALSE(at.gate.Describe(at.now).refusal.has_value());
  const TimePoint later = at.now + Gate::kSaveRetry;
  EXPECT_THAT(Settle(at.gate, at.reading, later), HasSubstr("save 1 %"));
  EXPECT_TRUE(at.gate.Describe(later).unsaved);
  at.gate.OnSynced(absl::UnavailableError("the map's disk does not sync"));
  EXPECT_TRUE(at.gate.Describe(later).unsaved);
  at.gate.OnSynced(absl::OkStatus());
  EXPECT_FALSE(at.gate.Describe(later).unsaved);
}

TEST(Gate, ARaiseThatCannotBeSavedIsNotMade) {
  Settled at;
  at.gate.Consider(OfferOf(7, 4, "50%"), at.now);
  const Save save = std::get<Save>(at.gate.NextDuty(at.now));
  at.gate.OnSaved(save, absl::ResourceExhaustedError("disk full"), at.now);
  EXPECT_FALSE(std::holds_alternative<Apply>(at.gate.NextDuty(at.now)));
  const Standing standing = at.gate.Describe(at.now);
  ASSERT_TRUE(standing.refusal.has_value());
  EXPECT_EQ(standing.refusal->code, RefusalCode::kDisk);
  EXPECT_EQ(standing.stage, Stage::kRefused);
  EXPECT_EQ(standing.enforced, Percent("20%"));
}

TEST(Gate, RefusesOlderVersionsAndSaysTheHighestItHasSeen) {
  Settled at;
  const auto older = at.gate.Consider(OfferOf(7, 2, "50%"), at.now);
  ASSERT_TRUE(older.has_value());
  EXPECT_EQ(older->code, RefusalCode::kStaleVersion);
  EXPECT_EQ(older->highest_seen, (Version{7, 3}));
  const auto reign = at.gate.Consider(OfferOf(6, 99, "0%"), at.now);
  ASSERT_TRUE(reign.has_value());
  EXPECT_EQ(reign->code, RefusalCode::kStaleEpoch);
  EXPECT_EQ(
      reign->detail,
      "directive 6.99 is of an older reign than 7.3: a newer controller has spoken. Stop this "
      "one; or, where it is the only one and its clock or journal is behind, `headgated "
      "--adopt-epoch 7` reigns above");
  EXPECT_EQ(at.gate.Desired(at.now), Percent("20%"));
}

TEST(Gate, RefusesTheSameVersionWithAnotherContent) {
  Settled at;
  const auto refusal = at.gate.Consider(OfferOf(7, 3, "50%"), at.now);
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->code, RefusalCode::kDigestMismatch);
  EXPECT_EQ(at.gate.Desired(at.now), Percent("20%"));
}

TEST(Gate, RefusesADirectiveThatDoesNotFitItsDigest) {
  Settled at;
  Offer offer = OfferOf(7, 4, "0%");
  offer.digest ^= 1;
  EXPECT_EQ(at.gate.Consider(offer, at.now)->code, RefusalCode::kCorrupt);
}

TEST(Gate, ARefusalIsForgottenWithTheNextGoodDirective) {
  Settled at;
  at.gate.Consider(OfferOf(6, 1, "0%"), at.now);
  EXPECT_EQ(at.gate.Describe(at.now).stage, Stage::kRefused);
  EXPECT_FALSE(at.gate.Consider(OfferOf(7, 3, "20%"), at.now).has_value());
  EXPECT_EQ(at.gate.Describe(at.now).stage, Stage::kObserved);
}

TEST(Gate, NoRaiseEnforcesTheLowerOfTheTwo) {
  Settled at;
  at.gate.Consider(OfferOf(8, 1, "50%", true), at.now);
  Settle(at.gate, at.reading, at.now);
  EXPECT_EQ(at.reading.in_force, Percent("20%"));
  EXPECT_EQ(at.gate.Describe(at.now).stage, Stage::kObserved);
  at.gate.Consider(OfferOf(8, 2, "5%", true), at.now);
  Settle(at.gate, at.reading, at.now);
  EXPECT_EQ(at.reading.in_force, Percent("5%"));
  at.gate.Consider(OfferOf(8, 3, "50%"), at.now);
  Settle(at.gate, at.reading, at.now);
  EXPECT_EQ(at.reading.in_force, Percent("50%"));
}

TEST(Gate, KeepsItsShareWhenTheRenewalIsOverdueAndSaysSo) {
  Settled at;
  const TimePoint late = at.now + std::chrono::hours(1);
  EXPECT_TRUE(at.gate.Describe(late).expired);
  EXPECT_EQ(at.gate.Desired(late), Percent("20%"));
  // Even a share that was granted is not raised to any more.
  at.gate.Consider(OfferOf(7, 4, "50%"), at.now);
  at.gate.OnSaved(std::get<Save>(at.gate.NextDuty(at.now)), absl::OkStatus(), at.now);
  EXPECT_EQ(at.gate.Desired(late), Percent("20%"));
}

TEST(Gate, MendsAReloadToTheShareItHeldEvenIfExpired) {
  Settled at;
  const TimePoint late = at.now + std::chrono::hours(1);
  for (const char* wrong : {"100%", "0%"}) {
    at.reading = ReadingOf(wrong);
    at.reading.instance = std::string("after ") + wrong;
    at.gate.Observe(at.reading);
    Settle(at.gate, at.reading, late);
    EXPECT_EQ(at.reading.in_force, Percent("20%")) << wrong;
  }
}

TEST(Gate, LowersAFileThatWouldAdmitMoreAfterAReload) {
  Settled at;
  at.reading.at_next_start = Share::All();
  at.gate.Observe(at.reading);
  const TimePoint later = at.now + Gate::kApplyRetry;
  EXPECT_THAT(Settle(at.gate, at.reading, later), HasSubstr("apply 20 %"));
}

TEST(Gate, LowersTheFileWhileTheLoadBalancerIsDown) {
  Settled at;
  at.gate.Observe(Unreachable("20%"));
  at.gate.Consider(OfferOf(7, 4, "1%"), at.now);
  const Duty duty = at.gate.NextDuty(at.now);
  ASSERT_TRUE(std::holds_alternative<Apply>(duty));
  EXPECT_EQ(std::get<Apply>(duty).direction, Direction::kDown);
  EXPECT_EQ(at.gate.Describe(at.now).refusal->code, RefusalCode::kLoadBalancer);
}

TEST(Gate, WhatFailedAndIsSoAllTheSameIsNoTroubleAnyMore) {
  Settled at;
  at.gate.Observe(Unreachable("20%"));
  at.gate.Consider(OfferOf(7, 4, "1%"), at.now);
  const Apply apply = std::get<Apply>(at.gate.NextDuty(at.now));
  at.gate.OnApplied(apply, {.in_memory = absl::UnavailableError("nobody listens")}, at.now);
  at.gate.OnSynced(absl::OkStatus());
  at.gate.Observe(Unreachable("1%"));
  EXPECT_THAT(at.gate.Describe(at.now).trouble, HasSubstr("nobody listens"));
  // It starts with the file.
  at.reading = ReadingOf("1%");
  at.gate.Observe(at.reading);
  EXPECT_EQ(Settle(at.gate, at.reading, at.now), "save 1 %, probe 1 %, ");
  EXPECT_EQ(at.gate.Describe(at.now).trouble, "");
  EXPECT_EQ(at.gate.Describe(at.now).stage, Stage::kObserved);
}

TEST(Gate, AFileThatIsBackAsItShouldBeIsSaved) {
  Settled at;
  at.reading.at_next_start = std::nullopt;
  at.gate.Observe(at.reading);
  const TimePoint later = at.now + Gate::kApplyRetry;
  at.gate.OnApplied({Percent("20%"), 10, Direction::kDown},
                    {.at_next_start = absl::NotFoundError("no such folder")}, later);
  at.gate.Observe(at.reading);
  EXPECT_TRUE(at.gate.Describe(later).unsaved);
  EXPECT_EQ(at.gate.Describe(later).trouble, "no such folder");
  at.gate.Observe(ReadingOf("20%"));
  EXPECT_FALSE(at.gate.Describe(later).unsaved);
  EXPECT_EQ(at.gate.Describe(later).trouble, "");
}

TEST(Gate, RestartedWithoutAControllerItKeepsTheLowerOfDiskAndLoadBalancer) {
  const Memory memory{OfferOf(7, 3, "20%").directive, Percent("20%")};
  for (const auto& [found, expected] : {std::pair("20%", "20%"), {"100%", "20%"}, {"5%", "5%"}}) {
    Gate gate("shop", {}, memory, kStart);
    Reading reading = ReadingOf(found);
    gate.Observe(reading);
    Settle(gate, reading, kStart);
    EXPECT_EQ(reading.in_force, Percent(expected)) << found;
    EXPECT_TRUE(gate.Describe(kStart).expired);
    EXPECT_EQ(gate.Consider(OfferOf(7, 2, "100%"), kStart)->code, RefusalCode::kStaleVersion);
  }
}

TEST(Gate, RailsRefuseASteepStepAndNeverALowering) {
  Settled at(Rails{.step_up_max = Percent("25%")});
  at.gate.Consider(OfferOf(7, 4, "50%"), at.now);
  Settle(at.gate, at.reading, at.now);
  EXPECT_EQ(at.reading.in_force, Percent("20%"));
  EXPECT_EQ(at.gate.Describe(at.now).refusal->code, RefusalCode::kRail);
  EXPECT_THAT(at.gate.Describe(at.now).refusal->detail, HasSubstr("rails.step_up_max"));
  EXPECT_FALSE(at.gate.Describe(at.now).unsaved);
  at.gate.Consider(OfferOf(7, 5, "0%"), at.now);
  Settle(at.gate, at.reading, at.now);
  EXPECT_EQ(at.reading.in_force, Share::None());
}

TEST(Gate, RailsMakeStepsWaitForEachOther) {
  Settled at(Rails{.between_steps_up_min = std::chrono::seconds(10)});
  at.gate.Consider(OfferOf(7, 4, "30%"), at.now);
  Settle(at.gate, at.reading, at.now);
  ASSERT_EQ(at.reading.in_force, Percent("30%"));
  const TimePoint soon = at.now + std::chrono::seconds(4);
  at.gate.Consider(OfferOf(7, 5, "40%"), soon);
  Settle(at.gate, at.reading, soon);
  EXPECT_EQ(at.reading.in_force, Percent("30%"));
  EXPECT_EQ(at.gate.Describe(soon).refusal->code, RefusalCode::kRail);
  const TimePoint due = at.now + std::chrono::seconds(10);
  Settle(at.gate, at.reading, due);
  EXPECT_EQ(at.reading.in_force, Percent("40%"));
}

TEST(Gate, AFrozenAgentIsNotRaised) {
  Settled at(Rails{.freeze = true});
  at.gate.Consider(OfferOf(7, 4, "21%"), at.now);
  Settle(at.gate, at.reading, at.now);
  EXPECT_EQ(at.reading.in_force, Percent("20%"));
  EXPECT_THAT(at.gate.Describe(at.now).refusal->detail, HasSubstr("frozen"));
}

TEST(Gate, ACeilingStandsAboveEveryDirectiveUntilReleased) {
  Settled at;
  const LocalOverride ceiling{.is_ceiling = true, .share = Percent("5%"), .until = std::nullopt};
  at.gate.SetOverride(ceiling, absl::OkStatus());
  at.gate.Consider(OfferOf(7, 4, "50%"), at.now);
  Settle(at.gate, at.reading, at.now);
  EXPECT_EQ(at.reading.in_force, Percent("5%"));
  EXPECT_EQ(at.gate.Describe(at.now).local_override, ceiling);
  EXPECT_EQ(at.gate.Describe(at.now).stage, Stage::kReceived);
  at.gate.SetOverride(std::nullopt, absl::OkStatus());
  Settle(at.gate, at.reading, at.now + Gate::kApplyRetry);
  EXPECT_EQ(at.reading.in_force, Percent("50%"));
}

TEST(Gate, AReleaseWithoutAControllerRaisesNothing) {
  Settled at;
  at.gate.SetOverride(LocalOverride{.share = Percent("5%"), .until = {}}, absl::OkStatus());
  Settle(at.gate, at.reading, at.now);
  at.gate.SetOverride(std::nullopt, absl::OkStatus());
  Settle(at.gate, at.reading, at.now + std::chrono::hours(1));
  EXPECT_EQ(at.reading.in_force, Percent("5%"));
}

// The box's own command lowers the load balancer before the agent has looked.
TEST(Gate, AReleaseWithoutAControllerRaisesNothingWhoeverCarriedOutTheWord) {
  Settled at;
  const LocalOverride ceiling{.is_ceiling = true, .share = Percent("5%"), .until = std::nullopt};
  at.gate.SetOverride(ceiling, absl::OkStatus());
  at.reading = ReadingOf("5%");
  at.gate.Observe(at.reading);
  Settle(at.gate, at.reading, at.now);
  at.gate.SetOverride(std::nullopt, absl::OkStatus());
  Settle(at.gate, at.reading, at.now + std::chrono::hours(1));
  EXPECT_EQ(at.reading.in_force, Percent("5%"));
  // A fresh word of the controller does.
  const TimePoint later = at.now + std::chrono::hours(2);
  at.gate.Consider(OfferOf(7, 3, "20%"), later);
  Settle(at.gate, at.reading, later);
  EXPECT_EQ(at.reading.in_force, Percent("20%"));
}

TEST(Gate, ALoadBalancerThatCannotBeAskedIsReportedAtWhatItSaidLast) {
  Settled at;
  at.gate.Consider(OfferOf(7, 4, "0%"), at.now);
  const Duty duty = at.gate.NextDuty(at.now);
  ASSERT_TRUE(std::holds_alternative<Apply>(duty));
  at.gate.OnApplied(std::get<Apply>(duty), {.in_memory = absl::DeadlineExceededError("it hangs")},
                    at.now);
  at.gate.Observe(Unreachable("0%"));
  EXPECT_EQ(at.gate.Describe(at.now).enforced, Percent("20%"));
  // It was reloaded, and took the file.
  at.gate.Observe(ReadingOf("0%"));
  at.gate.Observe(Unreachable("0%"));
  EXPECT_EQ(at.gate.Describe(at.now).enforced, Share::None());
}

TEST(Gate, AnOverrideIsExactUntilItsTimeEvenWithoutAController) {
  Settled at;
  const TimePoint late = at.now + std::chrono::hours(1);
  const LocalOverride exactly{
      .is_ceiling = false, .share = Percent("80%"), .until = late + std::chrono::minutes(5)};
  at.gate.SetOverride(exactly, absl::OkStatus());
  Settle(at.gate, at.reading, late);
  EXPECT_EQ(at.reading.in_force, Percent("80%"));
  Settle(at.gate, at.reading, late + std::chrono::minutes(6));
  EXPECT_EQ(at.reading.in_force, Percent("20%"));
}

TEST(Gate, AnOverrideThatCannotBeReadForbidsRaising) {
  Settled at;
  at.gate.SetOverride(std::nullopt, absl::DataLossError("shop.override.json is damaged"));
  at.gate.Consider(OfferOf(7, 4, "50%"), at.now);
  Settle(at.gate, at.reading, at.now);
  EXPECT_EQ(at.reading.in_force, Percent("20%"));
  EXPECT_THAT(at.gate.Describe(at.now).trouble, HasSubstr("damaged"));
  at.gate.Consider(OfferOf(7, 5, "1%"), at.now);
  Settle(at.gate, at.reading, at.now);
  EXPECT_EQ(at.reading.in_force, Percent("1%"));
}

TEST(Gate, LowerWorksBeforeAnyDirective) {
  Gate gate("shop", {}, std::nullopt, kStart);
  Reading reading = ReadingOf("100%");
  gate.Observe(reading);
  gate.SetOverride(LocalOverride{.share = Percent("10%"), .until = {}}, absl::OkStatus());
  Settle(gate, reading, kStart);
  EXPECT_EQ(reading.in_force, Percent("10%"));
}

TEST(Gate, AFailedProbeIsARefusalAndIsTriedAgain) {
  Settled at;
  const TimePoint later = at.now + Gate::kProbeRenewal;
  at.gate.OnProbed(std::get<Probe>(at.gate.NextDuty(later)), absl::UnavailableError("no answer"),
                   later);
  EXPECT_EQ(at.gate.Describe(later).refusal->code, RefusalCode::kLoadBalancer);
  EXPECT_EQ(Settle(at.gate, at.reading, later + Gate::kProbeRetry), "probe 20 %, ");
  EXPECT_EQ(at.gate.Describe(later + Gate::kProbeRetry).stage, Stage::kObserved);
}

TEST(Gate, AProbeOfAnotherShareOrAnotherProcessProvesAndRefutesNothing) {
  Settled at;
  const TimePoint later = at.now + Gate::kProbeRenewal;
  const Probe probe = std::get<Probe>(at.gate.NextDuty(later));
  at.gate.Consider(OfferOf(7, 4, "1%"), later);
  at.gate.OnApplied(std::get<Apply>(at.gate.NextDuty(later)), {}, later);
  at.reading = ReadingOf("1%");
  at.gate.Observe(at.reading);
  // The answer to the probe of before the lowering: the wrong one for its share, of course.
  at.gate.OnProbed(probe, absl::FailedPreconditionError("got 503, not 200"), later);
  EXPECT_FALSE(at.gate.Describe(later).refusal.has_value());
  EXPECT_EQ(Settle(at.gate, at.reading, later), "save 1 %, probe 1 %, ");
  EXPECT_EQ(at.gate.Describe(later).stage, Stage::kObserved);
  // The same, and a reload in between.
  const TimePoint last = later + Gate::kProbeRenewal;
  const Probe of_the_old_worker = std::get<Probe>(at.gate.NextDuty(last));
  at.reading.instance = "2";
  at.gate.Observe(at.reading);
  at.gate.OnProbed(of_the_old_worker, absl::OkStatus(), last);
  EXPECT_EQ(at.gate.Describe(last).stage, Stage::kApplied);
  EXPECT_EQ(Settle(at.gate, at.reading, last), "probe 1 %, ");
}

TEST(Gate, WhatRefutedAShareDoesNotRefuteTheNext) {
  Settled at;
  const TimePoint later = at.now + Gate::kProbeRenewal;
  at.gate.OnProbed(std::get<Probe>(at.gate.NextDuty(later)), absl::UnavailableError("no answer"),
                   later);
  at.gate.Consider(OfferOf(7, 4, "1%"), later);
  at.gate.OnApplied(std::get<Apply>(at.gate.NextDuty(later)), {}, later);
  at.gate.Observe(ReadingOf("1%"));
  EXPECT_FALSE(at.gate.Describe(later).refusal.has_value());
}

TEST(Gate, ObservedEndsWithTheProcessThatWasObserved) {
  Settled at;
  at.reading.instance = "2";
  at.gate.Observe(at.reading);
  EXPECT_EQ(at.gate.Describe(at.now).stage, Stage::kApplied);
  EXPECT_EQ(Settle(at.gate, at.reading, at.now), "probe 20 %, ");
}

}  // namespace
}  // namespace headgate::agent
