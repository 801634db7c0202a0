#include "agents/core/refuter.h"

#include <fmt/format.h>

namespace headgate::agent {
namespace {

absl::Status Compare(const Refuter::Counted& from, const Refuter::Counted& to) {
  const std::uint64_t admitted = to.admitted - from.admitted;
  const std::uint64_t refused = to.refused - from.refused;
  if (to.in_force == Share::None() && admitted > from.in_flight) {
    return absl::FailedPreconditionError(fmt::format(
        "at 0 % {} requests were answered by the application, and only {} had been under way: not "
        "every request passes the gate; put its snippet above every other rule, and let no other "
        "way lead to this application",
        admitted, from.in_flight));
  }
  if (to.in_force == Share::All() && refused > Refuter::kStrayRefusalsMax) {
    return absl::FailedPreconditionError(fmt::format(
        "at 100 % {} requests got the waiting page: something else than the gate's rule sends them "
        "there; put the snippet back as it was printed",
        refused));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Refuter::Weigh(const Counted& counted, TimePoint now) {
  const bool was_away = now - weighed_at_ > kSettled;
  weighed_at_ = now;
  const bool is_other = !from_ || was_away || from_->in_force != counted.in_force ||
                        from_->instance != counted.instance;
  if (is_other) {
    share_since_ = now;
    refutation_ = absl::OkStatus();
  }
  const bool is_settling = now - share_since_ < kSettled;
  const absl::Status found = is_settling ? absl::OkStatus() : Compare(*from_, counted);
  if (!found.ok()) {
    refutation_ = found;
    refuted_at_ = now;
  } else if (now - refuted_at_ >= kWindow) {
    refutation_ = absl::OkStatus();
  }
  if (is_settling || !found.ok() || now - from_at_ >= kWindow) {
    from_ = counted;
    from_at_ = now;
  }
  return refutation_;
}

}  // namespace headgate::agent
