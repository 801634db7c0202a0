// Rows that seem to differ between the primary and its replicas, looked at again while writes go
// on: on the primary, on the replica once it has replayed what the primary had written by then, and
// on the primary again. Where the row did not move on the primary meanwhile, the replica must show
// it as it is; where it moved, that look proves nothing and the next one is taken.
// Judging is pure. RowCheck belongs to one thread, blocks it, and ends soon when the servers are
// interrupted. Promises: what it calls different is different on two servers that had both come to
// rest about that row; what it cannot settle it says.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "controller/database/checksum_dialect.h"
#include "controller/database/servers.h"

namespace headgate::database {

enum class RowDifferenceKind { kMissing, kExtra, kDifferent };

struct RowDifference {
  std::string server;
  // "schema.table".
  std::string table;
  RowDifferenceKind kind = RowDifferenceKind::kDifferent;
  // Names and values of the key's columns.
  std::vector<std::pair<std::string, std::string>> key;
  // Which columns differ, where that is known.
  std::vector<std::string> columns;
  friend bool operator==(const RowDifference&, const RowDifference&) = default;
};

// A row as one server showed it; nullopt: it had none.
struct RowState {
  std::string hash;
  std::string version;
  friend bool operator==(const RowState&, const RowState&) = default;
};
using SeenRow = std::optional<RowState>;

struct RowLook {
  SeenRow before;
  SeenRow replica;
  SeenRow after;
  // Commits wait on the primary that its replicas may show already.
  bool is_held_back = false;
  friend bool operator==(const RowLook&, const RowLook&) = default;
};

enum class RowVerdict { kSame, kDiffers, kMoved };
RowVerdict JudgeRow(const RowLook& look);
// Of a row that differs.
RowDifferenceKind KindOf(const RowLook& look);

// Rows of two listings of the same range that are not in both with the same hash.
std::vector<Key> DifferentRows(const std::vector<ListedRow>& primary,
                               const std::vector<ListedRow>& replica);

struct RowFindings {
  std::vector<RowDifference> confirmed;
  // Rows that did not come to rest, or whose replica did not come so far.
  std::size_t unsettled = 0;
  // Why, of one of them.
  std::string why_unsettled;
};

class RowCheck {
 public:
  // Rows that are asked for in one statement.
  static constexpr std::size_t kKeysMax = 64;

  struct Patience {
    // For a replica to replay the primary's position, each time.
    Duration replay{20'000};
    // For rows that move on, in all.
    Duration rest{5'000};
    // Between two looks that confirm each other.
    Duration apart{200};
  };

  RowCheck(const ChecksumDialect& dialect, Servers& servers, const Clock& clock,
           const Session::Deadlines& deadlines, const Patience& patience)
      : dialect_(dialect),
        servers_(servers),
        clock_(clock),
        deadlines_(deadlines),
        patience_(patience) {}

  // `suspects` and `roles` by the replica's name.
  std::map<std::string, RowFindings> Check(const TablePlan& table,
                                           const std::map<std::string, std::vector<Key>>& suspects,
                                           const std::map<std::string, ServerRole>& roles);

 private:
  struct Open {
    int looks = 0;
    RowLook last;
    std::string why = "it kept changing";
  };
  using OpenRows = std::map<Key, Open>;
  using SeenRows = std::map<Key, RowState>;

  // One look at all open rows. False: there is no use in another.
  bool Look();
  // Many readings in a row on both sides at once, of rows that do not come to rest: a replica that
  // shows what the primary shows within the same moment has the row.
  void Glance();
  void Weigh(const std::string& replica, const SeenRows& before, const SeenRows& here,
             const SeenRows& after, bool is_held_back);
  std::vector<Key> OpenKeys() const;
  std::vector<Statement> RowsStatements(const std::vector<Key>& keys) const;
  absl::StatusOr<SeenRows> ReadRows(const Answers& answers, std::size_t from,
                                    std::size_t statements) const;
  // Which replicas have replayed `position`, waiting for it.
  std::vector<std::string> WaitForReplay(const std::string& position);
  void NameColumns(RowFindings& findings, const std::string& replica);
  void Excuse(const std::string& replica, const std::string& why);

  const ChecksumDialect& dialect_;
  Servers& servers_;
  const Clock& clock_;
  const Session::Deadlines deadlines_;
  const Patience patience_;
  // Of the check under way.
  const TablePlan* table_ = nullptr;
  const std::map<std::string, ServerRole>* roles_ = nullptr;
  std::map<std::string, OpenRows> open_;
  std::map<std::string, RowFindings> findings_;
};

}  // namespace headgate::database
