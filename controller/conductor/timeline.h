// What was decided, newest last, for those who ask: kept beside the journal so that no one waits
// for its disk. Owned by the loop's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/share.h"
#include "controller/conductor/codec.h"
#include "controller/engine/record.h"

namespace headgate::conductor {

// Older entries stay in the journal.
inline constexpr std::size_t kTimelineKept = 5'000;

struct TimelineItem {
  // 0 while it is not in the journal.
  std::uint64_t sequence = 0;
  // Empty: of all gates.
  std::string gate;
  // As ForTimeline makes it.
  std::string payload;
  // One line for people: "18:00:07 shop: admit at 5 % -> 10 %, ADMITTING: …".
  std::string text;
};

// What moved a gate's share last, or closed it.
struct Move {
  Share share;
  TimePoint at;
  // Without its evidence.
  engine::Cause cause;
};

class Timeline {
 public:
  // `token` 0: from the journal.
  void Add(const JournalRecord& record, const std::string& payload, std::uint64_t sequence,
           std::uint64_t token);
  // What was added under `token` is tried again under `again`.
  void Repeat(std::uint64_t token, std::uint64_t again);
  void SetSequence(std::uint64_t token, std::uint64_t sequence);
  // The newest `limit` of a gate (all gates where empty), oldest first.
  std::vector<const TimelineItem*> Newest(const std::string& gate, std::size_t limit) const;

  // Null where nothing is known of it. It may be a raise that waits to be recorded.
  const Move* LastMove(const std::string& gate) const;

 private:
  std::string TextOf(const JournalRecord& record) const;
  void KeepMove(const JournalRecord& record);

  std::deque<TimelineItem> items_;
  // Items before items_.front() that were forgotten; makes indices of tokens stable.
  std::uint64_t forgotten_ = 0;
  std::map<std::uint64_t, std::uint64_t> index_by_token_;
  std::map<std::string, Move> moves_;
};

}  // namespace headgate::conductor
