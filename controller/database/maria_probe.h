// The probe of MariaDB: looks at every declared server over its own direct connection. What it
// checks, and the rights it needs, is docs/DATABASE.md.
// As Probe says: one thread at a time, Interrupt from any.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "controller/database/fingerprint.h"
#include "controller/database/inventory.h"
#include "controller/database/load_judge.h"
#include "controller/database/maria_dialect.h"
#include "controller/database/maria_judge.h"
#include "controller/database/probe.h"
#include "controller/database/servers.h"

namespace headgate::database {

class MariaProbe final : public Probe {
 public:
  MariaProbe(Inventory inventory, const ProbeDeadlines& deadlines);

  Report Look(const Clock& clock) override;
  Report Fingerprint(const Clock& clock) override;
  void Interrupt() override { servers_.Interrupt(); }

 private:
  // Weighs the last answers of each server that answered at all, and takes them off.
  void JudgeLoad(std::map<std::string, Answers>& answers, TimePoint now);

  const Inventory inventory_;
  const ProbeDeadlines deadlines_;
  const MariaDialect dialect_;
  Servers servers_;
  MariaJudge judge_;
  LoadJudge load_judge_;
  std::optional<TimePoint> load_asked_at_;
  // Of the newest look at the load; each report repeats them.
  LoadJudge::Verdicts load_;
};

}  // namespace headgate::database
