#include "cli/changes.h"

#include <gtest/gtest.h>

#include <optional>
#include <utility>
#include <vector>

#include "tests/cli/gates.h"

namespace headgate::cli {
namespace {

Lines Between(const v1::Gate& before, const v1::Gate& gate) {
  return Changes(&before, gate, TestNow());
}

TEST(Changes, TheFirstLookTellsTheWholeState) {
  EXPECT_EQ(Changes(nullptr, AdmittingGate(), TestNow()),
            (Lines{"18:00:00 shop admits 25 %, by plan: advance: 10 % proven",
                   "18:00:00 shop load balancers let in 25 % (observed)",
                   "18:00:00 shop shop-3 ADMITTING: admitting 25 %, baked 4 of 10 s; waits for: 6 "
                   "s of baking",
                   "18:00:00 shop check errors HEALTHY 0.31 % (bound 1 %, 0.3 s old)",
                   "18:00:00 shop check slow HEALTHY 0.31 % (bound 1 %, 0.3 s old)",
                   "18:00:00 shop load balancer edge-1 is connected and in order",
                   "18:00:00 shop load balancer edge-2 is connected and in order"}));
}

TEST(Changes, NothingIsSaidOfWhatOnlyTicks) {
  v1::Gate later = AdmittingGate();
  later.mutable_restoration()->set_doing("admitting 25 %, baked 5 of 10 s");
  later.mutable_restoration()->mutable_checks(0)->set_value("0.32 %");
  later.mutable_agents(0)->set_requests_per_second(10);
  later.mutable_agents(0)->mutable_last_seen()->set_seconds(kTestNow + 1);
  EXPECT_EQ(Between(AdmittingGate(), later), Lines{});
}

TEST(Changes, OneLineForEachChangeWithItsCause) {
  v1::Gate later = AdmittingGate();
  later.set_share_ppm(100'000);
  later.mutable_changed_by()->set_kind(v1::Cause::CHECK);
  later.mutable_changed_by()->set_who("errors");
  later.mutable_changed_by()->set_what("retreat");
  later.mutable_changed_by()->set_why("3.2 % > 1 %");
  later.mutable_restoration()->set_phase(v1::PHASE_RETREATING);
  later.mutable_restoration()->set_doing("retreating to 10 %");
  later.mutable_restoration()->clear_waits_for();
  later.mutable_restoration()->mutable_checks(0)->set_verdict(v1::FAILED);
  later.mutable_agents(1)->set_connected(false);
  later.mutable_agents()->DeleteSubrange(0, 1);
  EXPECT_EQ(Between(AdmittingGate(), later),
            (Lines{"18:00:00 shop admits 10 % (was 25 %), by check errors: retreat: 3.2 % > 1 %",
                   "18:00:00 shop shop-3 RETREATING: retreating to 10 %",
                   "18:00:00 shop check errors FAILED 0.31 % (bound 1 %, 0.3 s old): 62 of 20000 "
                   "in 30s",
                   "18:00:00 shop load balancer edge-2 not connected for 0.0 s",
                   "18:00:00 shop load balancer edge-1 is no longer counted"}));
}

v1::Gate AsOf(v1::Gate gate, Duration since_change) {
  *gate.mutable_as_of() = gate.changed_at();
  gate.mutable_as_of()->set_seconds(gate.changed_at().seconds() + since_change.count() / 1'000);
  gate.mutable_as_of()->set_nanos(
      static_cast<std::int32_t>(since_change.count() % 1'000 * 1'000'000));
  return gate;
}

TEST(Changes, NothingIsSaidOfAnOrderThatIsMerelyUnderWay) {
  v1::Gate closed = AdmittingGate();
  closed.set_share_ppm(0);
  closed.mutable_version()->set_revision(2);
  closed.set_recorded(false);
  closed.mutable_unrecorded_for()->set_nanos(300'000'000);
  closed.mutable_agents(0)->mutable_report()->set_unsaved(true);
  EXPECT_EQ(Between(AdmittingGate(), AsOf(closed, Duration(300))),
            (Lines{"18:00:00 shop admits 0 % (was 25 %), by plan: advance: 10 % proven"}));
  closed.mutable_unrecorded_for()->set_seconds(1);
  EXPECT_EQ(
      Between(AdmittingGate(), AsOf(closed, Duration(1'300))),
      (Lines{
          "18:00:00 shop admits 0 % (was 25 %), by plan: advance: 10 % proven",
          "18:00:00 shop load balancer edge-1 still enforces 25 %, told 0 %; not on its disk yet",
          "18:00:00 shop load balancer edge-2 still enforces 25 %, told 0 %",
          "18:00:00 shop !! NOT RECORDED YET: in force, but the journal does not have it"}));
  closed.set_record_trouble("disk full");
  closed.clear_unrecorded_for();
  EXPECT_EQ(Between(AdmittingGate(), AsOf(closed, Duration(300))).back(),
            "18:00:00 shop !! NOT RECORDED YET: in force, but the journal does not have it: disk "
            "full");
}

TEST(Changes, ChecksOfARestorationThatHasEndedAreNoNewsUnlessBad) {
  v1::Gate ended = AdmittingGate();
  ended.mutable_restoration()->set_phase(v1::PHASE_COMPLETED);
  v1::Gate silent = ended;
  for (v1::CheckState& check : *silent.mutable_restoration()->mutable_checks()) {
    check.set_verdict(v1::UNKNOWN);
    check.set_unknown_why(v1::CheckState::NO_DATA);
  }
  EXPECT_EQ(Between(ended, silent), Lines{});
  EXPECT_EQ(Between(silent, ended), Lines{});
  EXPECT_EQ(Changes(nullptr, silent, TestNow())[3],
            "18:00:00 shop check errors not watched since it ended");
  v1::Gate bad = silent;
  bad.mutable_restoration()->mutable_checks(0)->set_verdict(v1::FAILED);
  EXPECT_EQ(Between(silent, bad).size(), 1U);
}

TEST(Changes, TellsThatALoadBalancersShareIsNotKnownAnyMore) {
  v1::Gate later = AdmittingGate();
  later.mutable_agents(1)->mutable_report()->set_stage(v1::REFUSED);
  later.mutable_agents(1)->mutable_report()->mutable_refusal()->set_detail("no");
  later.set_agents_unknown(1);
  EXPECT_EQ(Between(AdmittingGate(), later),
            (Lines{"18:00:00 shop load balancers let in 25 %, 1 unknown (last 25 %) (observed)",
                   "18:00:00 shop load balancer edge-2 refused: no"}));
  later.set_observed(false);
  EXPECT_EQ(Between(AdmittingGate(), later).front(),
            "18:00:00 shop what load balancers let in is not known: 1 unknown (last 25 %)");
}

TEST(EndOf, EachWayARestorationEndsHasItsExitCode) {
  v1::Gate gate = AdmittingGate();
  v1::Restoration& restoration = *gate.mutable_restoration();
  EXPECT_FALSE(EndOf(gate, "shop-3").has_value());
  const std::vector<std::pair<v1::Phase, std::optional<ExitCode>>> cases = {
      {v1::PHASE_PREFLIGHT, std::nullopt},
      {v1::PHASE_HOLDING, std::nullopt},
      {v1::PHASE_RETREATING, std::nullopt},
      {v1::PHASE_CURING, std::nullopt},
      {v1::PHASE_WATCHING, std::nullopt},
      {v1::PHASE_WAITING_FOR_APPROVAL, ExitCode::kWaitsForApproval},
      {v1::PHASE_COMPLETED, ExitCode::kDone},
      {v1::PHASE_ABORTED, ExitCode::kRetreatedOrAborted},
      {v1::PHASE_FAILED, ExitCode::kRetreatedOrAborted}};
  for (const auto& [phase, code] : cases) {
    restoration.set_phase(phase);
    const auto end = EndOf(gate, "shop-3");
    EXPECT_EQ(end.has_value(), code.has_value());
    EXPECT_EQ(end.value_or(End{}).code, code.value_or(ExitCode::kDone));
  }
  restoration.set_phase(v1::PHASE_HOLDING);
  restoration.mutable_record()->mutable_holding()->set_why(v1::HoldingPhase::RETRIES_EXHAUSTED);
  EXPECT_EQ(EndOf(gate, "shop-3")->code, ExitCode::kRetreatedOrAborted);
  EXPECT_EQ(EndOf(gate, "shop-2")->code, ExitCode::kCouldNotTell);
}

}  // namespace
}  // namespace headgate::cli
