// Proves by two requests through a load balancer's own admission rule that a share is in force. One
// thread. Promises: returns within 2 x kPatience; never follows a redirect, never reuses a
// connection (an old worker might be behind it).
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agents/core/http_call.h"
#include "agents/core/user_key.h"
#include "common/base/clock.h"
#include "common/base/cookie_keys.h"
#include "common/base/share.h"

namespace headgate::agent {

// On the probe path the load balancer takes the key from here where it cannot be sent as itself.
inline constexpr char kProbeKeyHeader[] = "X-Headgate-Probe-Key";
// Behind the probe path: a path whose requests are refused at every share.
inline constexpr char kWaitProbeSuffix[] = "/wait";

class Prober {
 public:
  static constexpr Duration kPatience{500};

  // `url`: of the path that the load balancer answers itself; `unix_socket` as HttpCall's.
  Prober(std::string gate, std::string url, UserKey key, std::string unix_socket = "");

  absl::Status Try(Share share);
  // What the load balancer verifies cookies with; without keys it takes any. Any thread.
  // Unset: they are not known, and nothing is said of cookies.
  void FollowKeys(const std::optional<CookieKeys>& keys);
  // One request that is refused at every share gets the gate's waiting page, or that of another
  // gate before it: the way by which users are refused is there, and nothing else stands before it.
  absl::Status TryWaitPage() const;
  // The thresholds of slow answers that the snippet was printed with, as the last answer told them;
  // unset before it. Any thread.
  std::optional<std::vector<std::uint32_t>> slow_ms() const;

 private:
  absl::StatusOr<HttpAnswer> Fetch(const std::string& url, const std::string& header) const;
  // `header`: in which the key is sent.
  absl::Status Expect(const std::string& key, const std::string& header, bool admitted,
                      Share share);
  absl::Status ExpectCookies(const CookieKeys& keys, Share share);

  const std::string gate_;
  const std::string url_;
  const UserKey key_;
  const std::string unix_socket_;
  // Of the last share: searching costs 15 ms.
  std::optional<std::pair<std::uint32_t, ProbeKeys>> keys_;
  mutable std::mutex mutex_;
  // Protected by mutex_.
  std::optional<std::vector<std::uint32_t>> slow_ms_;
  std::optional<CookieKeys> cookie_keys_ = CookieKeys();
};

}  // namespace headgate::agent
