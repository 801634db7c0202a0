// DataRounds over real servers: one DataComparison after the other, with its own connections.
// As DataRounds says. Promises: writes nothing to any server; keeps the busiest one busy for the
// stated share of a core at most, over a round; a server that stops answering makes it wait and go
// on from there, and is told once that has lasted; rounds follow each other at a stated pace,
// however little there is to compare.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "controller/database/data_comparison.h"
#include "controller/database/data_rounds.h"
#include "controller/database/inventory.h"
#include "controller/database/servers.h"

namespace headgate::database {

class RollingComparison final : public DataRounds {
 public:
  // Between two rounds, where `every` is not shorter.
  static constexpr Duration kRestLeast{10'000};
  // Before a round that was hindered goes on; so often without getting any further it does, and
  // then it compares what can be compared without whoever does not answer.
  static constexpr Duration kHinderedRest{5'000};
  static constexpr int kHindrancesMax = 6;
  // How often a replica is asked whether it answers again.
  static constexpr Duration kAskAgainEvery{30'000};
  // While a round is under way, and at its end.
  static constexpr Duration kKeepEvery{10'000};

  // `clock` must outlive it, and must run.
  RollingComparison(Inventory inventory, RollingOptions options, const Clock& clock);

  Duration Step() override;
  DataReport Told() const override;
  void Interrupt() override { servers_.Interrupt(); }

 private:
  // From the state that was kept, if it is of this inventory.
  void Restore();
  // Writes down how it stands.
  void Keep();
  void Begin();
  ComparisonOptions Options() const;
  void LookAtProgress();
  // Whether the round waits for a server that did not answer to the last step.
  bool IsHindered();
  // Whether a replica answers again that the round has gone on without.
  bool IsSomebodyBack();
  // `from`: its state; before a step that was hindered, which is as if it had not been.
  void GoOnLater(std::string from, Duration rest);
  void EndRound();
  std::string Pending(TimePoint now) const;
  std::string Progress(TimePoint now) const;

  const Inventory inventory_;
  const RollingOptions options_;
  const Clock& clock_;
  const std::unique_ptr<ChecksumDialect> dialect_;
  Servers servers_;
  const TimePoint born_;

  // Unset between two rounds, and while a hindered one waits.
  std::unique_ptr<DataComparison> comparison_;
  // Where a hindered round goes on.
  std::string resumed_;
  int hindrances_ = 0;
  std::uint64_t hindered_at_rows_ = 0;
  // What it waits for; empty: it does not.
  std::string hindrance_;
  // Of the round under way: it goes on without somebody, since then asked again at this time.
  bool is_resigned_ = false;
  TimePoint asked_again_;

  TimePoint kept_at_;
  // Why its state could not be kept; empty: it was.
  std::string unkept_;
  TimePoint next_at_;
  TimePoint round_began_;
  std::size_t rounds_ended_ = 0;
  // The newest that has ended.
  bool was_whole_ = true;
  // What earlier rounds found and no later one has settled.
  std::vector<Finding> earlier_;
  // Who did not answer to the end of the round before; until all answer.
  std::vector<Finding> silences_;
  RoundFindings round_;
  DataStanding standing_;
};

}  // namespace headgate::database
