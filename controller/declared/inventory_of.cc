#include "controller/declared/inventory_of.h"

#include <cstdint>

#include "controller/engine/plan_limits.h"

namespace headgate::declared {
namespace {

database::Bounds BoundsOf(const engine::DatabaseBounds& bounds) {
  return {
      .bytes_behind = {.soft = std::uint64_t{bounds.bytes_behind_soft_mib} << 20U,
                       .hard = std::uint64_t{bounds.bytes_behind_hard_mib} << 20U},
      .connections_ppm = {.soft = bounds.connections_soft_ppm, .hard = bounds.connections_hard_ppm},
      .rollbacks_ppm = {.soft = bounds.rollbacks_soft_ppm, .hard = bounds.rollbacks_hard_ppm},
      .rollbacks_sample = bounds.rollbacks_sample,
      .deadlocks_per_minute = bounds.deadlocks_per_minute,
      .longest_transaction = bounds.longest_transaction,
      .lock_wait = bounds.lock_wait,
      .cache_hits_ppm = bounds.cache_hits_ppm};
}

}  // namespace

database::Inventory InventoryOf(const std::string& name, const engine::DatabaseSpec& spec) {
  const bool is_mariadb = spec.engine == engine::DatabaseSpec::Engine::kMariadb;
  database::Inventory inventory{
      .name = name,
      .engine = is_mariadb ? database::Engine::kMariadb : database::Engine::kPostgres,
      .primary_dsn = spec.primary,
      .schemas = spec.schemas,
      .lag_soft = spec.lag_soft,
      .lag_hard = spec.lag_hard,
      .bounds = BoundsOf(spec.bounds),
      .allow = spec.allow,
      .counts_active = spec.active_of > 0};
  if (spec.expect) {
    inventory.expected = database::ExpectedSchema{.file = spec.expect->file,
                                                  .fingerprint = spec.expect->fingerprint,
                                                  .tables = spec.expect->tables};
  }
  for (const engine::ReplicaSpec& replica : spec.replicas) {
    inventory.replicas.push_back({.name = replica.name,
                                  .dsn = replica.dsn,
                                  .kind = replica.kind == engine::ReplicaSpec::Kind::kLogical
                                              ? database::ReplicaKind::kLogical
                                              : database::ReplicaKind::kPhysical,
                                  .out = replica.out});
  }
  return inventory;
}

std::optional<database::RollingOptions> RollingOf(const engine::DataSpec& spec) {
  if (!spec.is_compared) return std::nullopt;
  return database::RollingOptions{.cpu_share_percent = spec.cpu_share_ppm / engine::kPpmOfPercent,
                                  .tables = spec.tables,
                                  .every = spec.every,
                                  .patience = spec.preflight};
}

}  // namespace headgate::declared
