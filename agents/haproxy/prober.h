// Proves by two requests through HAProxy's own admission rule that a share is in force. One thread.
// Promises: returns within 2 x kPatience; never follows a redirect, never reuses a connection (an
// old worker might be behind it).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "agents/haproxy/key.h"
#include "common/base/clock.h"
#include "common/base/share.h"

namespace headgate::haproxy {

// On the probe path HAProxy takes the key from here where it cannot be sent as itself.
inline constexpr char kProbeKeyHeader[] = "X-Headgate-Probe-Key";
// Every answer of the gate's own rule carries it, with the gate's name.
inline constexpr char kGateHeader[] = "X-Headgate-Gate";

class Prober {
 public:
  static constexpr Duration kPatience{500};

  // `url`: of the path that HAProxy answers itself.
  Prober(std::string gate, std::string url, UserKey key);

  absl::Status Try(Share share);

 private:
  absl::Status Expect(const std::string& key, bool admitted, Share share) const;

  const std::string gate_;
  const std::string url_;
  const UserKey key_;
  // Of the last share: searching costs 15 ms.
  std::optional<std::pair<std::uint32_t, ProbeKeys>> keys_;
};

}  // namespace headgate::haproxy
