// The probe of PostgreSQL: looks at every declared server over its own direct connection. What it
// checks, and the rights it needs, is docs/DATABASE.md.
// As Probe says: one thread at a time, Interrupt from any.
#pragma once

#include "controller/database/fingerprint.h"
#include "controller/database/inventory.h"
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
  const Inventory inventory_;
  const Deadlines deadlines_;
  const PostgresDialect dialect_;
  Servers servers_;
  ReplicationJudge judge_;
};

}  // namespace headgate::database
