#include "common/base/outlook.h"

#include <algorithm>
#include <utility>

namespace headgate {
namespace {

constexpr Duration kSame{60'000};

bool IsSame(const std::optional<TimePoint>& told, const std::optional<TimePoint>& at) {
  return told && at && std::chrono::abs(*told - *at) <= kSame;
}

}  // namespace

Outlook Thinned(Outlook outlook) {
  std::vector<Return>& returns = outlook.returns;
  while (returns.size() > kReturnsMax) {
    std::vector<Return> every_other;
    // From the end, so that the last one stays.
    for (std::size_t i = (returns.size() - 1) % 2; i < returns.size(); i += 2) {
      every_other.push_back(returns[i]);
    }
    returns = std::move(every_other);
  }
  return outlook;
}

Outlook Steadied(const Outlook& told, Outlook outlook) {
  for (Return& next : outlook.returns) {
    const auto before = std::find_if(told.returns.begin(), told.returns.end(),
                                     [&](const Return& one) { return one.share == next.share; });
    if (before != told.returns.end() && IsSame(before->at, next.at)) next.at = before->at;
  }
  // Old times among new ones: the order counts more.
  TimePoint latest;
  for (Return& next : outlook.returns) {
    if (!next.at) continue;
    latest = std::max(latest, *next.at);
    next.at = latest;
  }
  return outlook;
}

Outlook Moved(Outlook outlook, Duration by) {
  for (Return& one : outlook.returns) {
    if (one.at) *one.at += by;
  }
  return outlook;
}

bool IsSound(const Outlook& outlook) {
  if (outlook.returns.size() > kReturnsMax) return false;
  for (std::size_t i = 1; i < outlook.returns.size(); ++i) {
    const Return& before = outlook.returns[i - 1];
    const Return& next = outlook.returns[i];
    const bool is_later = !next.at || (before.at && *before.at <= *next.at);
    if (before.share >= next.share || !is_later) return false;
  }
  return true;
}

}  // namespace headgate
