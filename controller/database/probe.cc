#include "controller/database/probe.h"

#include "controller/database/maria_checksum.h"
#include "controller/database/maria_dialect.h"
#include "controller/database/maria_probe.h"
#include "controller/database/postgres_checksum.h"
#include "controller/database/postgres_dialect.h"
#include "controller/database/postgres_probe.h"

namespace headgate::database {

std::unique_ptr<Probe> MakeProbe(const Inventory& inventory) {
  if (inventory.engine == Engine::kMariadb) {
    return std::make_unique<MariaProbe>(inventory, ProbeDeadlines());
  }
  return std::make_unique<PostgresProbe>(inventory);
}

std::unique_ptr<SchemaDialect> MakeSchemaDialect(Engine engine) {
  if (engine == Engine::kMariadb) return std::make_unique<MariaDialect>();
  return std::make_unique<PostgresDialect>();
}

std::unique_ptr<ChecksumDialect> MakeChecksumDialect(Engine engine) {
  if (engine == Engine::kMariadb) return std::make_unique<MariaChecksum>();
  return std::make_unique<PostgresChecksum>();
}

}  // namespace headgate::database
