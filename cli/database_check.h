// `dbcheck` of one database: replication, schemas, data, one after the other, again and again where
// it waits.
// One thread runs it; Interrupt may be called from any. Promises: it ends by `deadline` and the
// length of one statement; nothing is written to any server.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/command.h"
#include "cli/dbcheck_allowed.h"
#include "cli/dbcheck_inventory.h"
#include "common/base/clock.h"
#include "controller/database/data_comparison.h"
#include "controller/database/probe.h"
#include "controller/database/schema.h"
#include "controller/database/servers.h"

namespace headgate::cli {

struct CheckedDatabase {
  DeclaredDatabase declared;
  std::vector<database::Finding> findings{};
  // Known and harmless, by --allow.
  std::vector<database::Finding> allowed{};
  std::vector<database::RowDifference> rows{};
  bool has_compared_data = false;
  database::ComparisonProgress progress{};
  Duration took{0};
};

class DatabaseCheck {
 public:
  struct Teller {
    // What is begun, once each.
    std::function<void(const std::string& what)> phase;
    std::function<void(const database::ComparisonProgress& progress)> progress;
    // The state to keep; called now and then, and empty when there is none any more.
    std::function<void(const std::string& state)> keep;
  };

  // `state`: to go on from; empty: from the start. `baseline`: the expected schema, if any.
  DatabaseCheck(DeclaredDatabase declared, const DbcheckFlags& flags,
                std::optional<database::Schema> baseline, Teller teller, const Clock& clock);

  // INVALID_ARGUMENT: `state` is of another comparison.
  absl::Status Run(const std::string& state, bool waits);
  absl::StatusOr<database::Schema> ReadPrimarySchema();
  void Interrupt();

  const CheckedDatabase& checked() const { return checked_; }

 private:
  // Again while the same is waited for, but not at each look.
  void TellWait(const database::Finding& cause);
  void CheckReplication();
  void CheckSchemas();
  void CheckBaseline();
  database::ComparisonOptions Options() const;
  void CompareData(database::DataComparison& comparison);
  void Add(const std::vector<database::Finding>& findings);
  // What the plan allows.
  void AddAllowed(const std::vector<std::string>& notes);
  bool IsSame() const { return JudgeSameness(checked_.findings) == Sameness::kSame; }
  absl::StatusOr<database::Schema> ReadSchemaOf(const std::string& server);

  const DbcheckFlags flags_;
  const std::optional<database::Schema> baseline_;
  const Teller teller_;
  const Clock& clock_;
  CheckedDatabase checked_;
  database::Servers servers_;
  const std::unique_ptr<database::Probe> probe_;
  const std::unique_ptr<database::SchemaDialect> schemas_;
  const std::unique_ptr<database::ChecksumDialect> checksums_;
  // What was told last of a wait, and when.
  std::optional<database::Finding> waits_for_;
  TimePoint wait_told_;
};

}  // namespace headgate::cli
