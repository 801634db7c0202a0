// What was decided, newest last, for those who ask: kept beside the journal so that no one waits
// for its disk. Owned by the loop's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "headgate/v1/journal.pb.h"

namespace headgate::conductor {

// Older entries stay in the journal.
inline constexpr std::size_t kTimelineKept = 5'000;

struct TimelineItem {
  // 0 while it is not in the journal.
  std::uint64_t sequence = 0;
  // Without the plan, which each record of a restoration repeats.
  v1::JournalRecord record;
  // One line for people: "18:00:07 admit: 5 % -> 10 % ADMITTING (…)".
  std::string text;
};

class Timeline {
 public:
  // `token` 0: from the journal.
  void Add(v1::JournalRecord record, std::uint64_t sequence, std::uint64_t token);
  void SetSequence(std::uint64_t token, std::uint64_t sequence);
  // The newest `limit` of a gate (all gates where empty), oldest first.
  std::vector<const TimelineItem*> Newest(const std::string& gate, std::size_t limit) const;

 private:
  std::string TextOf(const v1::JournalRecord& record);

  std::deque<TimelineItem> items_;
  // Items before items_.front() that were forgotten; makes indices of tokens stable.
  std::uint64_t forgotten_ = 0;
  std::map<std::uint64_t, std::uint64_t> index_by_token_;
  std::map<std::string, std::uint32_t> last_share_ppm_;
};

}  // namespace headgate::conductor
