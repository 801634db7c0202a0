#include "controller/plan/to_bounds.h"

#include <algorithm>
#include <cstdint>

#include "controller/plan/expected.h"

namespace headgate::plan {
namespace {

// A Duration may hold 10,000 years.
constexpr std::int64_t kSecondsMax = 400LL * 24 * 3600;

void SetBounds(const v1::DatabaseBounds& from, engine::DatabaseBounds& bounds) {
  if (from.has_bytes_behind()) {
    bounds.bytes_behind_soft_mib = from.bytes_behind().soft_mib();
    bounds.bytes_behind_hard_mib = from.bytes_behind().hard_mib();
  }
  if (from.has_connections()) {
    bounds.connections_soft_ppm = from.connections().soft_ppm();
    bounds.connections_hard_ppm = from.connections().hard_ppm();
  }
  if (from.has_rollbacks()) {
    bounds.rollbacks_soft_ppm = from.rollbacks().soft_ppm();
    bounds.rollbacks_hard_ppm = from.rollbacks().hard_ppm();
  }
  if (from.has_rollbacks_sample()) bounds.rollbacks_sample = from.rollbacks_sample();
  if (from.has_deadlocks_per_minute()) bounds.deadlocks_per_minute = from.deadlocks_per_minute();
  Set(from.has_longest_transaction(), from.longest_transaction(), bounds.longest_transaction);
  Set(from.has_lock_wait(), from.lock_wait(), bounds.lock_wait);
  if (from.has_cache_hits_ppm()) bounds.cache_hits_ppm = from.cache_hits_ppm();
}

}  // namespace

Duration ToMillis(const google::protobuf::Duration& duration) {
  const std::int64_t seconds = std::clamp<std::int64_t>(duration.seconds(), -1, kSecondsMax);
  return Duration(seconds * 1'000 + duration.nanos() / 1'000'000);
}

void Set(bool is_set, const google::protobuf::Duration& duration, Duration& out) {
  if (is_set) out = ToMillis(duration);
}

void SetWatched(const v1::Database& from, const std::string& path, engine::DatabaseSpec& database,
                engine::FieldErrors& errors) {
  if (from.on_drift() == v1::ON_DRIFT_HOLD) database.on_drift = engine::OnDrift::kHold;
  database.allow.assign(from.allow().begin(), from.allow().end());
  if (from.has_expect()) database.expect = ToExpected(from.expect());
  if (from.has_bounds()) SetBounds(from.bounds(), database.bounds);
  if (!from.has_utilisation()) return;
  database.active_of = from.utilisation().active_of();
  if (database.active_of == 0) {
    errors.Add(path + ".utilisation.active_of",
               "no number: write how many active backends are 100 %, such as the cores or the "
               "size of the pool");
  }
}

}  // namespace headgate::plan
