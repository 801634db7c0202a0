// What one look reads from each MariaDB server: the statements, and their answers as values. Pure;
// any thread. A failed or unreadable answer is a Status, never a value that looks healthy.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "controller/database/gtid.h"
#include "controller/database/statement.h"

namespace headgate::database {

// Asked of every server.
struct MariaIdentity {
  // "10.11.6-MariaDB", and 101106.
  std::string version_name;
  std::int64_t version = 0;
  std::uint32_t server_id = 0;
  // Which running server this is: host name, port, data folder.
  std::string instance;
  // 'headgate'@'%', as GRANT takes it.
  std::string user;
  bool is_read_only = false;
  bool has_binlog = false;
  // What it wrote to its binary log, what it has or had replicated, and both together.
  GtidPosition written;
  GtidPosition replicated;
  GtidPosition current;
  // The last transactions in its binary log, of each domain and server.
  std::vector<Gtid> binlog_state;
  std::string type_conversions;
  std::string exec_mode;
  std::string skipped_errors;
  // Whether triggers fire for rows that are replicated: "NO", "YES", "LOGGING", "ENFORCE".
  std::string run_triggers;
};

// One connection of a replica to a primary: a row of SHOW ALL SLAVES STATUS.
struct MariaLink {
  std::string name;
  // 0: it has never been connected.
  std::uint32_t primary_id = 0;
  // "Yes", "No", "Connecting" or "Preparing".
  std::string receiver;
  std::string applier;
  std::int64_t receiver_errno = 0;
  std::string receiver_error;
  std::int64_t applier_errno = 0;
  std::string applier_error;
  // Of the primary's binary log, applied.
  std::string file;
  std::uint64_t offset = 0;
  // "Replicate_Do_DB=shop, …"; empty: it takes everything.
  std::string filters;
};

struct MariaLogEnd {
  // Empty: it writes no binary log.
  std::string file;
  std::uint64_t offset = 0;
};

struct MariaPrimary {
  MariaIdentity identity;
  // To others, if this server is a replica itself.
  absl::StatusOr<std::vector<MariaLink>> links;
  absl::StatusOr<MariaLogEnd> log_end;
  // Replicas that fetch its binary log now, whoever they are.
  std::int64_t fed = 0;
};

struct MariaReplica {
  MariaIdentity identity;
  absl::StatusOr<std::vector<MariaLink>> links;
};

std::vector<Statement> MariaPrimaryStatements();
std::vector<Statement> MariaReplicaStatements();

// What needs a privilege may have failed by itself.
absl::StatusOr<MariaPrimary> ReadMariaPrimary(const Answers& answers);
absl::StatusOr<MariaReplica> ReadMariaReplica(const Answers& answers);

}  // namespace headgate::database
