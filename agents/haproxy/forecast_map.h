// The forecast in HAProxy: a map of its own, whose content is replaced as a whole, so that no
// person is told half of it. The file comes first, as with the share, because a reload reads that.
// Thread: as Enforcer::Foretell.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "agents/core/forecast.h"
#include "agents/haproxy/stats_socket.h"

namespace headgate::haproxy {

class ForecastMap {
 public:
  ForecastMap(std::string path, const StatsSocket& socket);

  // Also if the file cannot be written. NOT_FOUND: HAProxy has no such map.
  absl::Status Put(const agent::Forecast& forecast) const;

 private:
  const std::string path_;
  const StatsSocket& socket_;
};

}  // namespace headgate::haproxy
