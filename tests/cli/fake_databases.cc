// The part of the FakeController that watches databases.
#include <utility>

#include "tests/cli/fake_controller.h"

namespace headgate::cli {

void FakeController::Watch(v1::ListDatabasesResponse databases) {
  const std::lock_guard lock(mutex_);
  databases_ = std::move(databases);
}

grpc::Status FakeController::ListDatabases(grpc::ServerContext*,
                                           const v1::ListDatabasesRequest* request,
                                           v1::ListDatabasesResponse* response) {
  const std::lock_guard lock(mutex_);
  if (!answer_.ok()) return answer_;
  for (const v1::WatchedDatabase& database : databases_.databases()) {
    if (request->database().empty() || request->database() == database.name()) {
      *response->add_databases() = database;
    }
  }
  if (response->databases().empty()) {
    return {grpc::StatusCode::NOT_FOUND, "no database is watched by that name"};
  }
  *response->mutable_changes() = databases_.changes();
  return answer_;
}

}  // namespace headgate::cli
