#include "controller/conductor/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/clock.h"
#include "common/base/share.h"

namespace headgate::conductor {
namespace {

const char* PhaseOf(const v1::GateRecord& gate) {
  if (!gate.has_restoration()) return "";
  switch (gate.restoration().phase_case()) {
    case v1::RestorationRecord::kPreflight:
      return "PREFLIGHT";
    case v1::RestorationRecord::kWaitingForApproval:
      return "WAITING_FOR_APPROVAL";
    case v1::RestorationRecord::kAdmitting:
      return "ADMITTING";
    case v1::RestorationRecord::kHolding:
      return "HOLDING";
    case v1::RestorationRecord::kRetreating:
      return "RETREATING";
    case v1::RestorationRecord::kCuring:
      return "CURING";
    case v1::RestorationRecord::kWatching:
      return "WATCHING";
    case v1::RestorationRecord::kCompleted:
      return "COMPLETED";
    case v1::RestorationRecord::kAborted:
      return "ABORTED";
    case v1::RestorationRecord::kFailed:
      return "FAILED";
    case v1::RestorationRecord::PHASE_NOT_SET:
      break;
  }
  return "";
}

}  // namespace

std::string Timeline::TextOf(const v1::JournalRecord& record) {
  const std::string time = FormatTimeOfDay(FromUnixMillis(record.at_unix_ms()));
  if (record.has_reign_began()) {
    return fmt::format("{} reign {} of {} begins", time, record.epoch(),
                       record.reign_began().controller());
  }
  const v1::Cause& cause = record.gate_changed().cause();
  const v1::GateRecord& state = record.gate_changed().state();
  const auto before = last_share_ppm_.find(state.gate());
  std::string share = FormatPpm(state.share_ppm());
  if (before != last_share_ppm_.end() && before->second != state.share_ppm()) {
    share = FormatPpm(before->second) + " -> " + share;
  }
  last_share_ppm_[state.gate()] = state.share_ppm();
  std::string text = fmt::format("{} {}: {} at {}", time, state.gate(), cause.what(), share);
  if (*PhaseOf(state) != '\0') text += fmt::format(", {}", PhaseOf(state));
  if (!cause.who().empty()) text += fmt::format(" [{}]", cause.who());
  if (!cause.why().empty()) text += ": " + cause.why();
  return text;
}

void Timeline::Add(v1::JournalRecord record, std::uint64_t sequence, std::uint64_t token) {
  TimelineItem item{.sequence = sequence, .record = {}, .text = TextOf(record)};
  if (record.has_gate_changed() && record.gate_changed().state().has_restoration()) {
    record.mutable_gate_changed()->mutable_state()->mutable_restoration()->clear_plan();
  }
  item.record = std::move(record);
  if (token != 0) index_by_token_[token] = forgotten_ + items_.size();
  items_.push_back(std::move(item));
  if (items_.size() <= kTimelineKept) return;
  items_.pop_front();
  ++forgotten_;
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
    const bool is_of_gate =
        !item->record.has_gate_changed() || item->record.gate_changed().state().gate() == gate;
    if (gate.empty() || is_of_gate) newest.push_back(&*item);
  }
  std::reverse(newest.begin(), newest.end());
  return newest;
}

}  // namespace headgate::conductor
