// One connection to one PostgreSQL server, driven without blocking: name lookup, connecting, asking
// one statement after the other, each under its own deadline and all under a common one.
// One thread owns it. Promises: no call blocks, whatever the server does (libpq is used only in its
// asynchronous form, and nothing is ever cancelled on the server by PQcancel, which blocks); what
// is asked can write nothing, sees all rows or fails, and is not misled by the search_path.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "controller/database/dsn.h"
#include "controller/database/resolver.h"

struct pg_conn;
struct pg_result;

namespace headgate::database {

// Of a result; NULL is nullopt.
using Row = std::vector<std::optional<std::string>>;
using Rows = std::vector<Row>;

struct Statement {
  std::string sql;
  std::vector<std::string> parameters;
};

class PostgresSession {
 public:
  // An answer with more rows is refused.
  static constexpr int kRowsMax = 200'000;

  struct Deadlines {
    Duration connect{1'000};
    Duration statement{1'000};
    // For everything since Begin.
    Duration total{2'000};
  };

  explicit PostgresSession(std::string dsn);
  ~PostgresSession();
  PostgresSession(const PostgresSession&) = delete;
  PostgresSession& operator=(const PostgresSession&) = delete;

  // Connects, unless a connection is left from before, and asks each statement. One that fails does
  // not keep the others from being asked, unless the connection was lost or a deadline passed.
  void Begin(std::vector<Statement> statements, const Deadlines& deadlines, TimePoint now);
  bool IsDone() const { return state_ == State::kIdle; }
  // Ends what is under way and closes the connection.
  void Abandon(const absl::Status& why);

  // Until IsDone: poll Fd() for PollEvents(), at most until WakeAt(), then Advance. Fd() may be -1:
  // then there is only a time to wait for.
  int Fd() const;
  short PollEvents() const;
  TimePoint WakeAt(TimePoint now) const;
  void Advance(bool is_ready, TimePoint now);

  // One per statement of the last Begin. Failures:
  //   UNAVAILABLE        proven: nobody listens there, or the server is shutting down or starting
  //   DEADLINE_EXCEEDED  no answer in time
  //   PERMISSION_DENIED  the server refuses us, or refuses us this
  //   INVALID_ARGUMENT   the connection string
  //   UNKNOWN            everything else
  const std::vector<absl::StatusOr<Rows>>& Answers() const { return answers_; }

 private:
  enum class State { kIdle, kResolving, kConnecting, kPreparing, kAsking };

  void StartConnecting(const std::vector<std::string>& addresses, TimePoint now);
  void ContinueConnecting(TimePoint now);
  void ContinueAsking(TimePoint now);
  // Takes a result that has arrived. False: the connection is lost and the session has failed.
  bool TakeResult(pg_result* result, TimePoint now);
  void FinishStatement(TimePoint now);
  void Send(const Statement& statement, State state, TimePoint now);
  void Connect(TimePoint now);
  // A connection kept from before may have died unnoticed: that is no answer, so try once anew.
  void LoseConnection(const absl::Status& why, TimePoint now);
  void Disconnect();
  std::string LastError() const;

  const std::string dsn_;
  const absl::StatusOr<DsnOptions> options_;
  Resolver resolver_;
  pg_conn* connection_ = nullptr;
  State state_ = State::kIdle;
  bool is_reused_ = false;
  bool is_prepared_ = false;
  bool wants_write_ = false;
  Deadlines deadlines_;
  TimePoint total_deadline_;
  TimePoint step_deadline_;
  std::vector<Statement> statements_;
  std::optional<absl::StatusOr<Rows>> current_;
  std::vector<absl::StatusOr<Rows>> answers_;
};

// Drives all sessions at the same time until each is done, so that a server that hangs delays no
// other. `wake_fd`: when it becomes readable, everything under way is abandoned as CANCELLED.
void RunSessions(const std::vector<PostgresSession*>& sessions, const Clock& clock, int wake_fd);

}  // namespace headgate::database
