// Looks at the share file and lowers what is in memory to what it says, never up: so that a word on
// the box is obeyed even while the agent's keeper hangs. A thread of its own, because a disk may
// hang too.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "agents/endpoint/admission.h"
#include "common/base/clock.h"

namespace headgate::endpoint {

class Follower {
 public:
  static constexpr Duration kEvery{250};

  Follower(std::string path, Admission& admission);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // At once. Any thread.
  void Look();

 private:
  void Run();

  const std::string path_;
  Admission& admission_;
  std::mutex mutex_;
  std::condition_variable wake_;
  // Protected by mutex_.
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace headgate::endpoint
