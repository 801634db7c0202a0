// One connection to a PostgreSQL server, asynchronous, on its event loop's thread. It connects by
// itself once and never again: when it is lost, its owner makes another. Each query is answered
// exactly once, unless the connection is destroyed first. A callback may destroy the connection.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/support/net/event_loop.h"

struct pg_conn;

namespace headgate::shop {

using Rows = std::vector<std::vector<std::string>>;

struct Query {
  std::string sql;
  std::vector<std::string> parameters;
};

class DatabaseConnection {
 public:
  // A query or a connection attempt that takes longer is given up, and the connection with it.
  static constexpr std::chrono::seconds kAnswerMax{5};

  // INTERNAL: the server refused the statement, in its own words. UNAVAILABLE: no server.
  using Done = std::function<void(absl::StatusOr<Rows> rows)>;

  struct Events {
    std::function<void()> ready;
    // Not where a query was told so, and not for a destruction.
    std::function<void(const std::string& why)> lost;
  };

  DatabaseConnection(support::EventLoop& loop, const std::string& dsn, Events events);
  ~DatabaseConnection();
  DatabaseConnection(const DatabaseConnection&) = delete;
  DatabaseConnection& operator=(const DatabaseConnection&) = delete;

  // Only after `ready`, and only one at a time.
  void Ask(const Query& query, Done done);

 private:
  enum class State { kConnecting, kIdle, kAsking, kLost };

  void Step(std::uint32_t events);
  void StepConnecting();
  void StepAsking();
  void Await(std::uint32_t events);
  void Lose(const std::string& why);

  support::EventLoop& loop_;
  const Events events_;
  pg_conn* connection_ = nullptr;
  State state_ = State::kConnecting;
  int watched_fd_ = -1;
  std::uint32_t watched_events_ = 0;
  std::optional<support::EventLoop::Timer> deadline_;
  Done done_;
  std::optional<absl::StatusOr<Rows>> answer_;
};

}  // namespace headgate::shop
