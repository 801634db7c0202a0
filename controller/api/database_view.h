// From the watch of databases to the operators' schema. Any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "controller/watch/watch.h"
#include "headgate/v1/operator.pb.h"

namespace headgate::api {

// Called on gRPC's threads; an empty name is all.
using ShowDatabases = std::function<absl::StatusOr<watch::Watch::View>(const std::string& name)>;

inline constexpr std::size_t kDatabaseChangesDefault = 50;

// FAILED_PRECONDITION: none is watched, or `trouble` says why; NOT_FOUND: not of this name.
absl::StatusOr<watch::Watch::View> ShowWatched(const watch::Watch* watch,
                                               const absl::Status& trouble,
                                               const std::string& name);
absl::StatusOr<watch::Watch::View> ShowNoDatabases(const std::string& name);

// `limit`: of changes; 0 is the default.
v1::ListDatabasesResponse ViewDatabases(const watch::Watch::View& view, std::size_t limit);

}  // namespace headgate::api
