// Compares the rows of the tables of one inventory, piece by piece, between the primary and all its
// replicas at once: so that `dbcheck` can run it to its end, and a background thread a little at a
// time.
// One thread owns it. Promises: a Step asks for one chunk (and what is needed to settle it) within
// its deadlines, whatever the servers do; nothing is written to any server; what it calls different
// was confirmed while writes went on; what could not be compared is a finding, never silence; a
// replica that dies is told and the others go on.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "controller/database/checksum_dialect.h"
#include "controller/database/chunker.h"
#include "controller/database/comparison_state.h"
#include "controller/database/inventory.h"
#include "controller/database/row_check.h"
#include "controller/database/servers.h"
#include "controller/database/table_plan.h"

namespace headgate::database {

struct ComparisonOptions {
  // "schema.table" or "table"; empty: all.
  std::vector<std::string> tables;
  // The tables with the fewest rows come first, those named here before all: whoever waits knows
  // of most tables soon. Otherwise in the order of their names.
  bool smallest_first = false;
  std::set<std::string> first{};
  // Of one core of the busiest server, 1 to 100 %.
  std::uint32_t cpu_share_percent = 20;
  Session::Deadlines deadlines{
      .connect = Duration(3'000), .statement = Duration(10'000), .total = Duration(20'000)};
  RowCheck::Patience patience{};
};

struct ComparisonProgress {
  // Under way; empty: none yet, or all done.
  std::string table;
  std::size_t tables_done = 0;
  std::size_t tables = 0;
  std::uint64_t rows_done = 0;
  // By the primary's statistics, in all; never below `rows_done`.
  std::uint64_t rows_estimated = 0;
};

class DataComparison {
 public:
  // More rows of one replica are counted, not told.
  static constexpr std::size_t kRowsToldMax = 20;
  // Kept with their keys, of one replica.
  static constexpr std::size_t kDifferencesMax = 1'000;
  // Of one table and replica; where more differ, the rest of its chunks are only counted.
  static constexpr std::uint64_t kConfirmedMax = 200;
  // Rows that wait to be looked at again.
  static constexpr std::size_t kSuspectsMax = 256;
  // A server that fails to answer for one chunk is asked again this often.
  static constexpr int kAttemptsMax = 3;

  DataComparison(const Inventory& inventory, ComparisonOptions options,
                 const ChecksumDialect& dialect, Servers& servers, const Clock& clock);

  // Before the first Step. INVALID_ARGUMENT: not a state, or of another inventory.
  absl::Status Resume(const std::string& state);
  // At any time between two Steps.
  std::string Save() const;

  // The next piece. Returns how long to rest before the next one. Once the servers are interrupted
  // it does nothing, and loses nothing that Save would need.
  Duration Step();
  bool IsDone() const { return is_done_; }

  ComparisonProgress Progress() const;
  // So far. Findings of kind "data" and "damaged".
  std::vector<Finding> Findings() const;
  const std::vector<RowDifference>& Differences() const { return state_.differences; }
  // Tables that were compared with all their replicas, to their end.
  std::size_t TablesCompared() const { return state_.done.size(); }
  // Their names: of those with several plans, once all are done.
  std::set<std::string> TablesPassed() const;
  // What kept it from comparing all that can be compared: a run that goes on from here may do
  // better. Empty: nothing so far.
  const std::string& Hindrance() const { return hindrance_; }
  // Servers that do not answer, of its findings; and which replicas are asked nothing any more.
  const std::vector<Finding>& Silences() const { return silences_; }
  const std::set<std::string>& Dropped() const { return dropped_; }

 private:
  // What the servers said of one range.
  struct Sums {
    absl::StatusOr<Sum> primary;
    std::map<std::string, absl::StatusOr<Sum>> replicas;
    absl::StatusOr<Bound> next;
  };

  void ReadTables();
  const TablePlan& Table() const { return plans_.at(at_); }
  void EnterTable();
  void BeginTable();
  void FinishTable(bool is_whole);
  Duration FirstBound();
  Duration NextChunk();
  std::size_t RowsWanted() const;
  std::vector<std::string> Asked() const;

  Sums Ask(const KeyRange& range, const std::vector<std::string>& replicas,
           const KeyRange& next_range, std::size_t next_rows);
  // False: the chunk is asked for again, or given up.
  bool AreUsable(const Sums& sums);
  bool PrimaryFailed(const absl::Status& status);
  void ReplicaFailed(const std::string& replica, const absl::Status& status);
  void Drop(const std::string& replica, const absl::Status& status);

  void Narrow(const KeyRange& range, const Sums& sums, std::set<std::string> replicas);
  // Rows of the range that differ become suspects.
  void List(const KeyRange& range, const std::set<std::string>& replicas);
  bool IsEnough(const std::string& replica) const;
  void LeaveOut(const std::string& replica, const Sums& sums);
  void LeaveOutRest(const KeyRange& rest, const std::vector<std::string>& replicas);
  void CheckSuspects();
  void Tell(const RowDifference& row);
  void TellRest(const std::string& replica, const TableTally& tally);
  // What stays true when another run goes on from here.
  void Settle(Severity severity, const std::string& replica, const std::string& what);
  // What another run would find out for itself, or not meet any more: of a server; of the table.
  void NoteSilence(const std::string& server, const std::string& what);
  Finding Noted(Severity severity, const std::string& server, const std::string& what) const;
  void NoteUnread(const std::string& server, const absl::Status& status);
  std::size_t PlansLeft(const std::string& replica) const;
  void SortPlans();
  void CountTables();

  const Inventory& inventory_;
  const ComparisonOptions options_;
  const ChecksumDialect& dialect_;
  Servers& servers_;
  const Clock& clock_;
  RowCheck check_;
  Throttle throttle_;
  ChunkSize size_;
  // Of the table under way.
  Density density_{""};

  ComparisonState state_;
  std::map<std::string, ServerRole> roles_;
  std::vector<TablePlan> plans_;
  // From each plan on, and none behind the last: one that replicas have different columns of has
  // several plans, and is one table. Counted once, since progress is asked for at each chunk.
  std::vector<std::size_t> tables_left_{0};
  std::vector<Finding> noted_;
  std::vector<Finding> silences_;
  std::string hindrance_;
  bool has_tables_ = false;
  bool is_done_ = false;
  std::size_t at_ = 0;
  // The last key of the chunk that comes; nullopt: it is the last.
  std::optional<Key> bound_;
  bool has_bound_ = false;
  // Replicas that are not asked any more; and not about this table.
  std::set<std::string> dropped_;
  std::set<std::string> skipped_;
  // Of the table under way, parts were compared without one of its replicas.
  bool is_partial_ = false;
  // In a row, by server.
  std::map<std::string, int> failures_;
  // A replica that was too slow for this chunk is asked for a part of it: it has far more rows.
  bool is_cut_ = false;
};

}  // namespace headgate::database
