// Lets a follower's thread wait until a time, until it is nudged, or until it must end.
// Thread-safe. Promises: Stop ends every wait at once, and all later ones.
#pragma once

#include <condition_variable>
#include <mutex>

#include "common/base/clock.h"

namespace headgate::signals {

class Pause {
 public:
  // False: it is over, end. A nudge before the call counts, once.
  bool Until(TimePoint at, const Clock& clock);
  // The same, whatever nudges come: they count for the next Until.
  bool Gap(TimePoint at, const Clock& clock);
  void Nudge();
  void Stop();
  bool IsStopped() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Protected by mutex_.
  bool is_nudged_ = false;
  bool is_stopped_ = false;
};

}  // namespace headgate::signals
