#include "controller/engine/adaptive.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/base/duration.h"
#include "common/base/number.h"

namespace headgate::engine {
namespace {

constexpr double kAlpha = 0.01;
constexpr double kProbationPart = 0.1;

constexpr std::uint64_t kPpm = Share::kPpmMax;
constexpr std::uint64_t kGrowth = 4;
// Noise may push a reading above 1, and a queue twice as far.
constexpr double kUtilisationMost = 3;
// Requests that are wanted in a second of the first share, and where it lies whatever they are.
constexpr double kFirstRps = 6;
constexpr double kFirstLeast = 0.05;
constexpr double kFirstMost = 0.25;
// The same after everybody was taken out.
constexpr double kRetryRps = 3;
constexpr double kRetryLeast = 0.01;
// Of the room that the utilisation leaves; a small step may use nearly all of it. A rise below this
// part of 1 is noise.
constexpr double kRoomUsed = 0.7;
constexpr double kRoomUsedBySmall = 0.9;
constexpr double kSmallStep = 0.02;
constexpr double kRiseLeast = 0.045;
// Of the brake: the span that is looked at, and fewer slow ones are none.
constexpr double kBrakeSeconds = 5;
constexpr double kBrakeLeast = 3;
// A step below this is none.
constexpr std::uint64_t kStepLeastPpm = 5'000;
// Near enough to the share that failed, and how far beyond it may be tried once its time has come.
constexpr std::uint64_t kFoundPpm = 40'000;
constexpr std::uint64_t kProbePpm = 80'000;
// In units of the plan's backoff.
constexpr int kShareDoublingsMax = 3;
constexpr double kLoadWait = 1.5;
constexpr double kLoadWaitMax = 12;
constexpr std::uint64_t kNearLoadPercent = 99;
// What was too much load is forgotten where it would be this part of the utilisation's limit today.
constexpr double kOutgrownPart = 0.4;

Share OfPart(double part) {
  return AtMostAll(static_cast<std::uint64_t>(std::max(part, 0.0) * double(kPpm)));
}

// The smallest of several bounds, and which it was.
class Lowest {
 public:
  Lowest(Share most, std::string why) : course_{.to = most, .why = std::move(why)} {}
  template <class Text>
  void AtMost(Share most, const Text& why) {
    if (most >= course_.to) return;
    course_ = {.to = most, .why = why()};
  }
  Course Take() { return std::move(course_); }
  Share to() const { return course_.to; }

