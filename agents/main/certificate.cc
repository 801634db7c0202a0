#include "agents/main/certificate.h"

#include <utility>

#include "common/base/check.h"

namespace headgate::agent {

Certificate::Certificate(std::optional<tls::Files> files, const Clock& clock, Log& log)
    : files_(std::move(files)), clock_(clock), log_(log) {}

absl::StatusOr<tls::Material> Certificate::Newest() {
  const std::lock_guard lock(mutex_);
  return NewestLocked();
}

void Certificate::Look() {
  const std::lock_guard lock(mutex_);
  if (!files_ || clock_.Now() - looked_ < kLookEvery) return;
  // What is wrong is logged there.
  static_cast<void>(NewestLocked());
}

absl::StatusOr<tls::Material> Certificate::NewestLocked() {
  HEADGATE_CHECK(files_.has_value());
  const TimePoint now = clock_.WallNow();
  looked_ = clock_.Now();
  if (!in_use_) {
    absl::StatusOr<tls::Material> first = tls::Load(*files_, now);
    if (first.ok()) {
      in_use_.emplace(*files_, *first);
      trouble_ = absl::OkStatus();
    } else {
      Refuse(first.status());
    }
    return first;
  }
  const auto found = in_use_->Look(now);
  // Only once for each new reason.
  if (!found.ok()) Refuse(found.status());
  if (!in_use_->is_refused()) trouble_ = absl::OkStatus();
  if (now < in_use_->in_use().not_after) return in_use_->in_use();
  return trouble_.ok() ? absl::FailedPreconditionError(files_->certificate +
                                                       ": the certificate in use has ended")
                       : trouble_;
}

std::optional<tls::Material> Certificate::in_use() const {
  const std::lock_guard lock(mutex_);
  if (!in_use_) return std::nullopt;
  return in_use_->in_use();
}

std::optional<TimePoint> Certificate::end() const {
  const std::lock_guard lock(mutex_);
  if (!in_use_ || clock_.WallNow() >= in_use_->in_use().not_after) return std::nullopt;
  return in_use_->in_use().not_after;
}

bool Certificate::is_refused() const {
  const std::lock_guard lock(mutex_);
  return !trouble_.ok();
}

void Certificate::Refuse(const absl::Status& why) {
  if (why != trouble_) {
    log_.Error("certificate_refused", {{"why", std::string(why.message())}});
  }
  trouble_ = why;
}

}  // namespace headgate::agent
