// A person who presses reload all the time. Its own thread; any one other thread calls it.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace headgate::test {

class Visitor {
 public:
  // `ask` returns a status, 0 if there was no answer.
  explicit Visitor(std::function<int()> ask);
  ~Visitor();
  Visitor(const Visitor&) = delete;
  Visitor& operator=(const Visitor&) = delete;

  // Waits for so many more answers, whichever they are; false if they do not come.
  bool Goes(int more) const;
  // How often that status came so far.
  int Saw(int status) const;
  // "200 x 17, 503 x 2".
  std::string ToString() const;
  // Nothing but this was seen; without an answer it may be.
  bool SawOnly(int status) const;
  bool SawNoGap() const { return Saw(0) == 0; }

 private:
  int Answers() const;

  const std::function<int()> ask_;
  mutable std::mutex mutex_;
  std::condition_variable leaves_changed_;
  // Protected by mutex_.
  bool leaves_ = false;
  std::map<int, int> seen_;
  std::thread thread_;
};

}  // namespace headgate::test
