// The control path of a gate's Lua: tells the share and the counters, and sets the share. One
// thread. Promises: every call returns within the patience, whatever nginx does.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "agents/core/share_file.h"
#include "common/base/clock.h"

namespace headgate::nginx {

inline constexpr char kControlPath[] = "/.headgate/control/";
inline constexpr char kTokenHeader[] = "X-Headgate-Token";

// By name, since the start of that nginx: answered, http_5xx, refused, slow_500, …
using Counts = std::map<std::string, std::uint64_t>;

struct Told {
  std::string version;
  agent::ShareFile share;
  // Of the shared memory that tells: another one after a restart, the same after a reload.
  std::string instance;
  // Which keys its cookies are verified with: Hash64 of their file; unset if it verifies none.
  std::optional<std::uint64_t> cookie_keys;
  // XXH64 of the path of its share file; none of a Lua of before.
  std::optional<std::uint64_t> share_file{};
  Counts counts;
};

// UNAVAILABLE: what a gate's Lua never says.
absl::StatusOr<Told> ParseTold(const std::string& gate, const std::string& body);

class Control {
 public:
  static constexpr Duration kPatience{500};

  // `probe_url` tells where nginx listens; `token` is a file's path.
  Control(std::string gate, const std::string& probe_url, std::string token);

  absl::StatusOr<Told> Ask() const;
  // Sets, and tells what nginx has then.
  absl::StatusOr<Told> Set(const agent::ShareFile& share) const;

 private:
  absl::StatusOr<Told> Send(const std::string& query, bool is_post) const;

  const std::string gate_;
  const std::string url_;
  const std::string token_;
};

}  // namespace headgate::nginx
