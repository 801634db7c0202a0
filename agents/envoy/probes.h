// Proves by requests through Envoy's own weighted clusters that a share is in force: just inside
// and just outside of it; and, because a rule that draws at random would often pass these, with
// several keys on either side of one half whose weights never change. One thread. Promises: returns
// within kPatience.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "agents/core/user_key.h"
#include "common/base/clock.h"
#include "common/base/share.h"

namespace headgate::envoy {

// The first word of the answers of the probe's routes.
inline constexpr char kInside[] = "inside";
inline constexpr char kOutside[] = "outside";
inline constexpr char kNoKey[] = "keyless";
// Behind the probe path: one half of the keys is inside, whatever the share.
inline constexpr char kHalfSuffix[] = "/half";

class Probes {
 public:
  static constexpr Duration kPatience{1500};
  // Of each side of the half: a rule that draws passes once in 2^(2 x 3).
  static constexpr int kPairs = 3;

  // `url`: of the path that Envoy answers itself.
  Probes(std::string gate, std::string url, agent::UserKey key);

  absl::Status Try(Share share);
  // One request that is refused at every share gets the gate's waiting page.
  absl::Status TryWaitPage() const;

 private:
  absl::Status Expect(const std::string& suffix, const std::string& key, bool inside,
                      TimePoint until) const;
  absl::Status TryHalf(TimePoint until) const;

  const std::string gate_;
  const std::string url_;
  const agent::UserKey key_;
  // Of the last share: searching costs 15 ms.
  std::optional<std::pair<std::uint32_t, agent::ProbeKeys>> keys_;
};

}  // namespace headgate::envoy
