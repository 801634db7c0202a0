#include "tests/support/shop/pool.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "fmt/format.h"

namespace headgate::shop {

Pool::Pool(support::EventLoop& loop, Settings settings)
    : loop_(loop), settings_(std::move(settings)) {
  Fill();
}

Pool::~Pool() {
  *alive_ = false;
  for (const auto& [arrival, waiting] : queue_) loop_.Cancel(waiting.deadline);
}

void Pool::Ask(Query query, Done done) {
  if (!idle_.empty()) {
    const SlotNumber number = idle_.front();
    idle_.pop_front();
    Use(number, std::move(query), std::move(done));
    return;
  }
  if (queue_.size() >= static_cast<std::size_t>(settings_.queue)) {
    done({.rows = absl::ResourceExhaustedError(
              fmt::format("{} requests wait for a connection already", queue_.size())),
          .server = ""});
    return;
  }
  const std::uint64_t arrival = ++arrivals_;
  const auto deadline = loop_.After(settings_.queue_timeout, [this, arrival] {
    const auto node = queue_.extract(arrival);
    node.mapped().done({.rows = absl::DeadlineExceededError(fmt::format(
                            "no connection within {} ms", settings_.queue_timeout.count())),
                        .server = ""});
  });
  queue_.emplace(arrival,
                 Waiting{.query = std::move(query), .done = std::move(done), .deadline = deadline});
}

void Pool::Apply(Settings settings) {
  settings_ = std::move(settings);
  int kept = 0;
  for (auto it = slots_.begin(); it != slots_.end();) {
    Slot& slot = it->second;
    const bool known = std::find(settings_.servers.begin(), settings_.servers.end(), slot.server) !=
                       settings_.servers.end();
    slot.wanted = slot.wanted && known && kept < settings_.size;
    kept += slot.wanted ? 1 : 0;
    if (slot.wanted || slot.busy) {
      ++it;
      continue;
    }
    std::erase(idle_, it->first);
    it = slots_.erase(it);
  }
  Fill();
}

int Pool::Connected(const std::string& server) const {
  return static_cast<int>(std::count_if(slots_.begin(), slots_.end(), [&](const auto& entry) {
    return entry.second.ready && entry.second.server.name == server;
  }));
}

void Pool::Fill() {
  auto wanted = std::count_if(slots_.begin(), slots_.end(),
                              [](const auto& entry) { return entry.second.wanted; });
  for (; wanted < settings_.size; ++wanted) {
    const Replica& server = settings_.servers[next_server_++ % settings_.servers.size()];
    const SlotNumber number = ++slots_made_;
    slots_[number].server = server;
    Connect(number);
  }
}

void Pool::Connect(SlotNumber number) {
  Slot& slot = slots_.at(number);
  slot.connection = std::make_unique<DatabaseConnection>(
      loop_, slot.server.dsn,
      DatabaseConnection::Events{.ready =
                                     [this, number] {
                                       slots_.at(number).ready = true;
                                       Release(number);
                                     },
                                 .lost = [this, number](const std::string&) { OnLost(number); }});
}

void Pool::OnLost(SlotNumber number) {
  Slot& slot = slots_.at(number);
  slot.ready = false;
  std::erase(idle_, number);
  if (!slot.wanted) {
    slots_.erase(number);
    return;
  }
  loop_.After(kReconnectAfter, [this, number, alive = alive_] {
    if (*alive && slots_.contains(number)) Connect(number);
  });
}

void Pool::Serve() {
  while (!queue_.empty() && !idle_.empty()) {
    const SlotNumber number = idle_.front();
    idle_.pop_front();
    auto node = queue_.extract(queue_.begin());
    loop_.Cancel(node.mapped().deadline);
    Use(number, std::move(node.mapped().query), std::move(node.mapped().done));
  }
}

void Pool::Use(SlotNumber number, Query query, Done done) {
  Slot& slot = slots_.at(number);
  HEADGATE_CHECK(slot.ready && !slot.busy);
  slot.busy = true;
  ++in_use_;
  slot.connection->Ask(query, [this, number, done = std::move(done)](absl::StatusOr<Rows> rows) {
    OnAnswer(number, std::move(rows), done);
  });
}

void Pool::OnAnswer(SlotNumber number, absl::StatusOr<Rows> rows, const Done& done) {
  // Copied: releasing the slot may destroy the connection and with it the callback.
  const Done answer = done;
  const std::string server = slots_.at(number).server.name;
  if (rows.ok() && settings_.hold.count() > 0) {
    loop_.After(settings_.hold,
                [this, number, answer, server, alive = alive_, rows = std::move(rows)] {
                  if (!*alive) return;
                  Release(number);
                  answer({.rows = rows, .server = server});
                });
    return;
  }
  if (absl::IsUnavailable(rows.status())) {
    slots_.at(number).busy = false;
    --in_use_;
    OnLost(number);
  } else {
    Release(number);
  }
  answer({.rows = std::move(rows), .server = server});
}

void Pool::Release(SlotNumber number) {
  Slot& slot = slots_.at(number);
  if (std::exchange(slot.busy, false)) --in_use_;
  if (!slot.wanted) {
    slots_.erase(number);
    return;
  }
  idle_.push_back(number);
  Serve();
}

}  // namespace headgate::shop
