// The verdict of one check on the evidence at hand. Pure.
//
// A ratio is FAILED when chance alone does not explain it: the Chernoff bound on the probability of
// so many bad events at the limit, exp(-n * KL(bad/n || limit)) (Chernoff 1952, Hoeffding 1963
// eq. 2.1), is at most exp(-kFailedNats). It is FAILED too when the newest second alone is severe:
// so much of a minimum sample is bad that waiting helps nobody (IsSevere). Above the limit
// otherwise it is DEGRADED. With adaptive steps sequential evidence takes the place of the bound:
// FAILED at `against_bar`, DEGRADED from a tenth of it, HEALTHY once the share is proven, and too
// few until then.
#pragma once

#include "common/base/clock.h"
#include "controller/engine/evidence.h"
#include "controller/engine/plan.h"
#include "controller/engine/verdict.h"

namespace headgate::engine {

// One in a thousand, per judgement.
inline constexpr double kFailedNats = 6.907755;

// n * KL(bad/n || limit) in nats where bad/n is above the limit, else 0. `limit` in (0, 1).
double NatsAgainst(Tally tally, double limit);

// How evidence is weighed, and whether the judgement says so in words: they cost more than it does.
struct Scale {
  // Of sequential evidence against: FAILED from here on (AgainstBar); 0 with fixed steps.
  double against_bar = 0;
  bool in_words = true;
  // Before the first user: what a database has not been compared in yet counts too.
  bool in_preflight = false;
};
Judgement Judge(const CheckSpec& check, const Evidence& evidence, TimePoint now,
                const Scale& scale = {});
// The verdict of a database alone, for preflight.
Judgement JudgeDatabase(const std::string& database, Duration fresh, const Evidence& evidence,
                        TimePoint now, const Scale& scale = {});

}  // namespace headgate::engine
