#include "cli/dbcheck_inventory.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "cli/text.h"
#include "controller/database/dsn.h"

namespace headgate::cli {
namespace {

// What may not be typed where every user of the machine reads it.
absl::Status CheckDsn(const std::string& option, const std::string& dsn) {
  const auto options = database::ParseDsn(dsn);
  if (!options.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {}", option, std::string(options.status().message())));
  }
  for (const char* secret : {"password", "sslpassword"}) {
    if (!options->contains(secret)) continue;
    return absl::InvalidArgumentError(fmt::format(
        "{} has a {} in it, which every user of this machine can read: put it into ~/.pgpass, or "
        "name a file of yours with passfile=, or a service with service=",
        option, secret));
  }
  return absl::OkStatus();
}

database::Inventory InventoryOf(const std::string& name, const engine::DatabaseSpec& spec) {
  database::Inventory inventory;
  inventory.name = name;
  inventory.primary_dsn = spec.primary;
  inventory.schemas = spec.schemas;
  inventory.lag_soft = spec.lag_soft;
  inventory.lag_hard = spec.lag_hard;
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

}  // namespace

std::pair<std::string, std::string> SplitReplica(const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  const bool is_name =
      equals != std::string::npos && !name.empty() &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string::npos;
  // "host=x" is an option, and no name, because libpq knows it.
  if (!is_name || database::ParseDsn(name + "=1").ok()) return {"", text};
  return {name, text.substr(equals + 1)};
}

absl::StatusOr<std::vector<DeclaredDatabase>> DatabasesOf(const engine::PlanSpec& plan,
                                                          const std::string& only) {
  std::vector<DeclaredDatabase> databases;
  std::string known;
  for (const auto& [name, spec] : plan.databases) {
    known += (known.empty() ? "" : ", ") + name;
    if (!only.empty() && only != name) continue;
    databases.push_back(
        {.engine = spec.engine == engine::DatabaseSpec::Engine::kMariadb ? "mariadb" : "postgres",
         .inventory = InventoryOf(name, spec)});
  }
  if (!databases.empty()) return databases;
  if (known.empty()) return absl::InvalidArgumentError("the plan declares no databases");
  return absl::InvalidArgumentError(
      fmt::format("the plan declares no database '{}': it has {}", Clean(only), known));
}

absl::StatusOr<DeclaredDatabase> DatabaseOf(const DbcheckFlags& flags) {
  DeclaredDatabase database{
      .engine = flags.engine, .inventory = {}, .asks_kind = flags.kind.empty()};
  database.inventory.name = "database";
  database.inventory.primary_dsn = flags.primary;
  if (absl::Status status = CheckDsn("--primary", flags.primary); !status.ok()) return status;
  std::set<std::string> names = {"primary"};
  for (const std::string& text : flags.replicas) {
    auto [name, dsn] = SplitReplica(text);
    if (absl::Status status = CheckDsn("--replica", dsn); !status.ok()) return status;
    if (name.empty()) {
      name = flags.replicas.size() == 1
                 ? "replica"
                 : fmt::format("replica-{}", database.inventory.replicas.size() + 1);
    }
    if (!names.insert(name).second) {
      return absl::InvalidArgumentError(
          fmt::format("--replica: the name '{}' is taken: each has its own", Clean(name)));
    }
    database.inventory.replicas.push_back({.name = name,
                                           .dsn = dsn,
                                           .kind = flags.kind == "logical"
                                                       ? database::ReplicaKind::kLogical
                                                       : database::ReplicaKind::kPhysical,
                                           .out = false});
  }
  return database;
}

}  // namespace headgate::cli
