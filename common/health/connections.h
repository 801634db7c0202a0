// The probes' port itself: takes connections, hands each over, and keeps no more than
// kHealthConnectionsMax, nor one for longer than kHealthConnectionEndMs. A flood of connections
// must not take the descriptors away with which agents come and the journal is written. At the
// bound the oldest is ended: a probe is short, and whoever sits on connections must not keep a
// probe out. A thread of its own from Start to the destructor; `hand_over` and `count_ended` are
// called on it.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"

namespace headgate {

class HealthConnections {
 public:
  struct Duties {
    // Owns `fd` from then on.
    std::function<void(int listener, int fd)> hand_over;
    // One was ended because of a bound.
    std::function<void()> count_ended;
  };

  // Binds; port 0 takes a free one. UNAVAILABLE with the reason.
  static absl::StatusOr<std::unique_ptr<HealthConnections>> Bind(const std::string& address);
  ~HealthConnections();
  HealthConnections(const HealthConnections&) = delete;
  HealthConnections& operator=(const HealthConnections&) = delete;

  int port() const { return port_; }
  // Once.
  void Start(Duties duties);

 private:
  struct Connection {
    // A second descriptor of it: whoever it was handed to closes his without a word.
    int fd = -1;
    std::chrono::steady_clock::time_point since;
  };

  HealthConnections(int listener, int wake, int port);
  void Run();
  void Take();
  void DropEnded();
  void EndOldest();

  const int listener_;
  const int wake_;
  const int port_;
  Duties duties_;
  // Of the thread's; the oldest first.
  std::deque<Connection> connections_;
  std::thread thread_;
};

}  // namespace headgate
