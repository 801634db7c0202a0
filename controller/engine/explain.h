// What a gate is doing and waits for, in words. The same text goes to `explain`, `watch` and, with
// each decision, into the journal. Pure.
#pragma once

#include <string>
#include <vector>

#include "common/base/clock.h"
#include "controller/engine/obstacles.h"
#include "controller/engine/state.h"

namespace headgate::engine {

// The next step above the present share; 100 % if there is none.
Share NextStep(const Restoration& restoration, Share share);

struct Explanation {
  // One line: "admitting 10 %, clear for 4 of 10 s".
  std::string doing;
  std::vector<std::string> waits_for;
  Judgements checks;
  Share next;
};
Explanation Explain(const State& state, const Gate& gate, TimePoint now);

// What a start would wait for, as far as it can be known without starting: its checks are read only
// once it has.
std::string Foresee(Gate gate, const GateRecord& next, TimePoint now);

// It travels in the trailers of a call, which gRPC bounds at 8 KiB with every byte escaped.
inline constexpr std::size_t kListBytesMax = 2'000;
// The head and, below it, a line each, as far as they fit; then how many more there are.
std::string AsList(std::string head, const std::vector<std::string>& lines);

// One line per check, for the journal.
std::vector<std::string> EvidenceLines(const Gate& gate, TimePoint now);

}  // namespace headgate::engine
