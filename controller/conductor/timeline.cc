#include "controller/conductor/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace headgate::conductor {

std::string Timeline::TextOf(const JournalRecord& record) const {
  const std::string time = FormatTimeOfDay(record.at);
  if (!record.change) {
    return fmt::format("{} reign {} of {} begins", time, record.epoch, record.controller);
  }
  const engine::Cause& cause = record.change->cause;
  const engine::GateRecord& state = record.change->record;
  const auto before = moves_.find(state.gate);
  std::string share = state.share.ToString();
  if (before != moves_.end() && before->second.share != state.share) {
    share = before->second.share.ToString() + " -> " + share;
  }
  std::string text = fmt::format("{} {}: {} at {}", time, state.gate, cause.what, share);
  if (state.restoration) text += fmt::format(", {}", engine::NameOf(state.restoration->phase));
  if (!cause.who.empty()) text += fmt::format(" [{}]", cause.who);
  if (!cause.why.empty()) text += ": " + cause.why;
  return text;
}

void Timeline::KeepMove(const JournalRecord& record) {
  if (!record.change) return;
  const engine::GateRecord& state = record.change->record;
  if (state.is_removed) {
    moves_.erase(state.gate);
    return;
  }
  const auto before = moves_.find(state.gate);
  // Who closes a gate at which nobody is in has closed it nevertheless.
  const bool moves = before == moves_.end() || before->second.share != state.share ||
                     record.change->cause.what == "close";
  if (!moves) return;
  Move move{.share = state.share, .at = record.at, .cause = record.change->cause};
  move.cause.evidence.clear();
  moves_.insert_or_assign(state.gate, std::move(move));
}

const Move* Timeline::LastMove(const std::string& gate) const {
  const auto found = moves_.find(gate);
  return found == moves_.end() ? nullptr : &found->second;
}

void Timeline::Add(const JournalRecord& record, const std::string& payload, std::uint64_t sequence,
                   std::uint64_t token) {
  if (token != 0) index_by_token_[token] = forgotten_ + items_.size();
  items_.push_back({.sequence = sequence,
                    .gate = record.change ? record.change->record.gate : "",
                    .payload = ForTimeline(payload),
                    .text = TextOf(record)});
  KeepMove(record);
  if (items_.size() <= kTimelineKept) return;
  items_.pop_front();
  ++forgotten_;
  // Records that failed are never asked for again.
  std::erase_if(index_by_token_, [&](const auto& entry) { return entry.second < forgotten_; });
}

void Timeline::Repeat(std::uint64_t token, std::uint64_t again) {
  const auto found = index_by_token_.find(token);
  if (found == index_by_token_.end()) return;
  index_by_token_[again] = found->second;
  index_by_token_.erase(token);
}

void Timeline::SetSequence(std::uint64_t token, std::uint64_t sequence) {
  const auto found = index_by_token_.find(token);
  if (found == index_by_token_.end()) return;
  if (found->second >= forgotten_) items_[found->second - forgotten_].sequence = sequence;
  index_by_token_.erase(found);
}

std::vector<const TimelineItem*> Timeline::Newest(const std::string& gate,
                                                  std::size_t limit) const {
  std::vector<const TimelineItem*> newest;
  for (auto item = items_.rbegin(); item != items_.rend() && newest.size() < limit; ++item) {
    if (gate.empty() || item->gate.empty() || item->gate == gate) newest.push_back(&*item);
  }
  std::reverse(newest.begin(), newest.end());
  return newest;
}

}  // namespace headgate::conductor
