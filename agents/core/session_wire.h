// Between the agent's values and the protocol's messages. Pure: any thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/core/outbox.h"
#include "agents/core/session.h"
#include "headgate/v1/agent.pb.h"

namespace headgate::agent {

v1::Hello HelloFrom(const Self& self, const std::vector<GateWord>& words);
v1::Report ReportFrom(const GateWord& word);
v1::Counters CountersFrom(const Self& self, std::uint64_t sequence,
                          const std::vector<GateWord>& words);

// Of a directive that no gate of ours took.
v1::Report RefusalOf(const v1::Directive& directive, RefusalCode code, const std::string& why);

// INVALID_ARGUMENT: out of its bounds.
absl::StatusOr<Offer> OfferFrom(const v1::Directive& directive);

}  // namespace headgate::agent
