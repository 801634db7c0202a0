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
                   "18:00:00 shop shop-3 ADMITTING: admitting 25 %, baked 4 of 10 s; waits for 6 s "
                   "of baking",
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
