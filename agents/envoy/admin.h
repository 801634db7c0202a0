// Envoy's admin interface: one connection per question. One thread. Promises: every call returns
// within the patience, whatever the other end does, and takes no more of an answer than the limit.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "agents/envoy/answers.h"
#include "agents/envoy/weights.h"
#include "common/base/clock.h"

namespace headgate::envoy {

class Admin {
 public:
  static constexpr Duration kPatience{400};
  static constexpr std::size_t kAnswerBytesMax = 1024 * 1024;

  // "/run/envoy/admin.sock" or "127.0.0.1:9901".
  explicit Admin(std::string address);

  absl::StatusOr<Runtime> ReadRuntime() const;
  // Of those whose names match the regular expression.
  absl::StatusOr<Stats> ReadStats(const std::string& filter) const;
  absl::StatusOr<std::string> ReadVersion() const;
  // From which file that layer of the runtime is read; empty: from none.
  absl::StatusOr<std::string> ReadLayerFile(const std::string& layer) const;
  // All at once, in the admin layer. Envoy takes every value, whatever it is: read it back.
  absl::Status Set(const Entries& entries) const;

  const std::string& address() const { return address_; }

 private:
  absl::StatusOr<std::string> Ask(const std::string& path, bool is_post) const;

  const std::string address_;
};

}  // namespace headgate::envoy
