// The journal's payloads: bytes of JournalRecord (proto/headgate/v1/journal.proto), as the
// conductor's values. Thread-safe: no state.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "controller/engine/record.h"

namespace headgate::conductor {

// From PlanSpec::source. The plan room's, handed in by main.
using PlanFromSource = std::function<absl::StatusOr<engine::Plan>(const std::string& source)>;

struct Change {
  engine::GateRecord record;
  engine::Cause cause;
};

struct JournalRecord {
  TimePoint at;
  std::uint64_t epoch = 0;
  // Of the controller whose reign began, where the record is about that; else there is a change.
  std::string controller;
  std::optional<Change> change;
};

std::string Encode(const JournalRecord& record);
// INVALID_ARGUMENT names the field that does not fit.
absl::StatusOr<JournalRecord> Decode(const std::string& payload,
                                     const PlanFromSource& plan_from_source);
// For a record whose plan the rules of today refuse: what is left for the timeline.
absl::StatusOr<JournalRecord> DecodeWithoutRestoration(const std::string& payload);
// The same payload without the plan, which each record of a restoration repeats, and without what
// is secret.
std::string ForTimeline(const std::string& payload);

}  // namespace headgate::conductor
