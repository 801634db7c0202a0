// What the journal keeps of a gate: its whole durable state, and why it became so. Values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "common/base/clock.h"
#include "common/base/share.h"
#include "common/base/version.h"
#include "controller/engine/plan.h"

namespace headgate::engine {

// Who or what decided, and on which evidence.
struct Cause {
  enum class Kind { kOperator, kCheck, kPlan, kRecovery, kAgent };
  Kind kind = Kind::kPlan;
  std::string who;
  std::string what;
  std::string why;
  std::string request_id;
  std::vector<std::string> evidence;
  friend bool operator==(const Cause&, const Cause&) = default;
};

// The phases of a restoration; each holds only its own fields.
struct Preflight {
  friend bool operator==(const Preflight&, const Preflight&) = default;
};
struct WaitingForApproval {
  Share step;
  friend bool operator==(const WaitingForApproval&, const WaitingForApproval&) = default;
};
struct Admitting {
  Share step;
  friend bool operator==(const Admitting&, const Admitting&) = default;
};
struct Holding {
  enum class Why {
    kOperatorAsked,
    kCheckFailed,
    kNoData,
    kRestarted,
    kRetriesExhausted,
    // An agent was lowered by somebody whose decision the journal does not have.
    kAgentDiffers,
  };
  Why why = Why::kOperatorAsked;
  std::string detail;
  friend bool operator==(const Holding&, const Holding&) = default;
};
struct Retreating {
  Share from;
  Share to;
  friend bool operator==(const Retreating&, const Retreating&) = default;
};
struct Curing {
  Share failed;
  TimePoint not_before;
  friend bool operator==(const Curing&, const Curing&) = default;
};
struct Watching {
  friend bool operator==(const Watching&, const Watching&) = default;
};
struct Completed {
  std::string detail;
  friend bool operator==(const Completed&, const Completed&) = default;
};
struct Aborted {
  std::string detail;
  friend bool operator==(const Aborted&, const Aborted&) = default;
};
struct Failed {
  std::string detail;
  friend bool operator==(const Failed&, const Failed&) = default;
};

using Phase = std::variant<Preflight, WaitingForApproval, Admitting, Holding, Retreating, Curing,
                           Watching, Completed, Aborted, Failed>;

// What the search of adaptive steps has learned so far.
struct Search {
  // Why users were taken out: this share is too large by itself, it brings more load than can be
  // carried now, or it is the time and not the share.
  enum class Why { kShare, kLoad, kTime };

  // Changes of the share, in the whole life of the restoration.
  std::uint32_t changes = 0;
  // The share that failed by its load and has not been proven since; none: 0. Restoration::failed
  // is the one that failed by itself.
  Share failed_by_load;
  // Of the newest retreat: the share that failed, when, why, what was trusted to be carried then,
  // and for how long it must cure.
  Share from;
  TimePoint at;
  Why why = Why::kShare;
  Share trusted;
  Duration cure{0};
  // What was known to fail before it: if it was the time, nothing was learned.
  Share failed_before;
  // How often it was the share, a load that no utilisation saw, the time; how often all were out.
  std::uint32_t by_share = 0;
  std::uint32_t by_load = 0;
  std::uint32_t by_time = 0;
  std::uint32_t drains = 0;
  // Retreats in a row end when this share is proven; none: 0.
  Share regain;
  // Since everybody was taken out no share has been proven.
  bool on_probation = false;
  // The largest step up where nothing but slow answers would tell of a knee.
  Share step_max = Share::All();
  friend bool operator==(const Search&, const Search&) = default;
};

struct Restoration {
  std::string id;
  Plan plan;
  TimePoint started;
  std::string started_by;
  bool when_ready = false;
  // Until then no way leads past PREFLIGHT.
  bool passed_preflight = false;
  Phase phase;
  TimePoint phase_since;
  // The highest share that was proven and has not failed since.
  Share proven;
  // The share that failed last and has not been proven since; none: 0.
  Share failed;
  // Shares up to this one have been approved.
  Share approved;
  // Retreats since the failed share, or a higher one, was proven.
  std::uint32_t retreats_in_a_row = 0;
  std::uint32_t retreats = 0;
  // With adaptive steps only.
  Search search;
  friend bool operator==(const Restoration&, const Restoration&) = default;
};

bool HasEnded(const Restoration& restoration);
// "ADMITTING", "HOLDING", …
const char* NameOf(const Phase& phase);

// What an operator calls an agent by: zone=eu-1.
using Labels = std::map<std::string, std::string>;

struct GateRecord {
  std::string gate;
  Version version;
  Share share;
  bool no_raise = false;
  // While an operator's `open` is in force, and the share that it returns to.
  std::optional<TimePoint> open_until;
  Share share_before_open;
  std::optional<Restoration> restoration;
  // The newest kRequestIdsMax requests that were carried out, as RequestMark writes them.
  std::vector<std::string> request_ids;
  // Empty in journals of before there were any, until the first RotateCookieKey.
  CookieKeys cookie_keys{};
  // Every agent that was seen to obey the gate and was not removed since: one that is not back
  // after a restart is a load balancer that enforces what it was told last. And those that an
  // operator removed, until they come back or another restoration asks for them again.
  std::set<std::string> agents{};
  std::set<std::string> removed{};
  // Of a part ("shop@eu"): the agents that obey it have all of these. Else empty.
  Labels labels{};
  // It is no more.
  bool is_removed = false;
  friend bool operator==(const GateRecord&, const GateRecord&) = default;
};

// A restoration of it runs.
bool IsRestoring(const GateRecord& record);

inline constexpr std::size_t kRequestIdsMax = 64;

}  // namespace headgate::engine
