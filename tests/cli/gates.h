// Gates for the CLI's tests.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/clock.h"
#include "headgate/v1/operator.pb.h"

namespace headgate::cli {

inline constexpr std::int64_t kTestNow = 1'723'658'400;  // 2024-08-14 18:00:00 UTC

inline v1::Agent& AddAgent(v1::Gate& gate, const std::string& name) {
  v1::Agent& agent = *gate.add_agents();
  agent.set_name(name);
  agent.set_connected(true);
  agent.mutable_last_seen()->set_seconds(kTestNow);
  agent.set_load_balancer("haproxy 2.6.12");
  agent.set_requests_per_second(412);
  agent.mutable_report()->set_gate(gate.name());
  agent.mutable_report()->set_stage(v1::OBSERVED);
  agent.mutable_report()->set_enforced_ppm(gate.share_ppm());
  return agent;
}

inline v1::CheckState& AddCheck(v1::Gate& gate, const std::string& name, v1::Verdict verdict) {
  v1::CheckState& check = *gate.mutable_restoration()->add_checks();
  check.set_name(name);
  check.set_verdict(verdict);
  check.set_value("0.31 %");
  check.set_bound("1 %");
  check.set_detail("62 of 20000 in 30s");
  check.mutable_age()->set_nanos(300'000'000);
  return check;
}

// Admitting 25 % on two load balancers, all in order.
inline v1::Gate AdmittingGate() {
  v1::Gate gate;
  gate.set_name("shop");
  gate.set_share_ppm(250'000);
  gate.set_recorded(true);
  gate.set_observed(true);
  gate.set_observed_min_ppm(250'000);
  gate.set_observed_max_ppm(250'000);
  gate.mutable_changed_at()->set_seconds(kTestNow - 41);
  gate.mutable_changed_by()->set_kind(v1::Cause::PLAN);
  gate.mutable_changed_by()->set_what("advance");
  gate.mutable_changed_by()->set_why("10 % proven");
  AddAgent(gate, "edge-1");
  AddAgent(gate, "edge-2");
  v1::Restoration& restoration = *gate.mutable_restoration();
  restoration.set_id("shop-3");
  restoration.set_phase(v1::PHASE_ADMITTING);
  restoration.mutable_phase_since()->set_seconds(kTestNow - 41);
  restoration.set_started_by("anna");
  restoration.set_doing("admitting 25 %, baked 4 of 10 s");
  restoration.add_waits_for("6 s of baking");
  restoration.set_next_ppm(500'000);
  AddCheck(gate, "errors", v1::HEALTHY);
  AddCheck(gate, "slow", v1::HEALTHY);
  return gate;
}

inline TimePoint TestNow() { return FromUnixMillis(kTestNow * 1'000); }

}  // namespace headgate::cli
