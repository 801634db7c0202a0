// What is known of the watched databases, and since when: each check's verdict and each finding,
// and what changed. Pure: time is a parameter; one thread at a time. Promises: a verdict that did
// not change keeps its time, over restarts too; memory is bounded.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "controller/database/inventory.h"
#include "controller/watch/checks.h"

namespace headgate::watch {

// Times are the wall clock's: they are for people, and outlive a restart.
struct Change {
  TimePoint at;
  std::string database;
  Check check = Check::kServers;
  // Unset: it was not watched before.
  std::optional<Verdict> from;
  Verdict to = Verdict::kHealthy;
  std::string why;
  friend bool operator==(const Change&, const Change&) = default;
};

struct CheckHistory {
  Standing standing;
  // When it became what it is.
  TimePoint since;
  // When it was looked at first, as far back as the history goes.
  TimePoint first_seen;
};

struct KnownFinding {
  database::Finding finding;
  TimePoint since;
};

struct Known {
  std::map<Check, CheckHistory> checks;
  std::vector<KnownFinding> findings;
  std::vector<std::string> notes;
  Duration lag{0};
  // How far the comparison of rows is; unset: they are not compared.
  std::optional<database::DataStanding> data;
  // When its newest whole round ended.
  std::optional<TimePoint> last_round;
  std::optional<TimePoint> last_look;
  // The last look said something of every check: else the whole is not healthy.
  bool is_whole = false;
  // When all that was asked was last known.
  std::optional<TimePoint> last_success;
};

class History {
 public:
  // Of all databases together; beyond, the oldest is forgotten.
  static constexpr std::size_t kChangesMax = 1'000;

  // What an earlier run wrote down, oldest first.
  void Restore(const Change& change);
  // The changes that this report makes.
  std::vector<Change> Take(const std::string& database, const database::Report& report,
                           TimePoint now);

  const std::map<std::string, Known>& databases() const { return databases_; }
  // Oldest first.
  const std::deque<Change>& changes() const { return changes_; }

 private:
  void Keep(const Change& change);
  static void TakeFindings(Known& known, const database::Report& report, TimePoint now);

  std::map<std::string, Known> databases_;
  std::deque<Change> changes_;
};

}  // namespace headgate::watch
