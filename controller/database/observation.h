// What one look reads from each server: the statements, and their answers as values. Pure; any
// thread. A failed or unreadable answer is a Status, never a value that looks healthy.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "controller/database/inventory.h"
#include "controller/database/statement.h"

namespace headgate::database {

// Asked of every server.
struct Identity {
  // 150004 is 15.4.
  std::int64_t version = 0;
  bool in_recovery = false;
  // The same on a primary and its physical replicas; distinct for every initdb.
  std::string system_identifier;
  // Together with the system identifier: which running server this is.
  std::string started_at;
  std::string user;
  // Of several in the server.
  std::string database;
  // Without pg_monitor the views below show rows with their columns NULL.
  bool may_monitor = false;
  // A primary's flushed position, a standby's replayed one, in bytes.
  std::optional<std::uint64_t> position;
  // A primary's, a standby's received one; 0: none.
  std::int64_t timeline = 0;
};

// One process on the primary that feeds somebody.
struct Walsender {
  std::string application_name;
  std::string client;
  // Empty: without a slot.
  std::string slot;
  bool is_logical = false;
  std::optional<std::uint64_t> replayed;
};

struct Slot {
  std::string name;
  bool is_active = false;
  // "reserved", "extended", "unreserved" or "lost".
  std::string wal_status;
  std::optional<std::uint64_t> confirmed;
};

struct PrimaryObservation {
  Identity identity;
  std::vector<Walsender> walsenders;
  std::vector<Slot> slots;
};

struct PhysicalObservation {
  Identity identity;
  // "streaming", another state, or empty: no WAL receiver.
  std::string receiver;
  // "not paused", "pause requested", "paused"; empty on a server that is no standby.
  std::string pause;
};

struct Subscription {
  std::string name;
  bool is_enabled = false;
  std::string slot;
  bool has_worker = false;
  std::optional<std::uint64_t> received;
  std::int64_t tables = 0;
  // Up to five, "public.orders, …"; empty: all are in step.
  std::string tables_not_ready;
  std::int64_t errors = 0;
};

struct LogicalObservation {
  Identity identity;
  std::vector<Subscription> subscriptions;
};

std::vector<Statement> PrimaryStatements();
std::vector<Statement> PhysicalStatements();
std::vector<Statement> LogicalStatements();

absl::StatusOr<PrimaryObservation> ReadPrimary(const Answers& answers);
absl::StatusOr<PhysicalObservation> ReadPhysical(const Answers& answers);
absl::StatusOr<LogicalObservation> ReadLogical(const Answers& answers);

// A decimal number of bytes; nullopt for NULL and for nonsense.
std::optional<std::uint64_t> ToPosition(const std::optional<std::string>& cell);

}  // namespace headgate::database
