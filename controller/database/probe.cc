#include "controller/database/probe.h"

#include "controller/database/maria_probe.h"
#include "controller/database/postgres_probe.h"

namespace headgate::database {

std::unique_ptr<Probe> MakeProbe(const Inventory& inventory) {
  if (inventory.engine == Engine::kMariadb) {
    return std::make_unique<MariaProbe>(inventory, ProbeDeadlines());
  }
  return std::make_unique<PostgresProbe>(inventory);
}

}  // namespace headgate::database
