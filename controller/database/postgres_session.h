// A session with a PostgreSQL server: see Session. libpq is used only in its asynchronous form, and
// nothing is ever cancelled on the server by PQcancel, which blocks. What is asked sees all rows or
// fails, and is not misled by the search_path.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "controller/database/dsn.h"
#include "controller/database/session.h"

struct pg_conn;
struct pg_result;

namespace headgate::database {

class PostgresSession final : public Session {
 public:
  explicit PostgresSession(const std::string& dsn);
  ~PostgresSession() override;

 private:
  absl::StatusOr<std::string> HostToLookUp() override;
  bool HasConnection() const override { return connection_ != nullptr; }
  Connecting StartConnecting(const std::vector<std::string>& addresses,
                             const Deadlines& deadlines) override;
  Connecting ContinueConnecting() override;
  Statement Preparation(Duration statement_timeout) const override;
  Asking StartAsking(const Statement& statement) override;
  Asking ContinueAsking() override;
  void Disconnect() override;
  int Socket() const override;
  short EventsAwaited() const override;

  // Takes a result that has arrived; a status: the connection is lost.
  absl::Status TakeResult(pg_result* result);
  std::string LastError() const;

  const absl::StatusOr<DsnOptions> options_;
  pg_conn* connection_ = nullptr;
  bool is_connecting_ = false;
  bool wants_write_ = false;
  // Of the statement under way.
  std::optional<absl::StatusOr<Rows>> current_;
};

}  // namespace headgate::database
