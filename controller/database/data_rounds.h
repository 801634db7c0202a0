// The rows of one inventory, compared again and again: what is told of them meanwhile. What one
// round found is told until the next one has passed the same table.
// The functions are pure, any thread. DataRounds belongs to one thread; Interrupt may be called
// from any. Promises: a difference that was told stays told until its table has been compared anew
// to its end; what could not be compared is told, with what to do about it.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "controller/database/inventory.h"

namespace headgate::database {

struct RollingOptions {
  std::uint32_t cpu_share_percent = 20;
  // "schema.table" or "table"; empty: all.
  std::vector<std::string> tables{};
  // From the beginning of one round to that of the next; one that takes longer is followed after a
  // short rest.
  Duration every{60'000};
  // How long readings say that the first whole round is pending; unset: as long as it takes.
  std::optional<Duration> patience{};
  // Where the round under way and what is told are kept over a restart; empty: nowhere.
  std::string state_file{};
  friend bool operator==(const RollingOptions&, const RollingOptions&) = default;
};

// What a reading holds of the data.
struct DataReport {
  std::vector<Finding> findings;
  std::vector<std::string> notes;
  // See Report.
  std::string pending;
  // What stands behind DescribeWhole.
  std::string progress;
  DataStanding standing;
};

class DataRounds {
 public:
  virtual ~DataRounds() = default;

  // The next piece, within its deadlines. Returns how long to rest before the next one.
  virtual Duration Step() = 0;
  virtual DataReport Told() const = 0;
  // The Step under way, and all later ones, return soon.
  virtual void Interrupt() = 0;
};

// What a round has found so far, or in all.
struct RoundFindings {
  std::vector<Finding> findings;
  // Tables that it has compared with all their replicas, to their end.
  std::set<std::string> passed;
};

// Of the round under way, and of the round before what it has not come to again.
std::vector<Finding> MergeRounds(const std::vector<Finding>& earlier, const RoundFindings& round);
// What is left of both when the round has ended. `is_whole`: it compared every table that can be.
// A difference stays where its table could not be compared again; a table that is gone takes its
// findings along.
std::vector<Finding> CloseRound(const std::vector<Finding>& earlier, const RoundFindings& round,
                                bool is_whole);
// Whether it is of rows, or of a table that was not compared, which the operator allows to differ.
bool IsDataAllowed(const std::vector<std::string>& allow, const Finding& finding);
// Moves findings of tables that the operator allows to differ to the notes, and tells of others
// that could not be compared how to go on without them.
void AddAllowance(const std::vector<std::string>& allow, DataReport& report);

// "all compared 12s ago, in 6s", or that they are not. By whoever tells it: a comparison may rest
// for hours, and its words must not stay "0s ago" meanwhile.
std::string DescribeWhole(const DataStanding& standing, TimePoint now);
// "public.orders, 3 of 40 tables, 1.2 M of about 5 M rows, 24 %".
std::string DescribeProgress(const DataStanding& standing);
// For people: whole seconds.
std::string InSeconds(Duration age);
// 0 to 100; 100 only at the end.
int PercentOf(const DataStanding& standing);

}  // namespace headgate::database
