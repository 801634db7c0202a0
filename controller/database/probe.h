// What a database's engine must be able to tell about a declared inventory. PostgreSQL and MariaDB
// are two; this is where another plugs in.
// One thread at a time calls Look and Fingerprint; Interrupt may be called from any. Promises: both
// return within their deadlines whatever the servers do, answer with findings instead of failing,
// write nothing to any server, and no finding holds a password.
#pragma once

#include <memory>

#include "common/base/clock.h"
#include "controller/database/checksum_dialect.h"
#include "controller/database/inventory.h"
#include "controller/database/schema_dialect.h"

namespace headgate::database {

// The kind of the finding that whoever follows a probe reports until the first comparison.
inline constexpr const char* kNotComparedYet = "schema_pending";

class Probe {
 public:
  virtual ~Probe() = default;

  // The fast look, made for once a second: connectivity, roles, replication, lag.
  // `clock` must run: deadlines are measured with it.
  virtual Report Look(const Clock& clock) = 0;
  // The schemas of primary and replicas, compared. Slower; made for twice a minute.
  virtual Report Fingerprint(const Clock& clock) = 0;
  // Makes the call under way, and all later ones, return soon with an UNKNOWN finding.
  virtual void Interrupt() = 0;
};

// Of the inventory's engine.
std::unique_ptr<Probe> MakeProbe(const Inventory& inventory);
std::unique_ptr<SchemaDialect> MakeSchemaDialect(Engine engine);
std::unique_ptr<ChecksumDialect> MakeChecksumDialect(Engine engine);

}  // namespace headgate::database
