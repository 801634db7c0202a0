// The schemas that a plan expects of its databases. A plan names files, and this room reads none:
// whoever has them says what they come to. Pure but for what it is given; any thread.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "controller/engine/plan.h"
#include "controller/plan/problems.h"
#include "headgate/v1/plan.pb.h"

namespace headgate::plan {

// What the file `database.expect->file` comes to. The status says what is wrong with it, and what
// to do.
using ReadExpected = std::function<absl::StatusOr<engine::ExpectedSchema>(
    const std::string& name, const engine::DatabaseSpec& database)>;

// What came with the plan, by the database's name: `sent` must outlive the reader.
ReadExpected SentAlong(const google::protobuf::Map<std::string, v1::ExpectedSchema>& sent);

engine::ExpectedSchema ToExpected(const v1::ExpectedSchema& from);
v1::ExpectedSchema FromExpected(const engine::ExpectedSchema& from);

// Asks for every file that stands without its fingerprint. Without a reader for none: the rules
// refuse what is missing.
void FillExpected(const ReadExpected& read, const Positions& positions,
                  google::protobuf::Map<std::string, v1::Database>& databases, Problems& problems);

}  // namespace headgate::plan
