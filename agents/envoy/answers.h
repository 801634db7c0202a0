// What Envoy's admin interface answers, parsed with limits. Pure: any thread. Whatever is not what
// an Envoy says is UNAVAILABLE, in words for people.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace headgate::envoy {

struct Runtime {
  // From the lowest to the one that has the last word.
  std::vector<std::string> layers;
  struct Entry {
    std::string in_force;
    // As `layers`; empty: that layer does not say.
    std::vector<std::string> by_layer;
  };
  std::map<std::string, Entry> entries;
};
// Of `/runtime`.
absl::StatusOr<Runtime> ParseRuntime(const std::string& body);

struct Stats {
  std::map<std::string, std::uint64_t> counts;
  // Of each histogram: milliseconds -> answers that took less.
  std::map<std::string, std::map<std::uint32_t, std::uint64_t>> below;
};
// Of `/stats?format=json&histogram_buckets=cumulative`.
absl::StatusOr<Stats> ParseStats(const std::string& body);

// Where the bootstrap's layer of that name is read from, of
// `/config_dump?mask=bootstrap.layered_runtime`; empty: from no file.
std::string ParseLayerFile(const std::string& body, const std::string& layer);

// "1.40.0", of `/server_info`.
absl::StatusOr<std::string> ParseVersion(const std::string& body);
// Whether weighted clusters may choose by a hash: from 1.36 on.
bool CanHash(const std::string& version);

}  // namespace headgate::envoy
