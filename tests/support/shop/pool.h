// A pool of connections to several servers, used in turn, with a queue for those who wait: the
// shop's knee. It lives on its event loop's thread. Every query is answered exactly once; size and
// servers can be changed while it works.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/net/event_loop.h"
#include "tests/support/shop/database_connection.h"
#include "tests/support/shop/shop_config.h"

namespace headgate::shop {

class Pool {
 public:
  struct Settings {
    // Not empty.
    std::vector<Replica> servers;
    int size = 1;
    std::chrono::milliseconds hold{0};
    int queue = 0;
    std::chrono::milliseconds queue_timeout{500};
  };
  static constexpr std::chrono::milliseconds kReconnectAfter{200};

  // INTERNAL: the server refused the statement. UNAVAILABLE: the server went away meanwhile.
  // DEADLINE_EXCEEDED: no connection within queue_timeout. RESOURCE_EXHAUSTED: the queue is full.
  // `server` names who answered; empty where nobody was asked.
  struct Answer {
    absl::StatusOr<Rows> rows;
    std::string server;
  };
  using Done = std::function<void(const Answer& answer)>;

  Pool(support::EventLoop& loop, Settings settings);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void Ask(Query query, Done done);

  // Connections that are not wanted any more go as soon as they are free.
  void Apply(Settings settings);

  int size() const { return settings_.size; }
  int in_use() const { return in_use_; }
  int waiting() const { return static_cast<int>(queue_.size()); }
  // Connections to that server that stand, those on their way out included.
  int Connected(const std::string& server) const;

 private:
  struct Slot {
    Replica server;
    bool wanted = true;
    bool ready = false;
    bool busy = false;
    std::unique_ptr<DatabaseConnection> connection;
  };
  using SlotNumber = std::uint64_t;
  struct Waiting {
    Query query;
    Done done;
    support::EventLoop::Timer deadline;
  };

  void Fill();
  void Connect(SlotNumber number);
  void OnLost(SlotNumber number);
  void Serve();
  void Use(SlotNumber number, Query query, Done done);
  void OnAnswer(SlotNumber number, absl::StatusOr<Rows> rows, const Done& done);
  void Release(SlotNumber number);

  support::EventLoop& loop_;
  Settings settings_;
  std::map<SlotNumber, Slot> slots_;
  std::deque<SlotNumber> idle_;
  std::map<std::uint64_t, Waiting> queue_;  // by arrival
  SlotNumber slots_made_ = 0;
  std::uint64_t arrivals_ = 0;
  std::size_t next_server_ = 0;
  int in_use_ = 0;
  // Timers outlive what they were made for; they ask this whether the pool still lives.
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace headgate::shop
