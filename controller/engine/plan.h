// The plan of a restoration as the engine knows it: a value that exists only if it is valid.
// The plan room builds it from the protobuf schema (proto/headgate/v1/plan.proto), where each
// field's meaning, range and default is documented; defaults are filled in there, rules are here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/share.h"

namespace headgate::engine {

enum class OnFailure { kRetreat, kDrain, kHold };
enum class OnUnknown { kHold, kRetreat };

struct AgentRatio {
  enum class Metric { kHttp5xx, kConnectionErrors, kSlowerThan };
  Metric metric = Metric::kHttp5xx;
  // kSlowerThan only.
  Duration slower_than{0};
  friend bool operator==(const AgentRatio&, const AgentRatio&) = default;
};

struct PrometheusRatio {
  std::string bad;
  std::string total;
  Duration every{30'000};
  bool bad_absent_is_zero = false;
  std::string sampled_by;
  friend bool operator==(const PrometheusRatio&, const PrometheusRatio&) = default;
};

struct PrometheusValue {
  std::string query;
  Duration every{5'000};
  std::string sampled_by;
  friend bool operator==(const PrometheusValue&, const PrometheusValue&) = default;
};

struct RatioCheck {
  std::variant<AgentRatio, PrometheusRatio> source;
  std::uint32_t limit_ppm = 0;
  // Of an ordinary day; for rehearsals, judged by nobody.
  std::optional<std::uint32_t> baseline_ppm;
  Duration window{30'000};
  std::uint64_t min_sample = 50;
  friend bool operator==(const RatioCheck&, const RatioCheck&) = default;
};

struct ValueCheck {
  PrometheusValue source;
  double soft = 0;
  double hard = 0;
  std::uint32_t hysteresis_ppm = 50'000;
  friend bool operator==(const ValueCheck&, const ValueCheck&) = default;
};

struct DatabaseCheck {
  // A key of PlanSpec::databases.
  std::string database;
  friend bool operator==(const DatabaseCheck&, const DatabaseCheck&) = default;
};

struct CheckSpec {
  std::string name;
  std::variant<RatioCheck, ValueCheck, DatabaseCheck> kind;
  Duration fresh{5'000};
  OnFailure on_failure = OnFailure::kRetreat;
  friend bool operator==(const CheckSpec&, const CheckSpec&) = default;
};

// What the check counts at the load balancers; null for every other check.
const AgentRatio* AgentRatioOf(const CheckSpec& check);

struct ReplicaSpec {
  enum class Kind { kPhysical, kLogical };
  std::string name;
  std::string dsn;
  Kind kind = Kind::kPhysical;
  bool out = false;
  friend bool operator==(const ReplicaSpec&, const ReplicaSpec&) = default;
};

// What proven drift or divergence of a database does.
enum class OnDrift { kDrain, kHold };

// See controller/database/bounds.h, and docs/DATABASE.md.
struct DatabaseBounds {
  std::uint32_t bytes_behind_soft_mib = 16;
  std::uint32_t bytes_behind_hard_mib = 256;
  std::uint32_t connections_soft_ppm = 800'000;
  std::uint32_t connections_hard_ppm = 950'000;
  std::uint32_t rollbacks_soft_ppm = 20'000;
  std::uint32_t rollbacks_hard_ppm = 100'000;
  std::uint32_t rollbacks_sample = 200;
  std::uint32_t deadlocks_per_minute = 5;
  Duration longest_transaction{60'000};
  Duration lock_wait{10'000};
  std::uint32_t cache_hits_ppm = 980'000;
  friend bool operator==(const DatabaseBounds&, const DatabaseBounds&) = default;
};

// How the rows of a primary and its replicas are compared.
struct DataSpec {
  bool is_compared = true;
  std::uint32_t cpu_share_ppm = 200'000;
  // `schema.table` or `table`; empty: all.
  std::vector<std::string> tables;
  // From the beginning of one round to that of the next.
  Duration every{60'000};
  // How long preflight waits for the first whole round; unset: as long as it takes.
  std::optional<Duration> preflight{Duration(300'000)};
  friend bool operator==(const DataSpec&, const DataSpec&) = default;
};

// The schema that a primary must have. See controller/database/expected_schema.h.
struct ExpectedSchema {
  // The baseline, as the plan names it.
  std::string file{};
  std::string fingerprint{};
  std::map<std::string, std::uint32_t> tables{};
  friend bool operator==(const ExpectedSchema&, const ExpectedSchema&) = default;
};

struct DatabaseSpec {
  enum class Engine { kPostgres, kMariadb };
  Engine engine = Engine::kPostgres;
  std::string primary;
  std::vector<ReplicaSpec> replicas;
  std::vector<std::string> schemas;
  Duration lag_soft{1'000};
  Duration lag_hard{5'000};
  DatabaseBounds bounds;
  OnDrift on_drift = OnDrift::kDrain;
  // Differences that are told and do not count: `schema.table`, `schema.table.name`, with `*`.
  std::vector<std::string> allow;
  // So many active backends are a utilisation of 100 %; 0: it is no measure of it.
  std::uint32_t active_of = 0;
  DataSpec data;
  // Unset: that of its replicas is enough.
  std::optional<ExpectedSchema> expect;
  friend bool operator==(const DatabaseSpec&, const DatabaseSpec&) = default;
};

// Steps that follow the evidence, instead of a list.
struct AdaptiveSteps {
  // Unset: so large that the demand soon tells something, 5 % to 25 %.
  std::optional<Share> first;
  std::uint32_t step_max_ppm = 300'000;
  // How busy the platform is, a part of 1; and how busy it may get.
  std::optional<PrometheusValue> utilisation;
  std::uint32_t utilisation_limit_ppm = 920'000;
  friend bool operator==(const AdaptiveSteps&, const AdaptiveSteps&) = default;
};

// The least time at a share with adaptive steps, where the plan does not say.
inline constexpr Duration kBakeLeastAdaptive{7'000};
// And the first wait after load, or after what came with the time; after a share that failed by
// itself.
constexpr Duration FirstWaitOfLoad(Duration backoff) { return backoff / 2; }
constexpr Duration FirstWaitOfShare(Duration backoff) { return 6 * backoff; }

struct PlanSpec {
  std::string gate;
  // Admit.by in its short form, e.g. "cookie headgate_uid".
  std::string admit_by = "cookie headgate_uid";
  std::vector<std::string> agents;
  std::uint32_t agent_count = 0;
  std::vector<std::string> preflight_databases;
  Duration ready_for{30'000};
  std::vector<CheckSpec> checks;
  // Exactly one of the two: a list, not empty, or adaptive.
  std::vector<Share> steps;
  std::optional<AdaptiveSteps> adaptive;
  Duration bake_min{10'000};
  Duration bake_max{300'000};
  Duration patience{30'000};
  OnUnknown on_unknown = OnUnknown::kHold;
  std::vector<Share> approve_at;
  Duration watch{900'000};
  std::uint32_t retries = 3;
  Duration backoff{20'000};
  std::map<std::string, DatabaseSpec> databases;
  std::string prometheus_url;
  // The plan as it was given: opaque to the engine, kept for the journal and for those who ask.
  std::string source;
  friend bool operator==(const PlanSpec&, const PlanSpec&) = default;
};

// The payload type of the paths that an error of Plan::Create is about, one per line as its message
// has one error per line: "ramp.steps[3]", "checks[0].limit", "databases.orders.replicas[1].dsn",
// the YAML names of plan.proto. field_errors.h splits them.
inline constexpr char kFieldPathPayload[] = "headgate/field-path";

class Plan {
 public:
  // INVALID_ARGUMENT, with kFieldPathPayload, says what was refused, the value, the bound and what
  // to write instead. Every rule that spans the ranges documented in plan.proto is checked here.
  static absl::StatusOr<Plan> Create(PlanSpec spec);

  const PlanSpec& spec() const { return spec_; }
  friend bool operator==(const Plan&, const Plan&) = default;

 private:
  explicit Plan(PlanSpec spec) : spec_(std::move(spec)) {}
  PlanSpec spec_;
};

}  // namespace headgate::engine
