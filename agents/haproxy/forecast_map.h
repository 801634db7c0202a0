// The forecast in HAProxy: a map of its own, whose content is replaced as a whole, so that no
// person is told half of it. In its memory only: a forecast is good for a minute, and told anew
// after a reload, while a line of the file that is no row would keep HAProxy from starting.
// Rejected: the file first, as with the share. Thread: as Enforcer::Foretell.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "agents/core/forecast.h"
#include "agents/haproxy/stats_socket.h"

namespace headgate::haproxy {

class ForecastMap {
 public:
  ForecastMap(std::string path, const StatsSocket& socket);

  // NOT_FOUND: HAProxy has no such map.
  absl::Status Put(const agent::Forecast& forecast) const;
  // The file that HAProxy starts with: it foretells nothing.
  absl::Status MendFile() const;

 private:
  const std::string path_;
  const StatsSocket& socket_;
};

}  // namespace headgate::haproxy
