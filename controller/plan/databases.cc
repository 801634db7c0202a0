#include "controller/plan/databases.h"

#include "controller/engine/field_errors.h"
#include "controller/engine/plan_checks.h"
#include "controller/engine/plan_limits.h"
#include "controller/plan/binder.h"
#include "controller/plan/problems.h"
#include "controller/plan/short_forms.h"
#include "controller/plan/to_bounds.h"
#include "controller/plan/to_engine.h"
#include "controller/plan/yaml_tree.h"
#include "headgate/v1/databases.pb.h"

namespace headgate::plan {
namespace {

constexpr Duration kFingerprintEveryMin{10'000};

// Rules are those of a plan's section of the same name.
WatchedDatabases ToWatched(const v1::WatchedDatabases& from, engine::FieldErrors& errors) {
  engine::PlanSpec spec;
  for (const auto& [name, database] : from.databases()) {
    spec.databases.emplace(name, ToDatabase(database, "databases." + name, errors));
  }
  engine::RefuseBadDatabases(spec, errors);
  if (spec.databases.empty()) {
    errors.Add("databases",
               "there is no database to watch: write databases: {NAME: {engine: postgres, "
               "primary: …}}, or start without the file");
  }
  WatchedDatabases watched{.databases = std::move(spec.databases)};
  Set(from.has_look_every(), from.look_every(), watched.look_every);
  Set(from.has_fingerprint_every(), from.fingerprint_every(), watched.fingerprint_every);
  engine::RefuseOutside(watched.look_every, engine::kShortest, engine::kHour, "look_every", errors);
  engine::RefuseOutside(watched.fingerprint_every, kFingerprintEveryMin, engine::kDay,
                        "fingerprint_every", errors);
  return watched;
}

}  // namespace

absl::StatusOr<WatchedDatabases> LoadDatabases(std::string_view bytes, std::string_view file_name,
                                               const ReadExpected& read) {
  Problems problems(file_name);
  const YamlNode root = ReadYaml(bytes, problems);
  if (!problems.empty()) return problems.ToStatus();
  Positions positions;
  v1::WatchedDatabases bound;
  Bind(root, PlanShortForms(), bound, positions, problems);
  if (!problems.empty()) return problems.ToStatus();
  FillExpected(read, positions, *bound.mutable_databases(), problems);
  if (!problems.empty()) return problems.ToStatus();
  engine::FieldErrors errors;
  WatchedDatabases watched = ToWatched(bound, errors);
  if (errors.empty()) return watched;
  for (const engine::FieldError& error : errors.errors()) {
    problems.Add(positions.Find(error.path), error.path + ": " + error.text);
  }
  return problems.ToStatus();
}

}  // namespace headgate::plan
