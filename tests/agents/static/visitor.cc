#include "tests/agents/static/visitor.h"

#include <fmt/format.h>

#include <utility>

#include "tests/support/process.h"

namespace headgate::test {
namespace {

// Leaves the processors to the others.
constexpr std::chrono::milliseconds kPause{1};

}  // namespace

Visitor::Visitor(std::function<int()> ask) : ask_(std::move(ask)) {
  thread_ = std::thread([this] {
    while (true) {
      const int status = ask_();
      std::unique_lock lock(mutex_);
      ++seen_[status];
      if (leaves_changed_.wait_for(lock, kPause, [this] { return leaves_; })) return;
    }
  });
}

Visitor::~Visitor() {
  {
    const std::lock_guard lock(mutex_);
    leaves_ = true;
  }
  leaves_changed_.notify_all();
  thread_.join();
}

int Visitor::Answers() const {
  const std::lock_guard lock(mutex_);
  int answers = 0;
  for (const auto& [status, count] : seen_) answers += status == 0 ? 0 : count;
  return answers;
}

bool Visitor::Goes(int more) const {
  const int before = Answers();
  return Eventually([&] { return Answers() >= before + more; });
}

int Visitor::Saw(int status) const {
  const std::lock_guard lock(mutex_);
  const auto found = seen_.find(status);
  return found == seen_.end() ? 0 : found->second;
}

bool Visitor::SawOnly(int status) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [seen, count] : seen_) {
    if (seen != status && seen != 0) return false;
  }
  return true;
}

std::string Visitor::ToString() const {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (const auto& [status, count] : seen_) text += fmt::format("{} x {}, ", status, count);
  return text;
}

}  // namespace headgate::test
