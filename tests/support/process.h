// A child process of a test. Whoever made it owns it; any one thread at a time. Promises: it is
// stopped by its pid (SIGTERM, then SIGKILL) and reaped when this object dies, and dies with the
// test itself if that is killed.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace headgate::test {

class Process {
 public:
  static constexpr std::chrono::milliseconds kStopPatience{5000};

  struct Options {
    std::vector<std::string> argv;
    // "NAME=value", added to the test's own.
    std::vector<std::string> environment{};
    // Runs in the child, before exec: only async-signal-safe calls.
    std::function<void()> before_exec{};
  };

  // Aborts the test if it cannot be started at all; a program that is not there exits with 127.
  explicit Process(Options options);
  explicit Process(std::vector<std::string> argv) : Process(Options{std::move(argv)}) {}
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  pid_t pid() const { return pid_; }
  bool IsRunning();
  // After SIGSTOP it returns when every thread has stopped: one that is on a processor would still
  // send an answer.
  void Signal(int signal) const;
  // The exit code, or 128 + the signal; unset if it still runs after `patience`.
  std::optional<int> Wait(std::chrono::milliseconds patience);
  // SIGTERM, then SIGKILL after kStopPatience.
  int Stop();
  // What it wrote to stdout and stderr so far.
  std::string Output() const;
  std::string Stdout() const;

 private:
  pid_t pid_ = -1;
  int stdout_fd_ = -1;
  int stderr_fd_ = -1;
  std::optional<int> exit_code_;
};

// Runs to its end: a program that is still there after `patience` is killed, and its code is 137.
struct Finished {
  int exit_code = 0;
  std::string standard_output;
  std::string output;
};
Finished RunToEnd(std::vector<std::string> argv,
                  std::chrono::milliseconds patience = std::chrono::seconds(60));

// A port on 127.0.0.1 that nobody listens on; never the same twice in one process.
std::uint16_t FreePort();

// True as soon as `condition` is; false if it never was within `patience`. It asks every 5 ms.
bool Eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds patience = std::chrono::seconds(30));

}  // namespace headgate::test
