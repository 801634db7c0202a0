#include "controller/engine/plan_checks.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <set>
#include <string_view>
#include <type_traits>

#include "common/base/connection_string.h"
#include "common/base/duration.h"
#include "controller/engine/dsn.h"
#include "controller/engine/names.h"
#include "controller/engine/plan_bounds.h"
#include "controller/engine/plan_limits.h"

namespace headgate::engine {
namespace {

void RefuseBadQuery(const std::string& query, const std::string& path, FieldErrors& errors) {
  if (query.empty()) {
    errors.Add(path, "there is no PromQL query: write one that gives exactly one series");
  } else if (query.size() > kQueryBytesMax) {
    errors.Add(path, fmt::format("a query of {} bytes is longer than {}: use a recording rule",
                                 query.size(), kQueryBytesMax));
  }
}

// A reading that comes every `every` must live until the next one, or the check would be UNKNOWN
// in between and never let the share rise.
void RefuseShorterThanPoll(Duration value, Duration every, const std::string& path,
                           FieldErrors& errors) {
  if (value >= every) return;
  errors.Add(path,
             fmt::format("{} is shorter than every ({}): between two answers there would be "
                         "no evidence; write {} or more, or leave it out",
                         FormatDuration(value), FormatDuration(every), FormatDuration(every)));
}

void RefuseBadSource(const AgentRatio& source, const CheckSpec&, const std::string& path,
                     FieldErrors& errors) {
  if (source.metric != AgentRatio::Metric::kSlowerThan) {
    if (source.slower_than != Duration(0)) {
      errors.Add(path + ".ratio", "slower_than belongs to metric slower_than only: remove it");
    }
    return;
  }
  if (source.slower_than < Duration(1) || source.slower_than > kSlowerThanMax) {
    errors.Add(path + ".ratio",
               fmt::format("a threshold of {} for slow answers: write agents.slower_than(500ms), "
                           "with 1ms to {}",
                           FormatDuration(source.slower_than), FormatDuration(kSlowerThanMax)));
  }
}

void RefuseBadSource(const PrometheusRatio& source, const CheckSpec& check, const std::string& path,
                     FieldErrors& errors) {
  const std::string prefix = path + ".ratio.prometheus";
  RefuseBadQuery(source.bad, prefix + ".bad", errors);
  RefuseBadQuery(source.total, prefix + ".total", errors);
  if (!source.bad.empty() && source.bad == source.total) {
    errors.Add(prefix + ".total",
               "bad and total are the same query, so that the ratio is always 100 %: total counts "
               "all events, the bad ones included");
  }
  RefuseOutside(source.every, kShortest, kHour, prefix + ".every", errors);
  RefuseShorterThanPoll(check.fresh, source.every, path + ".fresh", errors);
  if (source.sampled_by.size() > kQueryBytesMax) {
    RefuseBadQuery(source.sampled_by, prefix + ".sampled_by", errors);
  }
}

void RefuseBadRatio(const RatioCheck& ratio, const CheckSpec& check, const std::string& path,
                    FieldErrors& errors) {
  if (ratio.limit_ppm == 0) {
    errors.Add(path + ".limit",
               "a limit of 0 % would fail with the first bad event: write the largest bearable "
               "part, e.g. 1%");
  } else if (ratio.limit_ppm > kLimitPpmMax) {
    errors.Add(path + ".limit", fmt::format("a limit of {} would never fail: write at most {}",
                                            FormatPpm(ratio.limit_ppm), FormatPpm(kLimitPpmMax)));
  }
  if (ratio.baseline_ppm && *ratio.baseline_ppm >= ratio.limit_ppm && ratio.limit_ppm > 0) {
    errors.Add(path + ".limit",
               fmt::format("a limit of {} is not above what is bad on an ordinary day (baseline: "
                           "{}): users would be taken out again and again; write what you would "
                           "not bear, {} or more",
                           FormatPpm(ratio.limit_ppm), FormatPpm(*ratio.baseline_ppm),
                           FormatPpm(std::min(2 * *ratio.baseline_ppm, kLimitPpmMax))));
  }
  RefuseOutside(ratio.window, kShortest, kHour, path + ".window", errors);
  if (ratio.min_sample == 0 || ratio.min_sample > kMinSampleMax) {
    errors.Add(path + ".min_sample", fmt::format("a sample of {} events: write 1 to {}",
                                                 ratio.min_sample, kMinSampleMax));
  }
  std::visit([&](const auto& source) { RefuseBadSource(source, check, path, errors); },
             ratio.source);
  if (const auto* prometheus = std::get_if<PrometheusRatio>(&ratio.source)) {
    RefuseShorterThanPoll(ratio.window, prometheus->every, path + ".window", errors);
  }
}

void RefuseBadValue(const ValueCheck& value, const CheckSpec& check, const std::string& path,
                    FieldErrors& errors) {
  if (!std::isfinite(value.soft) || !std::isfinite(value.hard)) {
    errors.Add(path + ".bound", "a bound must be a number: write for example bound: 80..95");
  } else if (value.soft == value.hard) {
    errors.Add(path + ".bound",
               fmt::format("soft and hard are both {}: write for example 80..95 (large values are "
                           "bad) or 20..5 (small ones are)",
                           value.soft));
  }
  if (value.hysteresis_ppm > kHysteresisPpmMax) {
    errors.Add(path + ".hysteresis",
               fmt::format("a hysteresis of {} is above {}", FormatPpm(value.hysteresis_ppm),
                           FormatPpm(kHysteresisPpmMax)));
  }
  const std::string prefix = path + ".value.prometheus";
  RefuseBadValueSource(value.source, prefix, errors);
  RefuseShorterThanPoll(check.fresh, value.source.every, path + ".fresh", errors);
}

std::optional<std::string> FindProblemOfDsn(std::string_view dsn, DatabaseSpec::Engine engine) {
  return engine == DatabaseSpec::Engine::kMariadb ? FindMariaDsnProblem(dsn) : FindDsnProblem(dsn);
}

void RefuseBadReplica(const ReplicaSpec& replica, DatabaseSpec::Engine engine,
                      const std::string& path, FieldErrors& errors) {
  if (replica.name.empty()) {
    errors.Add(path + ".name", "this replica has no name: write for example name: db2");
  } else if (!IsPlainName(replica.name)) {
    errors.Add(path + ".name", fmt::format("{} is not a replica's name: write {}",
                                           Quoted(replica.name), kPlainNameRule));
  } else if (replica.name == kPrimaryName) {
    errors.Add(path + ".name",
               "'primary' is what findings call the primary: give the replica another name");
  }
  if (replica.dsn.empty()) {
    if (!replica.out) {
      errors.Add(path + ".dsn",
                 fmt::format("replica {} has no dsn: write one, or out: true if it was taken out",
                             Quoted(replica.name)));
    }
    return;
  }
  if (const auto problem = FindProblemOfDsn(replica.dsn, engine)) {
    errors.Add(path + ".dsn", *problem);
  }
}

void RefuseBadDatabase(const DatabaseSpec& database, const std::string& path, FieldErrors& errors) {
  if (database.primary.empty()) {
    errors.Add(path + ".primary",
               "there is no primary: write its connection string, e.g. 'host=db1 user=headgate'");
  } else if (const auto problem = FindProblemOfDsn(database.primary, database.engine)) {
    errors.Add(path + ".primary", *problem);
  }
  if (database.replicas.size() > kReplicasMax) {
    errors.Add(path + ".replicas",
               fmt::format("{} replicas are more than {}", database.replicas.size(), kReplicasMax));
  }
  std::set<std::string_view> names;
  std::set<std::string_view> dsns = {database.primary};
  for (std::size_t i = 0; i < database.replicas.size(); ++i) {
    const ReplicaSpec& replica = database.replicas[i];
    const std::string replica_path = fmt::format("{}.replicas[{}]", path, i);
    RefuseBadReplica(replica, database.engine, replica_path, errors);
    if (!names.insert(replica.name).second) {
      errors.Add(replica_path + ".name",
                 fmt::format("two replicas are named {}: rename one", Quoted(replica.name)));
    }
    if (!replica.dsn.empty() && !dsns.insert(replica.dsn).second) {
      errors.Add(replica_path + ".dsn", "this server is declared twice: remove one, or correct it");
    }
  }
  std::set<std::string_view> schemas;
  for (std::size_t i = 0; i < database.schemas.size(); ++i) {
    if (database.schemas[i].empty() || !schemas.insert(database.schemas[i]).second) {
      errors.Add(fmt::format("{}.schemas[{}]", path, i), "a schema is empty or named twice");
    }
  }
  if (database.schemas.size() > kSchemasMax) {
    errors.Add(path + ".schemas",
               fmt::format("{} schemas are more than {}", database.schemas.size(), kSchemasMax));
  }
  RefuseOutside(database.lag_soft, Duration(1), kHour, path + ".lag", errors);
  RefuseOutside(database.lag_hard, Duration(1), kHour, path + ".lag", errors);
  if (database.lag_soft >= database.lag_hard) {
    errors.Add(path + ".lag",
               fmt::format("{}..{}: the lag that fails must be above the one that holds, e.g. "
                           "1s..5s",
                           FormatDuration(database.lag_soft), FormatDuration(database.lag_hard)));
  }
  RefuseBadBounds(database.bounds, path + ".bounds", errors);
  RefuseBadAllow(database.allow, path + ".allow", errors);
  RefuseBadData(database.data, path + ".data", errors);
}

}  // namespace

void RefuseOutside(Duration value, Duration min, Duration max, const std::string& path,
                   FieldErrors& errors) {
  if (value >= min && value <= max) return;
  errors.Add(path, fmt::format("{} is {} {}: write {} to {}", FormatDuration(value),
                               value < min ? "shorter than" : "longer than",
                               FormatDuration(value < min ? min : max), FormatDuration(min),
                               FormatDuration(max)));
}

void RefuseBadValueSource(const PrometheusValue& source, const std::string& path,
                          FieldErrors& errors) {
  RefuseBadQuery(source.query, path + ".query", errors);
  RefuseOutside(source.every, kShortest, kHour, path + ".every", errors);
  if (source.sampled_by.size() > kQueryBytesMax) {
    RefuseBadQuery(source.sampled_by, path + ".sampled_by", errors);
  }
}

void RefuseUndeclared(const PlanSpec& spec, const std::string& database, const std::string& path,
                      FieldErrors& errors) {
  if (spec.databases.count(database) > 0) return;
  std::string declared;
  for (const auto& [name, unused] : spec.databases) {
    declared += (declared.empty() ? "" : ", ") + name;
  }
  errors.Add(path, fmt::format("database {} is not declared (declared: {}): add it under databases",
                               Quoted(database), declared.empty() ? "none" : declared));
}

void RefuseBadChecks(const PlanSpec& spec, FieldErrors& errors) {
  if (spec.checks.empty()) {
    errors.Add("checks",
               "there is no check: without evidence no share can rise; write at least {name: "
               "errors, ratio: agents.http_5xx, limit: 1%}");
  }
  if (spec.checks.size() > kChecksMax) {
    errors.Add("checks", fmt::format("{} checks are more than {}: each is a reason to hold",
                                     spec.checks.size(), kChecksMax));
    return;
  }
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < spec.checks.size(); ++i) {
    const CheckSpec& check = spec.checks[i];
    const std::string path = fmt::format("checks[{}]", i);
    if (check.name.empty()) {
      errors.Add(path + ".name", "this check has no name: write for example name: errors");
    } else if (!IsPlainName(check.name)) {
      errors.Add(path + ".name", fmt::format("{} is not a check's name: write {}",
                                             Quoted(check.name), kPlainNameRule));
    } else if (!names.insert(check.name).second) {
      errors.Add(path + ".name",
                 fmt::format("two checks are named {}: rename one", Quoted(check.name)));
    }
    RefuseOutside(check.fresh, kShortest, kHour, path + ".fresh", errors);
    std::visit(
        [&](const auto& kind) {
          using Kind = std::decay_t<decltype(kind)>;
          if constexpr (std::is_same_v<Kind, RatioCheck>) {
            RefuseBadRatio(kind, check, path, errors);
          } else if constexpr (std::is_same_v<Kind, ValueCheck>) {
            RefuseBadValue(kind, check, path, errors);
          } else {
            RefuseUndeclared(spec, kind.database, path + ".database", errors);
          }
        },
        check.kind);
  }
}

void RefuseBadDatabases(const PlanSpec& spec, FieldErrors& errors) {
  if (spec.databases.size() > kDatabasesMax) {
    errors.Add("databases",
               fmt::format("{} databases are more than {}", spec.databases.size(), kDatabasesMax));
    return;
  }
  std::size_t expected_bytes = 0;
  for (const auto& [name, database] : spec.databases) {
    const std::string path = "databases." + name;
    if (database.expect) {
      RefuseBadExpected(*database.expect, path + ".expect", expected_bytes, errors);
    }
    if (!IsPlainName(name)) {
      errors.Add(
          path, fmt::format("{} is not a database's name: write {}", Quoted(name), kPlainNameRule));
    }
    RefuseBadDatabase(database, path, errors);
  }
}

}  // namespace headgate::engine