 private:
  Course course_;
};

const AdaptiveSteps& StepsOf(const Restoration& restoration) {
  return *restoration.plan.spec().adaptive;
}

bool HasUtilisation(const Utilisation& utilisation, TimePoint now) {
  return utilisation.value && now - utilisation.last <= kUtilisationFresh;
}

void LeaveHeadroom(const AdaptiveSteps& steps, const Utilisation& utilisation, Share share,
                   Lowest& lowest) {
  const double x = double(share.ppm()) / double(kPpm);
  const double used = *utilisation.value;
  double per_share = used / x;
  const double rise = used - utilisation.value_before;
  // A platform that is colder for newcomers pays more for the next users than for those before.
  if (utilisation.share_before > Share::None() && utilisation.share_before < share &&
      rise >= kRiseLeast) {
    const double stepped = x - double(utilisation.share_before.ppm()) / double(kPpm);
    per_share = std::max(per_share, rise / stepped);
  }
  if (per_share <= 0) return;
  const double limit = steps.utilisation_limit_ppm / double(kPpm);
  const double room = (limit - used) / per_share;
  const double step = std::max(kRoomUsed * room, std::min(kRoomUsedBySmall * room, kSmallStep));
  lowest.AtMost(OfPart(x + step), [&] {
    return fmt::format(
        "utilisation {:.0f} %, {:+.2f} per share, limit {}{}", used * 100, per_share,
        FormatPpm(steps.utilisation_limit_ppm),
        used > kUtilisationMost ? " (a part of 1 is wanted: is it in percent?)" : "");
  });
}

void BrakeWhereSlow(const PlanSpec& plan, const Evidence& evidence, Share share, Lowest& lowest) {
  for (const CheckSpec& check : plan.checks) {
    if (!CountsSlow(check)) continue;
    const Batch recent = evidence.ratios.at(check.name).weighed->recent.Sum(kBrakeSeconds);
    const double limit = double(std::get<RatioCheck>(check.kind).limit_ppm) / double(kPpm);
    if (recent.bad < kBrakeLeast || recent.bad <= kBrakePart * limit * recent.total) continue;
    lowest.AtMost(share, [&] {
      return fmt::format("{} brakes: {} % in {:.0f} s, goes on at {} %", check.name,
                         PlainNumber(100 * recent.bad / recent.total, 2), kBrakeSeconds,
                         PlainNumber(100 * kBrakePart * limit, 2));
    });
  }
}

Duration Left(TimePoint since, Duration wait, TimePoint now) {
  return std::max(wait - (now - since), Duration(0));
}

// A share that failed by itself is approached by halves, and tried again after a while.
void RememberFailed(const Restoration& restoration, Share share, Duration left, Lowest& lowest) {
  const Share failed = restoration.failed;
  if (failed <= share) return;
  const std::uint64_t gap = failed.ppm() - share.ppm();
  if (gap > kFoundPpm) {
    lowest.AtMost(AtMostAll(share.ppm() + gap / 2),
                  [&] { return fmt::format("half way to {}, which failed", failed.ToString()); });
  } else if (left > Duration(0)) {
    lowest.AtMost(share, [&] {
      return fmt::format("{} failed: tried again in {}", failed.ToString(), FormatDuration(left));
    });
  } else {
    lowest.AtMost(AtMostAll(share.ppm() + kProbePpm), [&] {
      return fmt::format("a careful step beyond {}, which failed", failed.ToString());
    });
  }
}

// Whether the platform carries far more than when that share was too much for it. A gauge that says
// nothing at all is used tells of no such platform.
bool HasOutgrown(const AdaptiveSteps& steps, double used, Share share, Share failed) {
  const double limit = steps.utilisation_limit_ppm / double(kPpm);
  return used > 0 && used * failed.ppm() < kOutgrownPart * limit * share.ppm();
}

// Load comes and goes: what it made fail is tried again sooner, in small steps.
void RememberLoad(const Search& search, Share share, Duration left, Lowest& lowest) {
  const Share failed = search.failed_by_load;
  const Share near = AtMostAll(failed.ppm() * kNearLoadPercent / 100);
  if (lowest.to() <= near) return;
  if (left > Duration(0)) {
    lowest.AtMost(std::max(near, share), [&] {
      return fmt::format("{} was too much load: tried again in {}", failed.ToString(),
                         FormatDuration(left));
    });
    return;
  }
  lowest.AtMost(std::max(near, AtMostAll(std::uint64_t{share.ppm()} + search.step_max.ppm())), [&] {
    return fmt::format("small steps beyond {}, which was too much load", failed.ToString());
  });
}

void RememberFailures(const Restoration& restoration, const Evidence& evidence, Share share,
                      TimePoint now, bool waits_are_over, Lowest& lowest) {
  const Search& search = restoration.search;
  const Duration backoff = restoration.plan.spec().backoff;
  const bool has_utilisation = HasUtilisation(evidence.progress.utilisation, now);
  const auto left = [&](Duration wait) {
    return waits_are_over ? Duration(0) : Left(search.at, wait, now);
  };
  RememberFailed(restoration, share,
                 left(Doubled(FirstWaitOfShare(backoff), search.by_share, kShareDoublingsMax)),
                 lowest);
  if (search.failed_by_load > Share::None()) {
    // A gauge that saw no trouble then tells nothing of it today.
    const bool was_seen = has_utilisation && search.by_load == 0;
    if (was_seen && HasOutgrown(StepsOf(restoration), *evidence.progress.utilisation.value, share,
                                search.failed_by_load)) {
      return;
    }
    const double doublings = std::max(double(search.by_load) - 1, 0.0);
    const double wait = std::min(kLoadWait * std::pow(2, doublings), kLoadWaitMax);
    RememberLoad(search, share, left(Duration(std::int64_t(wait * double(backoff.count())))),
                 lowest);
  } else if (!has_utilisation) {
    lowest.AtMost(AtMostAll(std::uint64_t{share.ppm()} + search.step_max.ppm()),
                  [] { return std::string("small steps after too much load"); });
  }
}

}  // namespace

bool CountsSlow(const CheckSpec& check) {
  const AgentRatio* source = AgentRatioOf(check);
  return source != nullptr && source->metric == AgentRatio::Metric::kSlowerThan;
}

Duration Doubled(Duration base, std::uint32_t times, std::uint32_t doublings_max) {
  return base * (1U << std::min(std::max(times, 1U) - 1, doublings_max));
}

Share AtMostAll(std::uint64_t ppm) { return *Share::FromPpm(std::min(ppm, kPpm)); }

Share Readable(Share share) {
  constexpr std::uint32_t kUnit = 1'000;
  constexpr std::uint32_t kFrom = 10'000;
  return share.ppm() < kFrom ? share : AtMostAll(share.ppm() / kUnit * kUnit);
}

bool IsAdaptive(const Restoration& restoration) {
  return restoration.plan.spec().adaptive.has_value();
}

double AgainstBar(const PlanSpec& plan) {
  const auto counted = std::count_if(
      plan.checks.begin(), plan.checks.end(),
      [](const CheckSpec& check) { return std::holds_alternative<RatioCheck>(check.kind); });
  return double(std::max<std::ptrdiff_t>(counted, 1)) / kAlpha;
}

double AgainstBar(const Restoration& restoration) {
  return AgainstBar(restoration.plan.spec()) *
         (restoration.search.on_probation ? kProbationPart : 1);
}

bool HasStood(const Restoration& restoration, const Evidence& evidence) {
  const Progress& progress = evidence.progress;
  return progress.since_observed >= kStoodLeast &&
         progress.since_change >= restoration.plan.spec().bake_min;
}

Share FirstShare(const Restoration& restoration, const Evidence& evidence) {
  const AdaptiveSteps& steps = StepsOf(restoration);
  const double demand = DemandOf(evidence);
  // Where nothing was counted for long enough the demand is not known.
  const double wanted = demand > 0 ? kFirstRps / demand : 0;
  return steps.first.value_or(Readable(OfPart(std::clamp(wanted, kFirstLeast, kFirstMost))));
}

Share RetryShare(const Restoration& restoration, const Evidence& evidence) {
  const double demand = DemandOf(evidence);
  const double wanted = demand > 0 ? std::max(kRetryRps / demand, kRetryLeast) : kRetryLeast;
  return std::min(FirstShare(restoration, evidence), Readable(OfPart(wanted)));
}

Course NextShare(const Restoration& restoration, const Evidence& evidence, Share share,
                 TimePoint now, bool waits_are_over) {
  if (share == Share::All()) return {share, "everybody is in"};
  if (share == Share::None()) {
    const Share first = restoration.search.drains > 0 ? RetryShare(restoration, evidence)
                                                      : FirstShare(restoration, evidence);
    const double demand = DemandOf(evidence);
    return {first, demand > 0 ? fmt::format("the first, at {:.0f} requests a second", demand)
                              : std::string("the first")};
  }
  const AdaptiveSteps& steps = StepsOf(restoration);
  const PlanSpec& plan = restoration.plan.spec();
  Lowest lowest(AtMostAll(share.ppm() * kGrowth), fmt::format("x{}", kGrowth));
  lowest.AtMost(AtMostAll(std::uint64_t{share.ppm()} + steps.step_max_ppm), [&] {
    return fmt::format("x{} capped by +{}", kGrowth, FormatPpm(steps.step_max_ppm));
  });
  const Utilisation& utilisation = evidence.progress.utilisation;
  if (HasUtilisation(utilisation, now)) LeaveHeadroom(steps, utilisation, share, lowest);
  BrakeWhereSlow(plan, evidence, share, lowest);
  const bool is_braked = lowest.to() <= share;
  RememberFailures(restoration, evidence, share, now, waits_are_over, lowest);
  Course course = lowest.Take();
  course.is_braked = is_braked;
  course.to = Readable(course.to);
  const std::uint64_t least = std::min<std::uint64_t>(kStepLeastPpm, share.ppm() / 10);
  const bool is_step = course.to == Share::All() || course.to.ppm() >= share.ppm() + least;
  if (!is_step || course.to <= share) course.to = share;
  return course;
}

Restoration AfterProof(Restoration restoration, Share share) {
  Search& search = restoration.search;
  restoration.proven = std::max(restoration.proven, share);
  search.on_probation = false;
  if (share >= search.failed_by_load) {
    search.failed_by_load = Share::None();
    search.by_load = 0;
  }
  if (share >= restoration.failed) {
    restoration.failed = Share::None();
    search.by_share = 0;
  }
  if (search.regain > Share::None() && share >= search.regain) {
    search.regain = Share::None();
    search.drains = search.by_time = 0;
    restoration.retreats_in_a_row = 0;
  }
  return restoration;
}

void ForgetFailures(Restoration& restoration) {
  if (!IsAdaptive(restoration)) return;
  Search& search = restoration.search;
  restoration.failed = search.failed_by_load = search.regain = Share::None();
  search.by_share = search.by_load = search.by_time = 0;
  search.drains = std::min(search.drains, 1U);
  search.cure = Duration(0);
  search.step_max = Share::All();
}

void RememberStep(Search& search) {
  // Where load made it fail, steps stay small until that share has been proven.
  if (search.failed_by_load > Share::None()) return;
  search.step_max = AtMostAll(std::uint64_t{search.step_max.ppm()} * 3 / 2);
}

}  // namespace headgate::engine
