// Between the agent's values and the protocol's messages. Pure: any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/core/outbox.h"
#include "headgate/v1/agent.pb.h"

namespace headgate::agent {

// Who the agent is, the same for its whole life.
struct Self {
  std::string boot_id;
  std::map<std::string, std::string> labels;
};

v1::Hello HelloFrom(const Self& self, const std::vector<GateWord>& words);
v1::Report ReportFrom(const GateWord& word);
v1::Counters CountersFrom(const Self& self, std::uint64_t sequence,
                          const std::vector<GateWord>& words);

// INVALID_ARGUMENT: out of its bounds.
absl::StatusOr<Offer> OfferFrom(const v1::Directive& directive);

}  // namespace headgate::agent
