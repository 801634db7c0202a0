#include "controller/plan/to_engine.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "controller/engine/field_errors.h"
#include "controller/engine/plan_limits.h"
#include "controller/plan/to_bounds.h"
#include "controller/plan/to_data.h"

namespace headgate::plan {
namespace {

using engine::FieldErrors;
using engine::Quoted;

constexpr Duration kUtilisationEvery{2'000};

void SetShare(std::uint32_t ppm, const std::string& path, std::vector<Share>& out,
              FieldErrors& errors) {
  const absl::StatusOr<Share> share = Share::FromPpm(ppm);
  if (!share.ok()) {
    errors.Add(path, std::string(share.status().message()));
    return;
  }
  out.push_back(*share);
}

void SetRange(const v1::DurationRange& range, const std::string& path, Duration& from, Duration& to,
              FieldErrors& errors) {
  if (!range.has_from() || !range.has_to()) {
    errors.Add(path, "a range needs both ends: write for example 10s..5m");
    return;
  }
  from = ToMillis(range.from());
  to = ToMillis(range.to());
}

bool IsCidr(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::string address = text.substr(0, slash);
  in6_addr parsed{};
  const bool is_v4 = inet_pton(AF_INET, address.c_str(), &parsed) == 1;
  if (!is_v4 && inet_pton(AF_INET6, address.c_str(), &parsed) != 1) return false;
  if (slash == std::string::npos) return true;
  unsigned bits = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, bits);
  return error == std::errc() && stop == end && bits <= (is_v4 ? 32U : 128U);
}

void RefuseBadBypass(const v1::Admit& admit, FieldErrors& errors) {
  if (static_cast<std::size_t>(admit.bypass_size()) > engine::kBypassRulesMax) {
    errors.Add("admit.bypass", fmt::format("{} rules are more than {}", admit.bypass_size(),
                                           engine::kBypassRulesMax));
    return;
  }
  for (int i = 0; i < admit.bypass_size(); ++i) {
    const v1::Bypass& bypass = admit.bypass(i);
    const std::string path = fmt::format("admit.bypass[{}]", i);
    if (bypass.path().empty() == bypass.cidr().empty()) {
      errors.Add(path,
                 "exactly one of path and cidr: write {path: /healthz} or {cidr: "
                 "203.0.113.0/24}");
    } else if (!bypass.path().empty() && bypass.path().front() != '/') {
      errors.Add(path + ".path",
                 fmt::format("{} is not a path: begin it with '/'", Quoted(bypass.path())));
    } else if (!bypass.cidr().empty() && !IsCidr(bypass.cidr())) {
      errors.Add(path + ".cidr", fmt::format("{} is not a network: write for example "
                                             "203.0.113.0/24",
                                             Quoted(bypass.cidr())));
    }
  }
}

std::string AdmitBy(const v1::AdmitKey& key, FieldErrors& errors) {
  switch (key.key_case()) {
    case v1::AdmitKey::kCookie:
      return "cookie " + key.cookie();
    case v1::AdmitKey::kHeader:
      return "header " + key.header();
    case v1::AdmitKey::kClientAddress:
      if (!key.client_address()) errors.Add("admit.by", "client_address: false names no user key");
      return "client_address";
    case v1::AdmitKey::KEY_NOT_SET:
      break;
  }
  return engine::PlanSpec().admit_by;
}

// What the check says, else what the plan says, else retreat.
engine::OnFailure ToOnFailure(v1::OnFailure of_check, v1::OnFailure of_plan) {
  const v1::OnFailure said = of_check == v1::ON_FAILURE_UNSPECIFIED ? of_plan : of_check;
  if (said == v1::DRAIN) return engine::OnFailure::kDrain;
  if (said == v1::HOLD) return engine::OnFailure::kHold;
  return engine::OnFailure::kRetreat;
}

// Keys that mean nothing for this kind of check are refused, or a person would believe in them.
void RefuseForeign(bool is_set, const std::string& path, const char* key, const char* kind,
                   FieldErrors& errors) {
  if (!is_set) return;
  errors.Add(path + "." + key, fmt::format("{} belongs to a {} check: remove it", key, kind));
}

void RefuseKeysOfRatio(const v1::Check& check, const std::string& path, FieldErrors& errors) {
  RefuseForeign(check.has_limit_ppm(), path, "limit", "ratio", errors);
  RefuseForeign(check.has_baseline_ppm(), path, "baseline", "ratio", errors);
  RefuseForeign(check.has_window(), path, "window", "ratio", errors);
  RefuseForeign(check.has_min_sample(), path, "min_sample", "ratio", errors);
}

void RefuseKeysOfValue(const v1::Check& check, const std::string& path, FieldErrors& errors) {
  RefuseForeign(check.has_bound(), path, "bound", "value", errors);
  RefuseForeign(check.has_hysteresis_ppm(), path, "hysteresis", "value", errors);
}

Duration TwiceAtMostAnHour(Duration every) { return std::min(every * 2, engine::kHour); }

engine::RatioCheck ToRatio(const v1::Check& check, const std::string& path, Duration& fresh,
                           FieldErrors& errors) {
  engine::RatioCheck ratio;
  if (!check.has_limit_ppm()) {
    errors.Add(path + ".limit",
               fmt::format("check {} has no limit: write the largest bearable part of bad events, "
                           "e.g. limit: 1%",
                           Quoted(check.name())));
  }
  ratio.limit_ppm = check.limit_ppm();
  if (check.has_baseline_ppm()) ratio.baseline_ppm = check.baseline_ppm();
  if (check.has_min_sample()) ratio.min_sample = check.min_sample();
  if (check.ratio().has_prometheus()) {
    const v1::PrometheusRatio& from = check.ratio().prometheus();
    engine::PrometheusRatio source;
    source.bad = from.bad();
    source.total = from.total();
    source.bad_absent_is_zero = from.bad_absent() == v1::BAD_ABSENT_ZERO;
    source.sampled_by = from.sampled_by();
    Set(from.has_every(), from.every(), source.every);
    fresh = TwiceAtMostAnHour(source.every);
    ratio.window = std::max(ratio.window, source.every);
    ratio.source = std::move(source);
  } else if (check.ratio().has_agents()) {
    const v1::AgentRatio& from = check.ratio().agents();
    engine::AgentRatio source;
    if (from.metric() == v1::AgentRatio::METRIC_UNSPECIFIED) {
      errors.Add(path + ".ratio",
                 "no metric: write agents.http_5xx, agents.connection_errors or "
                 "agents.slower_than(500ms)");
    }
    if (from.metric() == v1::AgentRatio::CONNECTION_ERRORS) {
      source.metric = engine::AgentRatio::Metric::kConnectionErrors;
    }
    if (from.metric() == v1::AgentRatio::SLOWER_THAN) {
      source.metric = engine::AgentRatio::Metric::kSlowerThan;
    }
    Set(from.has_slower_than(), from.slower_than(), source.slower_than);
    ratio.source = source;
  } else {
    errors.Add(path + ".ratio",
               "no source: write agents.http_5xx or {prometheus: {bad: …, total: "
               "…}}");
  }
  Set(check.has_window(), check.window(), ratio.window);
  RefuseKeysOfValue(check, path, errors);
  return ratio;
}

engine::PrometheusValue ToValueSource(const v1::PrometheusValue& from, Duration every_default) {
  engine::PrometheusValue source{
      .query = from.query(), .every = every_default, .sampled_by = from.sampled_by()};
  Set(from.has_every(), from.every(), source.every);
  return source;
}

engine::ValueCheck ToValue(const v1::Check& check, const std::string& path, Duration& fresh,
                           FieldErrors& errors) {
  engine::ValueCheck value;
  if (!check.has_bound()) {
    errors.Add(path + ".bound",
               fmt::format("check {} has no bound: write bound: SOFT..HARD, such as 80..95 (large "
                           "values are bad) or 20..5 (small ones are)",
                           Quoted(check.name())));
  }
  value.soft = check.bound().soft();
  value.hard = check.bound().hard();
  if (check.has_hysteresis_ppm()) value.hysteresis_ppm = check.hysteresis_ppm();
  if (!check.value().has_prometheus()) {
    errors.Add(path + ".value", "no source: write {prometheus: {query: …}}");
  }
  value.source = ToValueSource(check.value().prometheus(), value.source.every);
  fresh = TwiceAtMostAnHour(value.source.every);
  RefuseKeysOfRatio(check, path, errors);
  return value;
}

engine::CheckSpec ToCheck(const v1::Check& from, const std::string& path,
                          v1::OnFailure plan_on_failure, FieldErrors& errors) {
  engine::CheckSpec check;
  check.name = from.name();
  switch (from.source_case()) {
    case v1::Check::kRatio:
      check.kind = ToRatio(from, path, check.fresh, errors);
      break;
    case v1::Check::kValue:
      check.kind = ToValue(from, path, check.fresh, errors);
      break;
    case v1::Check::kDatabase:
      check.kind = engine::DatabaseCheck{.database = from.database()};
      RefuseKeysOfRatio(from, path, errors);
      RefuseKeysOfValue(from, path, errors);
      break;
    case v1::Check::SOURCE_NOT_SET:
      errors.Add(path, fmt::format("check {} looks at nothing: write one of ratio, value, database",
                                   Quoted(from.name())));
      break;
  }
  Set(from.has_fresh(), from.fresh(), check.fresh);
  check.on_failure = ToOnFailure(from.on_failure(), plan_on_failure);
  return check;
}

void RefuseBadKind(const v1::Replica& replica, v1::Engine of, const std::string& path,
                   FieldErrors& errors) {
  const bool has_kind = replica.kind() != v1::REPLICA_KIND_UNSPECIFIED;
  if (of == v1::MARIADB && has_kind) {
    errors.Add(path, fmt::format("replica {} has a kind, which only PostgreSQL's replicas have: "
                                 "remove it",
                                 Quoted(replica.name())));
  }
  if (of != v1::MARIADB && !has_kind && !replica.out()) {
    errors.Add(path, fmt::format("replica {} has no kind: write physical or logical",
                                 Quoted(replica.name())));
  }
}

}  // namespace

engine::DatabaseSpec ToDatabase(const v1::Database& from, const std::string& path,
                                FieldErrors& errors) {
  engine::DatabaseSpec database;
  if (from.engine() == v1::ENGINE_UNSPECIFIED) {
    errors.Add(path + ".engine", "no engine: write engine: postgres or engine: mariadb");
  }
  if (from.engine() == v1::MARIADB) database.engine = engine::DatabaseSpec::Engine::kMariadb;
  database.primary = from.primary();
  for (int i = 0; i < from.replicas_size(); ++i) {
    const v1::Replica& replica = from.replicas(i);
    RefuseBadKind(replica, from.engine(), fmt::format("{}.replicas[{}].kind", path, i), errors);
    database.replicas.push_back(engine::ReplicaSpec{
        .name = replica.name(),
        .dsn = replica.dsn(),
        .kind = replica.kind() == v1::LOGICAL ? engine::ReplicaSpec::Kind::kLogical
                                              : engine::ReplicaSpec::Kind::kPhysical,
        .out = replica.out()});
  }
  database.schemas.assign(from.schemas().begin(), from.schemas().end());
  if (from.has_lag()) {
    SetRange(from.lag(), path + ".lag", database.lag_soft, database.lag_hard, errors);
  }
  SetWatched(from, path, database, errors);
  SetData(from, path, database, errors);
  return database;
}

namespace {

// Keys of adaptive steps, which a list of steps makes nothing of.
void RefuseForeignToSteps(const v1::Ramp& ramp, FieldErrors& errors) {
  const auto refuse = [&](bool is_set, const char* key) {
    if (!is_set) return;
    errors.Add(std::string("ramp.") + key,
               fmt::format("{} belongs to steps: adaptive: remove it, or write that", key));
  };
  refuse(ramp.has_first_ppm(), "first");
  refuse(ramp.has_step_max_ppm(), "step_max");
  refuse(ramp.has_utilisation(), "utilisation");
  refuse(ramp.has_utilisation_limit_ppm(), "utilisation_limit");
}

void SetAdaptive(const v1::Ramp& ramp, engine::PlanSpec& spec, FieldErrors& errors) {
  const bool has_other_utilisation =
      std::any_of(spec.databases.begin(), spec.databases.end(),
                  [](const auto& database) { return database.second.active_of > 0; });
  engine::AdaptiveSteps& adaptive = spec.adaptive.emplace();
  spec.bake_min = engine::kBakeLeastAdaptive;
  if (ramp.has_first_ppm()) {
    std::vector<Share> first;
    SetShare(ramp.first_ppm(), "ramp.first", first, errors);
    if (!first.empty()) adaptive.first = first[0];
  }
  if (ramp.has_step_max_ppm()) adaptive.step_max_ppm = ramp.step_max_ppm();
  if (ramp.has_utilisation_limit_ppm()) {
    adaptive.utilisation_limit_ppm = ramp.utilisation_limit_ppm();
    if (!ramp.has_utilisation() && !has_other_utilisation) {
      errors.Add("ramp.utilisation_limit",
                 "there is no utilisation to limit: write utilisation: {prometheus: {query: …}}");
    }
  }
  if (!ramp.has_utilisation()) return;
  if (!ramp.utilisation().has_prometheus()) {
    errors.Add("ramp.utilisation", "no source: write {prometheus: {query: …}}");
    return;
  }
  adaptive.utilisation = ToValueSource(ramp.utilisation().prometheus(), kUtilisationEvery);
}

void SetSteps(const v1::Ramp& ramp, engine::PlanSpec& spec, FieldErrors& errors) {
  if (!ramp.has_steps() || ramp.steps().adaptive()) SetAdaptive(ramp, spec, errors);
  if (!spec.adaptive) RefuseForeignToSteps(ramp, errors);
  for (int i = 0; i < ramp.steps().shares_ppm_size(); ++i) {
    SetShare(ramp.steps().shares_ppm(i), fmt::format("ramp.steps[{}]", i), spec.steps, errors);
  }
}

void SetRamp(const v1::Ramp& ramp, engine::PlanSpec& spec, FieldErrors& errors) {
  SetSteps(ramp, spec, errors);
  if (ramp.has_bake()) SetRange(ramp.bake(), "ramp.bake", spec.bake_min, spec.bake_max, errors);
  Set(ramp.has_patience(), ramp.patience(), spec.patience);
  if (ramp.on_unknown() == v1::ON_UNKNOWN_RETREAT) spec.on_unknown = engine::OnUnknown::kRetreat;
  for (int i = 0; i < ramp.approve_at_ppm_size(); ++i) {
    SetShare(ramp.approve_at_ppm(i), fmt::format("ramp.approve_at[{}]", i), spec.approve_at,
             errors);
  }
}

void SetPreflight(const v1::Preflight& preflight, engine::PlanSpec& spec) {
  spec.agents.assign(preflight.agents().begin(), preflight.agents().end());
  spec.agent_count = preflight.agent_count();
  spec.preflight_databases.assign(preflight.databases().begin(), preflight.databases().end());
  Set(preflight.has_ready_for(), preflight.ready_for(), spec.ready_for);
}

// With the map's entries in one order, so that the same plan has the same bytes.
std::string Serialized(const v1::Plan& plan) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  plan.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

}  // namespace

absl::StatusOr<engine::Plan> ToEngine(const v1::Plan& plan) {
  FieldErrors errors;
  engine::PlanSpec spec;
  spec.gate = plan.gate();
  spec.admit_by = AdmitBy(plan.admit().by(), errors);
  RefuseBadBypass(plan.admit(), errors);
  SetPreflight(plan.preflight(), spec);
  for (int i = 0; i < plan.checks_size(); ++i) {
    spec.checks.push_back(
        ToCheck(plan.checks(i), fmt::format("checks[{}]", i), plan.then().on_failure(), errors));
  }
  for (const auto& [name, database] : plan.databases()) {
    spec.databases.emplace(name, ToDatabase(database, "databases." + name, errors));
  }
  SetRamp(plan.ramp(), spec, errors);
  Set(plan.then().has_watch(), plan.then().watch(), spec.watch);
  if (plan.then().has_retries()) spec.retries = plan.then().retries();
  Set(plan.then().has_backoff(), plan.then().backoff(), spec.backoff);
  spec.prometheus_url = plan.prometheus();
  spec.source = Serialized(plan);
  absl::StatusOr<engine::Plan> created = engine::Plan::Create(std::move(spec));
  if (errors.empty()) return created;
  if (!created.ok()) {
    for (engine::FieldError& error : FieldErrors::From(created.status())) {
      errors.Add(std::move(error.path), std::move(error.text));
    }
  }
  return errors.ToStatus();
}

absl::StatusOr<v1::Plan> FromSource(const std::string& source) {
  v1::Plan plan;
  if (!plan.ParseFromString(source)) {
    return absl::DataLossError("these bytes are no plan: the journal is damaged or newer");
  }
  return plan;
}

}  // namespace headgate::plan
