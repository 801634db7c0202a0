#include "controller/plan/defaults.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <variant>

#include "controller/plan/to_data.h"
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

void FillAdaptive(const engine::AdaptiveSteps& adaptive, bool is_measured, v1::Ramp& ramp) {
  ramp.mutable_steps()->set_adaptive(true);
  if (!ramp.has_step_max_ppm()) ramp.set_step_max_ppm(adaptive.step_max_ppm);
  if (adaptive.utilisation) FillSource(*adaptive.utilisation, *ramp.mutable_utilisation());
  // Without a utilisation there is nothing to limit.
  if (is_measured && !ramp.has_utilisation_limit_ppm()) {
    ramp.set_utilisation_limit_ppm(adaptive.utilisation_limit_ppm);
  }
}

void FillRamp(const engine::PlanSpec& spec, v1::Ramp& ramp) {
  if (spec.adaptive) {
    const bool is_measured =
        spec.adaptive->utilisation ||
        std::any_of(spec.databases.begin(), spec.databases.end(),
                    [](const auto& entry) { return entry.second.active_of > 0; });
    FillAdaptive(*spec.adaptive, is_measured, ramp);
  }
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

void FillLoad(const engine::DatabaseBounds& known, v1::DatabaseBounds& bounds) {
  bounds.mutable_connections()->set_soft_ppm(known.connections_soft_ppm);
  bounds.mutable_connections()->set_hard_ppm(known.connections_hard_ppm);
  bounds.mutable_rollbacks()->set_soft_ppm(known.rollbacks_soft_ppm);
  bounds.mutable_rollbacks()->set_hard_ppm(known.rollbacks_hard_ppm);
  bounds.set_rollbacks_sample(known.rollbacks_sample);
  bounds.set_deadlocks_per_minute(known.deadlocks_per_minute);
  Put(known.longest_transaction, *bounds.mutable_longest_transaction());
  Put(known.lock_wait, *bounds.mutable_lock_wait());
  bounds.set_cache_hits_ppm(known.cache_hits_ppm);
}

void FillDatabase(const engine::DatabaseSpec& known, v1::Database& database) {
  if (!database.has_lag()) PutRange(known.lag_soft, known.lag_hard, *database.mutable_lag());
  if (database.on_drift() == v1::ON_DRIFT_UNSPECIFIED) database.set_on_drift(v1::ON_DRIFT_DRAIN);
  FillData(known.data, database);
  v1::DatabaseBounds& bounds = *database.mutable_bounds();
  bounds.mutable_bytes_behind()->set_soft_mib(known.bounds.bytes_behind_soft_mib);
  bounds.mutable_bytes_behind()->set_hard_mib(known.bounds.bytes_behind_hard_mib);
  FillLoad(known.bounds, bounds);
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
    FillDatabase(spec.databases.at(name), database);
  }
  return plan;
}

}  // namespace headgate::plan
