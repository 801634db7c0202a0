// One connection to one database server, driven without blocking: name lookup, connecting, asking
// one statement after the other, each under its own deadline and all under a common one. What is
// the same for every engine stands here; an engine says how its own library takes each step.
// One thread owns it. Promises: no call blocks, whatever the server does; what is asked can write
// nothing.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "controller/database/resolver.h"
#include "controller/database/statement.h"

namespace headgate::database {

class Session {
 public:
  // An answer with more rows is refused.
  static constexpr int kRowsMax = 200'000;

  struct Deadlines {
    Duration connect{1'000};
    Duration statement{1'000};
    // For everything since Begin.
    Duration total{2'000};
  };

  virtual ~Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Connects, unless a connection is left from before, and asks each statement. One that fails does
  // not keep the others from being asked, unless the connection was lost or a deadline passed.
  void Begin(std::vector<Statement> statements, const Deadlines& deadlines, TimePoint now);
  bool IsDone() const { return state_ == State::kIdle; }
  // Ends what is under way and closes the connection.
  void Abandon(const absl::Status& why);

  // Until IsDone: poll Fd() for PollEvents(), at most until WakeAt(), then Advance. Fd() may be -1:
  // then there is only a time to wait for.
  int Fd() const { return state_ == State::kResolving ? -1 : Socket(); }
  short PollEvents() const { return EventsAwaited(); }
  TimePoint WakeAt(TimePoint now) const;
  void Advance(bool is_ready, TimePoint now);

  // One per statement of the last Begin. Failures:
  //   UNAVAILABLE        proven: nobody listens there, or the server is shutting down or starting
  //   DEADLINE_EXCEEDED  no answer in time
  //   PERMISSION_DENIED  the server refuses us, or refuses us this
  //   INVALID_ARGUMENT   the connection string
  //   DATA_LOSS          what it was asked for is damaged on its disk
  //   UNKNOWN            everything else
  const database::Answers& Answers() const { return answers_; }

 protected:
  // What a step of an engine's library came to.
  struct Waiting {};
  struct Connected {};
  // The connection cannot be used any more.
  struct Lost {
    absl::Status why;
  };
  using Connecting = std::variant<Waiting, Connected, Lost>;
  using Asking = std::variant<Waiting, absl::StatusOr<Rows>, Lost>;

  Session() = default;

  // The host whose name must be looked up first; empty: none. A failure: the connection string.
  virtual absl::StatusOr<std::string> HostToLookUp() = 0;
  virtual bool HasConnection() const = 0;
  // `addresses`: of HostToLookUp, or none.
  virtual Connecting StartConnecting(const std::vector<std::string>& addresses,
                                     const Deadlines& deadlines) = 0;
  virtual Connecting ContinueConnecting() = 0;
  // The first thing that a connection is asked.
  virtual Statement Preparation(Duration statement_timeout) const = 0;
  virtual Asking StartAsking(const Statement& statement) = 0;
  virtual Asking ContinueAsking() = 0;
  // Also in the middle of a step, and without a connection.
  virtual void Disconnect() = 0;
  // -1 if there is none yet.
  virtual int Socket() const = 0;
  virtual short EventsAwaited() const = 0;

 private:
  enum class State { kIdle, kResolving, kConnecting, kPreparing, kAsking };

  void Connect(TimePoint now);
  void Take(const Connecting& step, TimePoint now);
  void Take(Asking step, TimePoint now);
  void TakeAnswer(absl::StatusOr<Rows> answer, TimePoint now);
  void Ask(const Statement& statement, State state, TimePoint now);
  // A connection kept from before may have died unnoticed: that is no answer, so try once anew.
  void LoseConnection(const absl::Status& why, TimePoint now);
  void Close();

  Resolver resolver_;
  State state_ = State::kIdle;
  bool is_reused_ = false;
  bool is_prepared_ = false;
  Deadlines deadlines_;
  TimePoint total_deadline_;
  TimePoint step_deadline_;
  std::vector<Statement> statements_;
  database::Answers answers_;
};

// Drives all sessions at the same time until each is done, so that a server that hangs delays no
// other. `wake_fd`: when it becomes readable, everything under way is abandoned as CANCELLED.
void RunSessions(const std::vector<Session*>& sessions, const Clock& clock, int wake_fd);

}  // namespace headgate::database
