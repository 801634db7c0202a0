// Reads pages of every server in use with amcheck, a few megabytes at a time, round after round, so
// that damage is found that no query has stumbled over yet. Where amcheck is not installed, or may
// not be used, that is a note.
// One thread owns it. Promises: no more than kBlocksPerRound blocks of each server in a round (but
// an index is read whole or not at all), of kRelationsPerRound relations; only the lock of a reader
// is taken; damage is FAILED once a second reading finds it too, and stays so until a reading finds
// it gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "controller/database/inventory.h"
#include "controller/database/servers.h"

namespace headgate::database {

class PageCheck {
 public:
  // 20 MB.
  static constexpr std::uint64_t kBlocksPerRound = 2'560;
  static constexpr int kRelationsPerRound = 128;
  // Larger indexes are left out: 200 MB, which take a fifth of a second.
  static constexpr std::uint64_t kIndexBlocksMax = 25'600;

  explicit PageCheck(const Inventory& inventory) : inventory_(inventory) {}

  // One round. Servers that could not give their schema are left out.
  void AddTo(Report& report, const Session::Deadlines& deadlines, Servers& servers,
             const Clock& clock);

 private:
  struct Piece {
    // "public.orders", and as PostgreSQL wants it quoted.
    std::string name;
    std::string quoted;
    bool is_index = false;
    std::uint64_t from = 0;
    // Not included.
    std::uint64_t to = 0;
    std::string Place() const;
  };
  struct Work {
    // Of the extension, quoted.
    std::string schema;
    std::vector<Piece> pieces;
  };
  struct Progress {
    // The relation to go on with, and its block.
    std::string next;
    std::uint64_t block = 0;
    // What was found damaged, by its place, and how it was told.
    std::map<std::string, std::pair<Piece, std::string>> damaged;
  };

  using Asker = std::function<std::map<std::string, Answers>(const Questions&)>;

  // Nothing where amcheck cannot be used: that is noted.
  Work WorkFor(const std::string& server, const Rows& relations, Report& report);
  static std::map<std::string, Answers> Read(const std::map<std::string, Work>& works,
                                             const Asker& asker);
  static std::vector<Piece> NextPieces(const Rows& relations, Progress& progress);
  static Statement StatementOf(const Piece& piece, const std::string& schema);
  // What the answer found wrong; empty: nothing.
  static std::string DamageIn(const absl::StatusOr<Rows>& answer);
  static void Note(const std::string& server, const std::string& text, Report& report);
  static void Tell(const std::string& server, const Progress& progress, Report& report);

  const Inventory& inventory_;
  // By the server's name, the primary's as in findings.
  std::map<std::string, Progress> progress_;
};

}  // namespace headgate::database
