// The search for the largest share that a platform can carry now: how far to admit, how far to
// take users out, how long to cure. Pure functions of what is durable (Restoration, Search) and
// what is known of the share in force (Evidence); shares are integers. docs/JUDGEMENT.md has the
// rules with their reasons, ramp_adaptive.cc follows them.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/clock.h"
#include "common/base/share.h"
#include "controller/engine/evidence.h"
#include "controller/engine/record.h"

namespace headgate::engine {

// ln(1 / beta): what evidence for a share must reach to prove it.
inline constexpr double kForNats = 2.995732;
// A retreat at the bar, no advance from this part of it.
inline constexpr double kHoldPart = 0.1;
// Slow answers brake from this part of their limit on.
inline constexpr double kBrakePart = 0.6;
// A utilisation that is older says nothing: one that is late is worse than none.
inline constexpr Duration kUtilisationFresh{10'000};

// What failed a share that has stood for so long came with the time.
inline constexpr Duration kStoodWell{60'000};
// Of counts made at a share before it is proven, however short the plan's bake is.
inline constexpr Duration kStoodLeast{3'500};

bool IsAdaptive(const Restoration& restoration);
// What evidence against must reach for a retreat: checks on counts share alpha = 1 %. Ten times
// lower on probation.
double AgainstBar(const PlanSpec& plan);
double AgainstBar(const Restoration& restoration);
// Evidence has been collected for long enough at this share, whatever it says.
bool HasStood(const Restoration& restoration, const Evidence& evidence);

// The share that comes next and why; where it is the present one, why it stays there.
struct Course {
  Share to;
  std::string why;
  // It stays because of slow answers that have not failed.
  bool is_braked = false;
};
// `waits_are_over`: an operator shortens the waits, not the evidence.
Course NextShare(const Restoration& restoration, const Evidence& evidence, Share share,
                 TimePoint now, bool waits_are_over = false);
// From nobody to somebody: so many that the evidence comes in seconds.
Share FirstShare(const Restoration& restoration, const Evidence& evidence);
// The same after everybody was taken out.
Share RetryShare(const Restoration& restoration, const Evidence& evidence);

// What was learned by proving a share, and by going on from it.
Restoration AfterProof(Restoration restoration, Share share);
void RememberStep(Search& search);

// A person says that it was mended. Adaptive steps only; else it does nothing.
void ForgetFailures(Restoration& restoration);

// What is believed to be carried when `share` has failed.
Share TrustedBelow(const Restoration& restoration, Share share);

// Users are taken out: the restoration that has learned from it, and the share to go to.
struct Withdrawal {
  Share to;
  Restoration restoration;
  std::string why;
};
// `check` has FAILED at `share`; an empty one was silent. To nobody where no share was ever proven.
Withdrawal Withdraw(const Restoration& before, const Evidence& evidence, Share share,
                    const std::string& check, TimePoint now);
// Everybody is taken out, of a platform that nothing was learned of but that.
Withdrawal WithdrawAll(const Restoration& before, const Evidence& evidence, Share share,
                       TimePoint now);

// Of a check that goes on failing at `share`. It fails at what was carried before, so that it was
// the time.
bool IsTheTime(const Restoration& restoration, const Evidence& evidence, Share share);
Restoration BlameTime(Restoration restoration);
// For people, to follow on what a cure waits for: for how long it has failed, and what comes of it.
std::string FailingInCure(const Restoration& restoration, const Evidence& evidence, Share share);
// It has failed here for so long that it must go lower; `to` is then below `share`.
Withdrawal LowerInCure(const Restoration& before, const Evidence& evidence, Share share,
                       TimePoint now);

// --- What the two files of it share.

// Slow answers tell of load, errors do not.
bool CountsSlow(const CheckSpec& check);
// `base`, doubled for each time after the first, `doublings_max` times at most.
Duration Doubled(Duration base, std::uint32_t times, std::uint32_t doublings_max);
// Whole tenths of a percent, rounded down, so that people can read it.
Share Readable(Share share);
// 100 % where it is more.
Share AtMostAll(std::uint64_t ppm);

}  // namespace headgate::engine
