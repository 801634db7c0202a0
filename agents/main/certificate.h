// The agent's certificate: what it uses, and whether the files hold something better. A pair that
// is half written, or does not work, changes nothing: what is in use goes on to its end.
// Thread-safe; blocks on the disk.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/log/log.h"
#include "common/tls/files.h"
#include "common/tls/renewal.h"

namespace headgate::agent {

class Certificate {
 public:
  // How often the files are looked at besides each connection.
  static constexpr Duration kLookEvery{5'000};

  // `files`: unset for an agent without certificates.
  Certificate(std::optional<tls::Files> files, const Clock& clock, Log& log);

  bool is_wanted() const { return files_.has_value(); }

  // Looks at the files, and answers what a connection should be made with: the newest that was ever
  // proven, while it has not ended. Else why there is none.
  absl::StatusOr<tls::Material> Newest();
  // The same every kLookEvery, so that a bad pair is told of before it is needed.
  void Look();

  // What was proven last, whether or not it has ended; unset: nothing yet.
  std::optional<tls::Material> in_use() const;
  // Of what is in use; unset: nothing works.
  std::optional<TimePoint> end() const;
  // True while the files hold something that does not work.
  bool is_refused() const;

 private:
  absl::StatusOr<tls::Material> NewestLocked();
  // `why`: of the files as they are now.
  void Refuse(const absl::Status& why);

  const std::optional<tls::Files> files_;
  const Clock& clock_;
  Log& log_;

  mutable std::mutex mutex_;
  // Protected by mutex_.
  std::optional<tls::Renewal> in_use_;
  absl::Status trouble_;
  TimePoint looked_;
};

}  // namespace headgate::agent
