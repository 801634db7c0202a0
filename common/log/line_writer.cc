#include "common/log/line_writer.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string_view>
#include <utility>

namespace headgate {
namespace {

// A pipe that poll calls writable takes this much without blocking (PIPE_BUF).
constexpr std::size_t kChunkBytes = 4'096;
constexpr int kPollMillis = 100;
constexpr Duration kFlushAtEndMax{500};

// A write to a pipe without a reader shall fail, not kill: the signal goes to the writing thread.
void BlockSigpipe() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

struct LineWriter::State {
  int fd = 2;
  std::size_t lines_waiting_max = 0;

  std::mutex mutex;
  std::condition_variable changed;
  // Protected by mutex.
  std::deque<std::string> lines;
  bool writing = false;
  bool stopping = false;
  bool finished = false;
  std::uint64_t dropped = 0;
  std::uint64_t reported = 0;
  bool last_was_taken = true;

  bool Stopping() {
    const std::lock_guard lock(mutex);
    return stopping;
  }

  // False if the descriptor is broken, or full while the program ends.
  bool WriteWhole(std::string_view text) {
    while (!text.empty()) {
      pollfd target{fd, POLLOUT, 0};
      const int ready = poll(&target, 1, kPollMillis);
      if (ready == 0 || (ready < 0 && errno == EINTR)) {
        if (Stopping()) return false;
        continue;
      }
      const ssize_t written = write(fd, text.data(), std::min(text.size(), kChunkBytes));
      if (written > 0) {
        text.remove_prefix(static_cast<std::size_t>(written));
      } else if (written < 0 && errno != EINTR && errno != EAGAIN) {
        return false;
      }
    }
    return true;
  }
};

LineWriter::LineWriter(int fd, std::size_t lines_waiting_max) : state_(std::make_shared<State>()) {
  state_->fd = fd;
  state_->lines_waiting_max = lines_waiting_max;
  thread_ = std::thread([state = state_] { Drain(*state); });
}

LineWriter::~LineWriter() {
  bool finished = false;
  {
    std::unique_lock lock(state_->mutex);
    // What waits may go out first; a full descriptor is given up in time.
    state_->changed.wait_for(lock, kFlushAtEndMax / 2,
                             [this] { return state_->lines.empty() && !state_->writing; });
    state_->stopping = true;
    state_->changed.notify_all();
    finished =
        state_->changed.wait_for(lock, kFlushAtEndMax / 2, [this] { return state_->finished; });
  }
  if (finished) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

void LineWriter::Write(std::string line) {
  const std::lock_guard lock(state_->mutex);
  if (state_->lines.size() >= state_->lines_waiting_max) {
    ++state_->dropped;
    return;
  }
  state_->lines.push_back(std::move(line));
  state_->changed.notify_all();
}

std::uint64_t LineWriter::Dropped() const {
  const std::lock_guard lock(state_->mutex);
  return state_->dropped;
}

std::uint64_t LineWriter::TakeUnreported() {
  const std::lock_guard lock(state_->mutex);
  const bool takes = state_->last_was_taken && state_->lines.size() < state_->lines_waiting_max / 2;
  return takes ? state_->dropped - std::exchange(state_->reported, state_->dropped) : 0;
}

bool LineWriter::Flush(Duration patience) {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, patience,
                                  [this] { return state_->lines.empty() && !state_->writing; });
}

void LineWriter::Drain(State& state) {
  BlockSigpipe();
  std::unique_lock lock(state.mutex);
  while (true) {
    state.changed.wait(lock, [&state] { return state.stopping || !state.lines.empty(); });
    if (state.stopping) break;
    std::string line = std::move(state.lines.front());
    state.lines.pop_front();
    state.writing = true;
    lock.unlock();
    const bool written = state.WriteWhole(line);
    lock.lock();
    state.writing = false;
    state.last_was_taken = written;
    if (!written) ++state.dropped;
    state.changed.notify_all();
  }
  state.finished = true;
  state.changed.notify_all();
}

}  // namespace headgate
