// How far users are taken out, and what is learned from it.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/duration.h"
#include "controller/engine/adaptive.h"
#include "controller/engine/sequential.h"

namespace headgate::engine {
namespace {

constexpr std::uint64_t kPpm = Share::kPpmMax;
// The newest seconds that tell how bad it is.
constexpr double kNewest_s = 3;
// The database is at its end.
constexpr double kBusy = 0.85;
constexpr double kSevereErrors = 0.2;
constexpr double kSevereErrorsOfLoad = 0.1;
constexpr double kSevereSlow = 0.3;
constexpr double kMildSlow = 0.1;
// Where the proven share itself fails, this part of it is trusted.
constexpr int kTrustedPercent = 60;
constexpr std::uint64_t kLoadStepPpm = 30'000;
// Seconds whose answers tell what was carried.
constexpr int kCarried_s = 4;
constexpr Duration kLowerAfter{8'000};
constexpr Duration kDrainAfter{20'000};
constexpr Duration kBlameTimeAfter{4'000};
// A bad second in a cure tells nothing: it must last.
constexpr Duration kBlameTimeBad{3'000};
// Queues that load filled empty slowly, and people try again.
constexpr Duration kBlameTimeAfterLoad{10'000};
// In units of the plan's backoff.
constexpr int kCureOfShareDoublings = 3;
constexpr int kCureOfTimeDoublings = 3;
constexpr int kDrainedMax = 48;
constexpr int kDrainedDoublings = 6;
// Of the time of probing, at most one in ten is spent failing.
constexpr int kProbingPart = 10;

Share Percent(Share share, std::uint64_t percent) { return AtMostAll(share.ppm() * percent / 100); }

// What the newest seconds say.
struct Signs {
  double errors = 0;
  double slow = 0;
  bool errors_alarm = false;
  bool slow_alarms = false;
};

Signs SignsOf(const Restoration& restoration, const Evidence& evidence, const std::string& failed) {
  Signs signs;
  const double bar = AgainstBar(restoration);
  for (const CheckSpec& check : restoration.plan.spec().checks) {
    const auto found = evidence.ratios.find(check.name);
    if (found == evidence.ratios.end() || !found->second.weighed) continue;
    const Weighed& weighed = *found->second.weighed;
    const bool is_slow = CountsSlow(check);
    double& ratio = is_slow ? signs.slow : signs.errors;
    bool& alarms = is_slow ? signs.slow_alarms : signs.errors_alarm;
    // What is severe of a limit of 1 % is usual of one of 30 %.
    const double scale = std::min(1.0, kUsualLimitMost / weighed.limit);
    ratio = std::max(ratio, weighed.Ratio(kNewest_s) * scale);
    // That slow answers are on their way to failing is enough to tell load from other causes; a
    // severe second comes before any evidence, whichever check was named.
    alarms = alarms || check.name == failed || IsSevere(weighed.recent.Sum(1), weighed.limit) ||
             weighed.evidence.Against() >= (is_slow ? kHoldPart * bar : bar);
  }
  return signs;
}

// The share whose requests were answered well, of late.
Share Carried(const Restoration& restoration, const Evidence& evidence) {
  const double demand = evidence.progress.demand_rps;
  if (demand <= 0) return Share::All();
  double most = 0;
  for (int back = 0; back < kCarried_s; ++back) {
    double least = demand;
    for (const CheckSpec& check : restoration.plan.spec().checks) {
      const auto found = evidence.ratios.find(check.name);
      if (found == evidence.ratios.end() || !found->second.weighed) continue;
      if (!found->second.weighed->is_of_agents || CountsSlow(check)) continue;
      const Trailing& recent = found->second.weighed->recent;
      const Batch newer = recent.Sum(back);
      const Batch older = recent.Sum(back + 1);
      const double seconds = older.seconds - newer.seconds;
      if (seconds <= 0) continue;
      const double good = (older.total - older.bad) - (newer.total - newer.bad);
      least = std::min(least, good / seconds);
    }
    most = std::max(most, least);
  }
  return AtMostAll(static_cast<std::uint64_t>(most / demand * double(kPpm)));
}

bool IsRatio(const PlanSpec& plan, const std::string& name) {
  return std::any_of(plan.checks.begin(), plan.checks.end(), [&](const CheckSpec& check) {
    return check.name == name && std::holds_alternative<RatioCheck>(check.kind);
  });
}

// Counts the retreat, from `share`.
void Note(Restoration& restoration, Share share, TimePoint now) {
  Search& search = restoration.search;
  restoration.retreats += 1;
  search.failed_before = restoration.failed;
  search.trusted = TrustedBelow(restoration, share);
  search.from = share;
  search.at = now;
  restoration.proven = std::min(restoration.proven, search.trusted);
}

// The utilisation was beyond its limit: it keeps off that share, and knows before any wait has
// ended when there is room again. One that reads too low, or is of another bottleneck, never is.
bool IsSeen(const Restoration& restoration, const Evidence& evidence) {
  const Utilisation& utilisation = evidence.progress.utilisation;
  const std::uint32_t limit_ppm = restoration.plan.spec().adaptive->utilisation_limit_ppm;
  return utilisation.value && *utilisation.value * double(kPpm) >= double(limit_ppm);
}

void BlameLoad(Restoration& restoration, const Evidence& evidence, Share share, bool is_severe) {
  Search& search = restoration.search;
  // Queues fill before anybody fails: what was carried while they did is not carried for long.
  const Share half = AtMostAll((std::uint64_t{search.trusted.ppm()} + share.ppm()) / 2);
  const Share most = is_severe ? half : share;
  search.why = Search::Why::kLoad;
  if (!IsSeen(restoration, evidence)) search.by_load += 1;
  search.failed_by_load =
      Readable(std::min(most, std::max(Carried(restoration, evidence), search.trusted)));
  search.step_max = AtMostAll(kLoadStepPpm);
  // The share that was too much waits for longer, in NextShare.
  search.cure = FirstWaitOfLoad(restoration.plan.spec().backoff);
}

// It was proven, and has stood for a while: what failed it came with the time.
bool WasWell(const Restoration& restoration, const Evidence& evidence, Share share) {
  return share <= restoration.proven && evidence.progress.since_change >= kStoodWell;
}

Duration CureOfTime(const Restoration& restoration) {
  return Doubled(FirstWaitOfLoad(restoration.plan.spec().backoff), restoration.search.by_time,
                 kCureOfTimeDoublings);
}

void BlameTimeAtOnce(Restoration& restoration) {
  Search& search = restoration.search;
  search.why = Search::Why::kTime;
  search.by_time += 1;
  restoration.retreats_in_a_row += 1;
  search.regain = std::max(search.regain, search.trusted);
  search.cure = CureOfTime(restoration);
}

void BlameShare(Restoration& restoration, Share share) {
  Search& search = restoration.search;
  search.why = Search::Why::kShare;
  search.by_share += 1;
  restoration.failed = share;
  restoration.retreats_in_a_row += 1;
  search.regain = std::max(search.regain, share);
  search.cure = Doubled(FirstWaitOfShare(restoration.plan.spec().backoff), search.by_share,
                        kCureOfShareDoublings);
}

// How low a cure goes before it takes everybody out.
Share LowestInCure(const Restoration& restoration, const Evidence& evidence) {
  // After a hand's retreat, or a drain, nothing is known to be carried.
  const Share trusted = restoration.search.trusted;
  const Share first = FirstShare(restoration, evidence);
  return trusted > Share::None() ? std::min(first, trusted) : first;
}

// The demand wanders, and the first share with it: less than a tenth lower is no lowering.
bool IsAsLowAs(Share share, Share lowest) { return Percent(share, 90) <= lowest; }

}  // namespace

Share TrustedBelow(const Restoration& restoration, Share share) {
  if (restoration.proven < share) return restoration.proven;
  return Percent(share, kTrustedPercent);
}

Withdrawal Withdraw(const Restoration& before, const Evidence& evidence, Share share,
                    const std::string& check, TimePoint now) {
  if (before.proven == Share::None()) return WithdrawAll(before, evidence, share, now);
  Withdrawal withdrawal{.to = share, .restoration = before, .why = ""};
  Restoration& restoration = withdrawal.restoration;
  Note(restoration, share, now);
  const Signs signs = SignsOf(before, evidence, check);
  const Utilisation& utilisation = evidence.progress.utilisation;
  const bool is_busy = utilisation.value && *utilisation.value >= kBusy;
  const bool is_silent = check.empty();
  const bool is_load =
      signs.slow_alarms || is_busy || (!is_silent && !IsRatio(before.plan.spec(), check));
  const bool is_severe = signs.errors >= kSevereErrors || signs.slow >= kSevereSlow ||
                         (is_load && signs.errors > kSevereErrorsOfLoad);
  if (is_load) {
    BlameLoad(restoration, evidence, share, is_severe);
  } else if (is_silent || WasWell(before, evidence, share)) {
    BlameTimeAtOnce(restoration);
  } else {
    BlameShare(restoration, share);
  }
  const Share trusted = restoration.search.trusted;
  Share to = Percent(trusted, 90);
  const std::string carried = before.proven < share
                                  ? "what was carried"
                                  : fmt::format("{}, because {} was proven and fails all the same",
                                                trusted.ToString(), share.ToString());
  std::string how = "nine tenths of " + carried;
  if (is_severe) {
    const Share quarter = Percent(trusted, 25);
    const Share first = FirstShare(before, evidence);
    if (std::max(quarter, first) < to) {
      to = std::max(quarter, first);
      how = quarter < first ? "severe, back to the first share" : "severe, a quarter of " + carried;
    }
  } else if (signs.slow_alarms && !signs.errors_alarm && signs.slow < kMildSlow) {
    to = Percent(share, 95);
    how = "a little slow, a twentieth less";
  } else if (is_load) {
    to = Percent(trusted, 80);
    how = "load, four fifths of " + carried;
  }
  withdrawal.to = Readable(std::min(to, Percent(share, 95)));
  withdrawal.why = how;
  return withdrawal;
}

Withdrawal WithdrawAll(const Restoration& before, const Evidence& evidence, Share share,
                       TimePoint now) {
  const bool is_first = before.search.why != Search::Why::kLoad;
  Withdrawal withdrawal{.to = Share::None(), .restoration = before, .why = "nothing is carried"};
  Restoration& restoration = withdrawal.restoration;
  Note(restoration, share, now);
  Search& search = restoration.search;
  const Duration backoff = restoration.plan.spec().backoff;
  const bool is_counted = std::holds_alternative<Curing>(before.phase) && is_first;
  if (!is_counted) restoration.retreats_in_a_row += 1;
  search.regain = std::max(search.regain, share);
  search.drains += 1;
  search.on_probation = true;
  restoration.proven = search.trusted = Share::None();
  const Duration least = Doubled(backoff + backoff / 2, 2 * search.drains - 1, kDrainedDoublings);
  // The first time users were in because it went well, and not to probe it.
  const Duration probed =
      search.drains > 1 ? kProbingPart * evidence.progress.since_change : Duration(0);
  search.cure = std::min(std::max(least, probed), kDrainedMax * backoff);
  return withdrawal;
}

bool IsTheTime(const Restoration& restoration, const Evidence& evidence, Share share) {
  const Search& search = restoration.search;
  const Duration least = search.why == Search::Why::kLoad ? kBlameTimeAfterLoad : kBlameTimeAfter;
  return search.why != Search::Why::kTime && share < search.trusted &&
         evidence.progress.since_observed >= least &&
         evidence.progress.bad_in_cure >= kBlameTimeBad;
}

Restoration BlameTime(Restoration restoration) {
  Search& search = restoration.search;
  search.why = Search::Why::kTime;
  search.by_time += 1;
  restoration.failed = search.failed_before;
  search.regain = std::min(search.regain, search.trusted);
  search.cure = CureOfTime(restoration);
  return restoration;
}

std::string FailingInCure(const Restoration& restoration, const Evidence& evidence, Share share) {
  const Duration bad = evidence.progress.bad_in_cure;
  if (bad == Duration(0) || share == Share::None()) return "";
  const bool is_last = IsAsLowAs(share, LowestInCure(restoration, evidence));
  return fmt::format("; it has failed for {} there: after {} {}", FormatDuration(bad),
                     FormatDuration(is_last ? kDrainAfter : kLowerAfter),
                     is_last ? "everybody is taken out" : "fewer are let in");
}

Withdrawal LowerInCure(const Restoration& before, const Evidence& evidence, Share share,
                       TimePoint now) {
  Withdrawal withdrawal{.to = share, .restoration = before, .why = ""};
  if (share == Share::None()) return withdrawal;
  const Duration bad = evidence.progress.bad_in_cure;
  const Share lowest = LowestInCure(before, evidence);
  if (IsAsLowAs(share, lowest)) {
    return bad >= kDrainAfter ? WithdrawAll(before, evidence, share, now) : withdrawal;
  }
  if (bad < kLowerAfter) return withdrawal;
  const bool is_load = before.search.why == Search::Why::kLoad;
  withdrawal.to = Readable(is_load ? std::max(Percent(share, 50), lowest) : lowest);
  withdrawal.restoration.retreats += 1;
  withdrawal.why =
      fmt::format("it still fails after {} at {}", FormatDuration(bad), share.ToString());
  return withdrawal;
}

}  // namespace headgate::engine
