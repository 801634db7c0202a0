#include "controller/plan/expected.h"

#include <utility>

#include "controller/plan/to_engine.h"

namespace headgate::plan {

ReadExpected SentAlong(const google::protobuf::Map<std::string, v1::ExpectedSchema>& sent) {
  return [&sent](const std::string& name,
                 const engine::DatabaseSpec& database) -> absl::StatusOr<engine::ExpectedSchema> {
    const auto found = sent.find(name);
    // Without it the rules say what is missing.
    return found == sent.end() ? *database.expect : ToExpected(found->second);
  };
}

engine::ExpectedSchema ToExpected(const v1::ExpectedSchema& from) {
  return {.file = from.file(),
          .fingerprint = from.fingerprint(),
          .tables = {from.tables().begin(), from.tables().end()}};
}

v1::ExpectedSchema FromExpected(const engine::ExpectedSchema& from) {
  v1::ExpectedSchema expected;
  expected.set_file(from.file);
  expected.set_fingerprint(from.fingerprint);
  expected.mutable_tables()->insert(from.tables.begin(), from.tables.end());
  return expected;
}

void FillExpected(const ReadExpected& read, const Positions& positions,
                  google::protobuf::Map<std::string, v1::Database>& databases, Problems& problems) {
  if (!read) return;
  // In the order of their names, which a protobuf map does not have.
  std::map<std::string, v1::Database*> by_name;
  for (auto& [name, database] : databases) by_name[name] = &database;
  for (const auto& [name, database] : by_name) {
    if (database->expect().file().empty() || !database->expect().fingerprint().empty()) continue;
    const std::string path = "databases." + name;
    // What is wrong with it is told by whoever goes on with the plan.
    engine::FieldErrors ignored;
    auto expected = read(name, ToDatabase(*database, path, ignored));
    if (!expected.ok()) {
      problems.Add(positions.Find(path + ".expect"),
                   path + ".expect: " + std::string(expected.status().message()));
      continue;
    }
    expected->file = database->expect().file();
    *database->mutable_expect() = FromExpected(*expected);
  }
}

}  // namespace headgate::plan
