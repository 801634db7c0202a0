// What the tests of DataComparison do alike on every engine.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "controller/database/data_comparison.h"

namespace headgate::database {

struct Compared {
  std::vector<Finding> findings;
  std::vector<RowDifference> differences;
  ComparisonProgress progress;
  bool is_done = false;
};

// Steps until it is done, or until `rows` rows have been compared. Nobody rests.
inline void StepOn(DataComparison& comparison, std::optional<std::uint64_t> rows = {}) {
  while (!comparison.IsDone() && !(rows && comparison.Progress().rows_done >= *rows)) {
    comparison.Step();
  }
}

inline Compared CompareToTheEnd(const Inventory& inventory, const ComparisonOptions& options,
                                const ChecksumDialect& dialect, const Clock& clock) {
  Servers servers(inventory);
  DataComparison comparison(inventory, options, dialect, servers, clock);
  StepOn(comparison);
  return {.findings = comparison.Findings(),
          .differences = comparison.Differences(),
          .progress = comparison.Progress(),
          .is_done = comparison.IsDone()};
}

// Somebody who writes all the time, round after round.
class Writer {
 public:
  explicit Writer(std::function<void()> round)
      : thread_([this, round = std::move(round)] {
          while (!is_over_) {
            round();
            ++rounds_;
          }
        }) {}
  ~Writer() { Stop(); }
  void Stop() {
    is_over_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int rounds() const { return rounds_; }

 private:
  std::atomic<bool> is_over_ = false;
  std::atomic<int> rounds_ = 0;
  std::thread thread_;
};

}  // namespace headgate::database
