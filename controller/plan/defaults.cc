#include "controller/plan/defaults.h"

#include <cstddef>
#include <string>
#include <variant>

#include "controller/plan/to_engine.h"

namespace headgate::plan {
namespace {

void Put(Duration from, google::protobuf::Duration& to) {
  to.set_seconds(from.count() / 1'000);
  to.set_nanos(static_cast<std::int32_t>(from.count() % 1'000 * 1'000'000));
}

void PutRange(Duration from, Duration to, v1::DurationRange& range) {
  Put(from, *range.mutable_from());
  Put(to, *range.mutable_to());
}

v1::OnFailure ToProto(engine::OnFailure what) {
  switch (what) {
    case engine::OnFailure::kRetreat:
      return v1::RETREAT;
    case engine::OnFailure::kDrain:
      return v1::DRAIN;
    case engine::OnFailure::kHold:
      return v1::HOLD;
  }
  return v1::RETREAT;
}

void FillAdmit(const engine::PlanSpec& spec, v1::Admit& admit) {
  if (admit.by().key_case() != v1::AdmitKey::KEY_NOT_SET) return;
  // The default is a cookie's name.
  admit.mutable_by()->set_cookie(spec.admit_by.substr(spec.admit_by.find(' ') + 1));
}

void FillRatio(const engine::RatioCheck& ratio, v1::Check& check) {
  if (!check.has_window()) Put(ratio.window, *check.mutable_window());
  if (!check.has_min_sample()) {
    check.set_min_sample(static_cast<std::uint32_t>(ratio.min_sample));
  }
  const auto* source = std::get_if<engine::PrometheusRatio>(&ratio.source);
  if (source == nullptr) return;
  v1::PrometheusRatio& prometheus = *check.mutable_ratio()->mutable_prometheus();
  if (!prometheus.has_every()) Put(source->every, *prometheus.mutable_every());
  if (prometheus.bad_absent() == v1::BAD_ABSENT_UNSPECIFIED) {
    prometheus.set_bad_absent(v1::BAD_ABSENT_UNKNOWN);
  }
}

void FillSource(const engine::PrometheusValue& source, v1::Value& value) {
  v1::PrometheusValue& prometheus = *value.mutable_prometheus();
  if (!prometheus.has_every()) Put(source.every, *prometheus.mutable_every());
}

void FillCheck(const engine::CheckSpec& spec, v1::Check& check) {
  if (!check.has_fresh()) Put(spec.fresh, *check.mutable_fresh());
  check.set_on_failure(ToProto(spec.on_failure));
  if (const auto* ratio = std::get_if<engine::RatioCheck>(&spec.kind)) FillRatio(*ratio, check);
  const auto* value = std::get_if<engine::ValueCheck>(&spec.kind);
  if (value == nullptr) return;
  if (!check.has_hysteresis_ppm()) check.set_hysteresis_ppm(value->hysteresis_ppm);
  FillSource(value->source, *check.mutable_value());
}

void FillAdaptive(const engine::AdaptiveSteps& adaptive, v1::Ramp& ramp) {
  ramp.mutable_steps()->set_adaptive(true);
  if (!ramp.has_step_max_ppm()) ramp.set_step_max_ppm(adaptive.step_max_ppm);
  // Without a utilisation there is nothing to limit.
  if (!adaptive.utilisation) return;
  FillSource(*adaptive.utilisation, *ramp.mutable_utilisation());
  if (!ramp.has_utilisation_limit_ppm()) {
    ramp.set_utilisation_limit_ppm(adaptive.utilisation_limit_ppm);
  }
}

void FillRamp(const engine::PlanSpec& spec, v1::Ramp& ramp) {
  if (spec.adaptive) FillAdaptive(*spec.adaptive, ramp);
  if (!ramp.has_bake()) PutRange(spec.bake_min, spec.bake_max, *ramp.mutable_bake());
  if (!ramp.has_patience()) Put(spec.patience, *ramp.mutable_patience());
  if (ramp.on_unknown() == v1::ON_UNKNOWN_UNSPECIFIED) ramp.set_on_unknown(v1::ON_UNKNOWN_HOLD);
}

void FillThen(const engine::PlanSpec& spec, v1::Then& then) {
  if (!then.has_watch()) Put(spec.watch, *then.mutable_watch());
  if (then.on_failure() == v1::ON_FAILURE_UNSPECIFIED) then.set_on_failure(v1::RETREAT);
  if (!then.has_retries()) then.set_retries(spec.retries);
  if (!then.has_backoff()) Put(spec.backoff, *then.mutable_backoff());
}

}  // namespace

absl::StatusOr<v1::Plan> WithDefaults(const engine::Plan& of) {
  const engine::PlanSpec& spec = of.spec();
  absl::StatusOr<v1::Plan> plan = FromSource(spec.source);
  if (!plan.ok()) return plan;
  FillAdmit(spec, *plan->mutable_admit());
  v1::Preflight& preflight = *plan->mutable_preflight();
  if (!preflight.has_ready_for()) Put(spec.ready_for, *preflight.mutable_ready_for());
  for (std::size_t i = 0; i < spec.checks.size(); ++i) {
    FillCheck(spec.checks[i], *plan->mutable_checks(static_cast<int>(i)));
  }
  FillRamp(spec, *plan->mutable_ramp());
  FillThen(spec, *plan->mutable_then());
  for (auto& [name, database] : *plan->mutable_databases()) {
    const engine::DatabaseSpec& known = spec.databases.at(name);
    if (!database.has_lag()) PutRange(known.lag_soft, known.lag_hard, *database.mutable_lag());
  }
  return plan;
}

}  // namespace headgate::plan
