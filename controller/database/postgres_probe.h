// The probe of PostgreSQL: looks at every declared server over its own direct connection. What it
// checks, and the rights it needs, is docs/DATABASE.md.
// As Probe says: one thread at a time, Interrupt from any.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controller/database/fingerprint.h"
#include "controller/database/inventory.h"
#include "controller/database/load_judge.h"
#include "controller/database/page_check.h"
#include "controller/database/postgres_dialect.h"
#include "controller/database/probe.h"
#include "controller/database/replication_judge.h"
#include "controller/database/servers.h"

namespace headgate::database {

class PostgresProbe final : public Probe {
 public:
  using Deadlines = ProbeDeadlines;

  explicit PostgresProbe(Inventory inventory, const Deadlines& deadlines);
  explicit PostgresProbe(Inventory inventory);

  Report Look(const Clock& clock) override;
  Report Fingerprint(const Clock& clock) override;
  void Interrupt() override;

 private:
  // What is asked of a replica's or the primary's replication.
  static std::vector<Statement> StatementsOf(const Replica& replica);
  // Weighs the answers about load, one of each server that answered at all.
  void JudgeLoad(const std::map<std::string, absl::StatusOr<Rows>>& answers,
                 const std::map<std::string, Answers>& others, TimePoint now);

  const Inventory inventory_;
  const Deadlines deadlines_;
  const PostgresDialect dialect_;
  Servers servers_;
  ReplicationJudge judge_;
  LoadJudge load_judge_;
  PageCheck page_check_;
  std::optional<TimePoint> load_asked_at_;
  // Of the newest look at the load; each report repeats them.
  LoadJudge::Verdicts load_;
};

}  // namespace headgate::database
