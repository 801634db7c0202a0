#include "controller/journal/sqlite_journal.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <utility>

#include "common/base/duration.h"
#include "controller/journal/sqlite_store.h"

namespace headgate::journal {
namespace {

struct Waiter {
  SqliteStore::NewEntry entry;
  AppendDone done;
};

// A file-size limit of the process shall be an error of the write, not the end of the program.
void BlockSizeSignal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGXFSZ);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

template <typename Result>
Result Within(std::future<Result> result, Duration patience) {
  if (result.wait_for(patience) == std::future_status::ready) return result.get();
  return absl::UnavailableError(
      fmt::format("the journal's disk has not answered for {}: look at the disk, then start the "
                  "controller again",
                  FormatDuration(patience)));
}

using OpenedStore = absl::StatusOr<std::unique_ptr<SqliteStore>>;

// On a thread of its own, which is left behind with the file if the disk hangs.
OpenedStore OpenWithin(const std::string& path, Duration patience) {
  auto promise = std::make_shared<std::promise<OpenedStore>>();
  auto result = promise->get_future();
  std::thread([promise, path] {
    BlockSizeSignal();
    promise->set_value(SqliteStore::Open(path));
  }).detach();
  return Within<OpenedStore>(std::move(result), patience);
}

}  // namespace

struct SqliteJournal::State {
  // Of the start: how long the disk may take.
  Duration patience{};
  // Of the writing thread.
  std::unique_ptr<SqliteStore> store;

  std::mutex mutex;
  std::condition_variable changed;
  // Protected by mutex.
  std::deque<Waiter> waiters;
  std::deque<std::function<void(SqliteStore&)>> calls;
  std::size_t unanswered = 0;
  bool stopping = false;
  bool left_behind = false;
  bool answering = false;
  bool finished = false;

  // Runs `call` on the writing thread and waits for its result, as long as `patience` lasts.
  template <typename Result>
  Result Call(std::function<Result(SqliteStore&)> call) {
    auto promise = std::make_shared<std::promise<Result>>();
    auto result = promise->get_future();
    {
      const std::lock_guard lock(mutex);
      calls.emplace_back([promise, call = std::move(call)](SqliteStore& of_writer) {
        promise->set_value(call(of_writer));
      });
      changed.notify_all();
    }
    return Within<Result>(std::move(result), patience);
  }

  // The mutex is held on entry and on return, and not in between.
  void AppendGroup(std::unique_lock<std::mutex>& lock) {
    const auto end =
        waiters.begin() + static_cast<std::ptrdiff_t>(std::min(waiters.size(), kGroupMax));
    std::vector<SqliteStore::NewEntry> entries;
    std::vector<AppendDone> dones;
    for (auto waiter = waiters.begin(); waiter != end; ++waiter) {
      entries.push_back(std::move(waiter->entry));
      dones.push_back(std::move(waiter->done));
    }
    waiters.erase(waiters.begin(), end);
    lock.unlock();
    auto answers = store->AppendGroup(entries);
    lock.lock();
    unanswered -= dones.size();
    if (left_behind) return;
    answering = true;
    lock.unlock();
    for (std::size_t i = 0; i < dones.size(); ++i) dones[i](std::move(answers[i]));
    // What the answers captured dies before the destructor can return.
    dones.clear();
    lock.lock();
    answering = false;
  }
};

absl::StatusOr<std::unique_ptr<SqliteJournal>> SqliteJournal::Open(const std::string& path,
                                                                   Duration patience) {
  auto store = OpenWithin(path, patience);
  if (!store.ok()) return store.status();
  auto state = std::make_shared<State>();
  state->patience = patience;
  state->store = *std::move(store);
  return std::unique_ptr<SqliteJournal>(new SqliteJournal(std::move(state)));
}

SqliteJournal::SqliteJournal(std::shared_ptr<State> state) : state_(std::move(state)) {
  writer_ = std::thread([shared = state_] { Write(*shared); });
}

SqliteJournal::~SqliteJournal() {
  bool finished = false;
  {
    std::unique_lock lock(state_->mutex);
    state_->stopping = true;
    state_->changed.notify_all();
    finished = state_->changed.wait_for(lock, kCloseMax, [this] { return state_->finished; });
    state_->left_behind = !finished;
    // Answers that are under way are ours, and quick.
    state_->changed.wait(lock, [this] { return !state_->answering; });
    if (!finished) state_->waiters.clear();
  }
  if (finished) {
    writer_.join();
  } else {
    writer_.detach();
  }
}

absl::StatusOr<std::vector<Entry>> SqliteJournal::ReadAll() {
  return state_->Call<absl::StatusOr<std::vector<Entry>>>(
      [](SqliteStore& store) { return store.ReadAll(); });
}

absl::Status SqliteJournal::BeginReign(std::uint64_t epoch) {
  return state_->Call<absl::Status>(
      [epoch](SqliteStore& store) { return store.BeginReign(epoch); });
}

absl::Status SqliteJournal::ProveWritable() {
  return state_->Call<absl::Status>([](SqliteStore& store) { return store.ProveWritable(); });
}

void SqliteJournal::Append(std::uint64_t epoch, std::string payload, AppendDone done) {
  if (payload.size() > kPayloadBytesMax) {
    done(
        absl::InvalidArgumentError(fmt::format("a journal entry of {} bytes is refused; it has at "
                                               "most {}",
                                               payload.size(), kPayloadBytesMax)));
    return;
  }
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->unanswered < kAppendsWaitingMax) {
      ++state_->unanswered;
      state_->waiters.push_back({{epoch, std::move(payload)}, std::move(done)});
      state_->changed.notify_all();
      return;
    }
  }
  done(absl::ResourceExhaustedError(fmt::format(
      "{} journal entries wait for the disk already; look at the disk", kAppendsWaitingMax)));
}

std::size_t SqliteJournal::Waiting() const {
  const std::lock_guard lock(state_->mutex);
  return state_->unanswered;
}

void SqliteJournal::Write(State& state) {
  BlockSizeSignal();
  std::unique_lock lock(state.mutex);
  while (true) {
    state.changed.wait(lock, [&state] {
      return state.stopping || !state.waiters.empty() || !state.calls.empty();
    });
    if (!state.calls.empty()) {
      const auto call = std::move(state.calls.front());
      state.calls.pop_front();
      lock.unlock();
      call(*state.store);
      lock.lock();
    } else if (!state.waiters.empty() && !state.left_behind) {
      state.AppendGroup(lock);
      state.changed.notify_all();
    } else {
      break;
    }
  }
  lock.unlock();
  // Closing writes the log back into the file: it belongs to the thread that may hang.
  state.store.reset();
  lock.lock();
  state.finished = true;
  state.changed.notify_all();
}

}  // namespace headgate::journal
