// Looks whether the certificate's files hold something newer than what is in use, and proves it
// before anything is built on it: a pair that is half written, mismatched or expired never takes a
// listener down. One thread at a time; blocks on the disk.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/tls/files.h"

namespace headgate::tls {

class Renewal {
 public:
  Renewal(Files files, Material in_use) : files_(std::move(files)), in_use_(std::move(in_use)) {}

  // The new material, once; unset while the files hold what is in use. An error, once for each new
  // reason: the files hold something that does not work, or names another identity, and what is in
  // use goes on. `now`: of the wall clock.
  absl::StatusOr<std::optional<Material>> Look(TimePoint now);

  const Material& in_use() const { return in_use_; }
  // What the files held when they were last looked at does not work.
  bool is_refused() const { return !told_.empty(); }

 private:
  const Files files_;
  Material in_use_;
  // The last error told.
  std::string told_;
};

}  // namespace headgate::tls
