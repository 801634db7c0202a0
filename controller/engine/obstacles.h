// What stands in the way of a raise: the journal, agents, checks. The same list that `explain`
// shows decides. Pure.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "controller/engine/state.h"
#include "controller/engine/verdict.h"

namespace headgate::engine {

using Judgements = std::vector<std::pair<std::string, Judgement>>;

// Every check's, in the plan's order; with `preflight` those of the databases that preflight names.
Judgements JudgeAll(const Gate& gate, TimePoint now, bool preflight, bool in_words = true);

// What must happen before the share may rise; empty: nothing stands in the way but time.
// `may_lack_counts`: that too little was counted is in no way. So a restoration begins that finds
// some in already, at their share, which it then proves; nothing rises by it.
std::vector<std::string> Obstacles(const State& state, const Gate& gate, TimePoint now,
                                   bool may_lack_counts = false);
// The same as Obstacles(...).empty(), without the words. `may_be_pending`: what preflight waits for
// because it has not been looked at to its end is in no way.
bool IsClear(const State& state, const Gate& gate, TimePoint now, bool may_lack_counts = false,
             bool may_be_pending = false);
// The part of it that is about agents: connected, obedient, and carrying the traffic.
std::vector<std::string> AgentObstacles(const Gate& gate, TimePoint now);
// Who must be there: the newest plan's agents, and every one that was ever seen and not removed.
std::set<std::string> ExpectedAgents(const Gate& gate);
// Without users, or before a restoration has begun to admit: its databases are looked at too.
bool IsInPreflight(const Gate& gate);
// Agents that carry at least kQuorumPpm of the traffic have observed the gate's version.
bool IsObserved(const Gate& gate);
// The agent's part of the gate's traffic, in parts per million.
std::uint32_t WeightPpmOf(const Gate& gate, const std::string& agent);

inline constexpr std::uint64_t kQuorumPpm = 990'000;
// An agent whose counts are older than this is blind: its load balancer may serve errors unseen.
inline constexpr Duration kCountsFresh{3'000};

// "orders is FAILED: replica db3: …", "errors HEALTHY: 0.31 % (bound 1 %), 62 of 20000 in 30s";
// `is` stands between the name and the verdict.
std::string JudgementText(const std::string& name, const Judgement& judgement,
                          const std::string& is);

}  // namespace headgate::engine
