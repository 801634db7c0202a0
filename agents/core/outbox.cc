#include "agents/core/outbox.h"

#include <utility>

namespace headgate::agent {
namespace {

bool SameDescription(const Description& a, const Description& b) {
  return a.load_balancer == b.load_balancer && a.admit_by == b.admit_by &&
         a.slow_thresholds_ms == b.slow_thresholds_ms;
}

}  // namespace

void Outbox::Put(GateWord word) {
  {
    const std::lock_guard lock(mutex_);
    const auto [found, is_new] = slots_.try_emplace(word.standing.gate);
    Slot& slot = found->second;
    slot.changed = is_new || slot.changed || !(slot.word.standing == word.standing) ||
                   !SameDescription(slot.word.description, word.description);
    slot.word = std::move(word);
    counted_ = true;
  }
  const std::lock_guard lock(listener_mutex_);
  if (listener_) listener_();
}

void Outbox::Listen(std::function<void()> listener) {
  const std::lock_guard lock(listener_mutex_);
  listener_ = std::move(listener);
}

std::vector<GateWord> Outbox::All() const {
  const std::lock_guard lock(mutex_);
  std::vector<GateWord> words;
  for (const auto& [gate, slot] : slots_) words.push_back(slot.word);
  return words;
}

std::vector<GateWord> Outbox::TakeChanged() {
  const std::lock_guard lock(mutex_);
  std::vector<GateWord> words;
  for (auto& [gate, slot] : slots_) {
    if (slot.changed) words.push_back(slot.word);
    slot.changed = false;
  }
  return words;
}

bool Outbox::TakeCounted() {
  const std::lock_guard lock(mutex_);
  return std::exchange(counted_, false);
}

}  // namespace headgate::agent
