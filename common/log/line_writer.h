// Writes lines to a file descriptor that it does not own, on its own thread.
// Thread-safe. Promises: Write never blocks on the descriptor; one that is full, closed or broken
// costs lines, which are counted, and nothing else; no SIGPIPE; the destructor takes 0.5 s at most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "common/base/clock.h"

namespace headgate {

class LineWriter {
 public:
  LineWriter(int fd, std::size_t lines_waiting_max);
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // `line` ends in '\n'.
  void Write(std::string line);
  // Lines lost since the start.
  std::uint64_t Dropped() const;
  // Lines lost since the last call; 0, and they stay to be taken, while the descriptor takes none.
  std::uint64_t TakeUnreported();
  bool Flush(Duration patience);

 private:
  struct State;
  static void Drain(State& state);

  // Shared with the thread, which is left to itself if a write hangs for good: the other end may
  // never read again, and a program that ends must end.
  const std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace headgate
