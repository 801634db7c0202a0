#include "cli/dbcheck_inventory.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "cli/text.h"
#include "common/base/connection_string.h"
#include "controller/database/dsn.h"
#include "controller/declared/inventory_of.h"

namespace headgate::cli {
namespace {

// What may not be typed where every user of the machine reads it.
absl::Status CheckMariaDsn(const std::string& option, const std::string& dsn) {
  const auto problem = FindMariaDsnProblem(dsn);
  if (!problem.has_value()) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("{}: {}", option, Clean(*problem)));
}

absl::Status CheckDsn(const std::string& option, const std::string& dsn, database::Engine engine) {
  if (engine == database::Engine::kMariadb) return CheckMariaDsn(option, dsn);
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

}  // namespace

std::pair<std::string, std::string> SplitReplica(const std::string& text, database::Engine engine) {
  const std::size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  const bool is_name =
      equals != std::string::npos && !name.empty() &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string::npos;
  // "host=x" is an option, and no name, because the engine's client knows it.
  const bool is_option = engine == database::Engine::kMariadb
                             ? IsMariaDsnKeyword(name)
                             : database::ParseDsn(name + "=1").ok();
  if (!is_name || is_option) return {"", text};
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
         .inventory = declared::InventoryOf(name, spec),
         .data = spec.data.is_compared ? declared::RollingOf(spec.data) : std::nullopt});
  }
  if (!databases.empty()) return databases;
  if (known.empty()) return absl::InvalidArgumentError("the plan declares no databases");
  return absl::InvalidArgumentError(
      fmt::format("the plan declares no database '{}': it has {}", Clean(only), known));
}

absl::StatusOr<DeclaredDatabase> DatabaseOf(const DbcheckFlags& flags) {
  DeclaredDatabase database{.engine = flags.engine, .inventory = {}};
  const database::Engine engine =
      flags.engine == "mariadb" ? database::Engine::kMariadb : database::Engine::kPostgres;
  database.asks_kind = engine == database::Engine::kPostgres && flags.kind.empty();
  database.inventory.engine = engine;
  database.inventory.name = "database";
  database.inventory.primary_dsn = flags.primary;
  if (absl::Status status = CheckDsn("--primary", flags.primary, engine); !status.ok()) {
    return status;
  }
  std::set<std::string> names = {"primary"};
  for (const std::string& text : flags.replicas) {
    auto [name, dsn] = SplitReplica(text, engine);
    if (absl::Status status = CheckDsn("--replica", dsn, engine); !status.ok()) return status;
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
