// The weights by which Envoy admits a share, as entries of its runtime: `app` first, the waiting
// page for the rest of 2^20. And the file that Envoy reads them from at its start, as a resource of
// its runtime discovery service. Pure: any thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/core/share_file.h"
#include "agents/core/share_store.h"

namespace headgate::envoy {

inline constexpr std::size_t kAppClustersMax = 16;

// Whose weights they are.
struct Gate {
  std::string name;
  // Those that serve admitted users; at least one.
  std::vector<std::string> app_clusters;
};

// "headgate.shop": of users with a key. "headgate.shop.new": of requests without one, whom Envoy
// would draw anew each time: all of them are admitted at 100 %, none below.
std::string PrefixOf(const std::string& gate);
std::string NewPrefixOf(const std::string& gate);
// The cluster of those who wait, and the name of the layer and of the resource.
std::string WaitClusterOf(const std::string& gate);
std::string LayerOf(const std::string& gate);

// Entry of the runtime -> value.
using Entries = std::map<std::string, std::string>;
Entries EntriesOf(const Gate& gate, const agent::ShareFile& share);

// The inverse, of entries as Envoy reads them: one that is missing or no number is what the
// snippet's configuration says, which admits nobody.
struct Found {
  agent::ShareFile share;
  // False: the weights do not fit each other, and whom Envoy admits nobody knows.
  bool fits = true;
};
Found FoundIn(const Gate& gate,
              const std::function<std::optional<std::string>(const std::string&)>& entry);

// INVALID_ARGUMENT: a file that Envoy would not read, or not as it was written.
agent::ShareForm FormOf(const Gate& gate);

}  // namespace headgate::envoy
