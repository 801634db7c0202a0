// `headgate databases`: what the controller watches by itself, and since when.
#include <algorithm>

#include "cli/database_tables.h"
#include "cli/json.h"
#include "cli/session.h"

namespace headgate::cli {
namespace {

// As a gate would decide: nobody more comes in unless all are HEALTHY.
ExitCode CodeOf(const v1::ListDatabasesResponse& databases) {
  const auto has = [&](v1::Verdict verdict) {
    return std::any_of(databases.databases().begin(), databases.databases().end(),
                       [&](const auto& database) { return database.verdict() == verdict; });
  };
  if (has(v1::FAILED) || has(v1::DEGRADED)) return ExitCode::kRefused;
  return has(v1::UNKNOWN) ? ExitCode::kCouldNotTell : ExitCode::kDone;
}

}  // namespace

ExitCode RunDatabases(const Command& command, Controller& controller, Session& session) {
  v1::ListDatabasesRequest request;
  request.set_database(command.database);
  request.set_limit(command.limit);
  v1::ListDatabasesResponse databases;
  const CallResult result = controller.ListDatabases(request, databases);
  if (!result.ok()) return Fail(result, command, session);
  if (command.output == Output::kJson) {
    session.terminal.out << ToJson(databases);
  } else {
    for (const std::string& line : DatabaseTable(databases, session.clock.Now())) {
      session.terminal.out << line << '\n';
    }
  }
  return CodeOf(databases);
}

}  // namespace headgate::cli
