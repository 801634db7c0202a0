// Gates that are no more: their last record reaches the journal, however often it fails, or the
// next reign would have them again, at the share that they had.
#include <algorithm>
#include <string>
#include <utility>

#include "controller/engine/engine.h"
#include "controller/engine/turn.h"

namespace headgate::engine {

void Turn::RecordRemoval(Gate& gate, Cause cause) {
  HandRemovalsToJournal();
  state_.next_revision = std::max(state_.next_revision, gate.next_revision);
  Removal& removal = state_.removals[gate.record.gate];
  removal = {.token = state_.next_token++,
             .last = gate.record,
             .cause = std::move(cause),
             .record_again = {}};
  removal.last.is_removed = true;
  gate.newest_token = removal.token;
  actions_.emplace_back(Record{removal.token, removal.last, removal.cause, 0});
}

bool Turn::OnRemovalRecorded(const std::string& gate, std::uint64_t token) {
  const auto found = state_.removals.find(gate);
  if (found == state_.removals.end() || found->second.token != token) return false;
  state_.removals.erase(found);
  if (state_.leads) state_.journal_trouble.clear();
  return true;
}

bool Turn::OnRemovalFailed(const std::string& gate, std::uint64_t token, const std::string& why) {
  const auto found = state_.removals.find(gate);
  if (found == state_.removals.end() || found->second.token != token) return false;
  state_.journal_trouble = why;
  found->second.record_again = now_ + kRecordAgainAfter;
  return true;
}

void Turn::RecordRemovalsAgain() {
  for (const auto& [name, removal] : state_.removals) {
    if (!removal.record_again || now_ < *removal.record_again) continue;
    HandRemovalsToJournal();
    return;
  }
}

void Turn::HandRemovalsToJournal() {
  for (auto& [name, removal] : state_.removals) {
    if (!removal.record_again) continue;
    removal.record_again.reset();
    const std::uint64_t failed = std::exchange(removal.token, state_.next_token++);
    actions_.emplace_back(Record{removal.token, removal.last, removal.cause, failed});
  }
}

}  // namespace headgate::engine
