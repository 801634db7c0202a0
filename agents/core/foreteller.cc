#include "agents/core/foreteller.h"

#include <algorithm>
#include <utility>

namespace headgate::agent {
namespace {

bool IsLikely(const Standing& standing) {
  return !standing.expired && !standing.refusal && !standing.local_override;
}

// The same words, and good for a while yet.
bool IsStillGood(const Forecast& told, const Forecast& next, TimePoint wall) {
  return std::equal(told.rows.begin(), told.rows.end(), next.rows.begin(), next.rows.end(),
                    [&](const ForecastRow& before, ForecastRow after) {
                      const bool is_long = before.until - wall > kForecastFor / 2;
                      if (!is_long && before.until != after.until) return false;
                      after.until = before.until;
                      return before == after;
                    });
}

}  // namespace

std::optional<Forecast> Foreteller::Next(const Standing& standing, TimePoint now, TimePoint wall) {
  if (standing.stage == Stage::kIdle || now < look_not_before_) return std::nullopt;
  look_not_before_ = now + kLookEvery;
  Forecast next =
      IsLikely(standing) ? ForecastOf(outlook_, standing.enforced, time_zone_, wall) : Forecast();
  if (told_ && IsStillGood(*told_, next, wall)) return std::nullopt;
  told_ = next;
  return next;
}

void Foreteller::Forget() {
  told_.reset();
  look_not_before_ = TimePoint();
}

bool Foreteller::OnTold(const absl::Status& status, TimePoint now) {
  const bool is_news = !status.ok() && status != status_;
  status_ = status;
  if (status.ok()) return false;
  told_.reset();
  look_not_before_ = now + kRetry;
  return is_news;
}

}  // namespace headgate::agent
