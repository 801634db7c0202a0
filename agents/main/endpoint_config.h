// The decision endpoint's part of agent.yaml. Pure but for the waiting page's file. Include in .cc
// files only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "agents/core/user_key.h"
#include "agents/endpoint/endpoint.h"
#include "agents/main/yaml_reader.h"

namespace headgate::agent {

// `parent`: the gate's mapping. The readers: of the keys that every load balancer has.
endpoint::Settings ReadEndpoint(
    YamlMapping& parent, const std::string& gate,
    const std::function<UserKey(YamlMapping&)>& read_key,
    const std::function<std::vector<std::uint32_t>(YamlMapping&)>& read_slow);

}  // namespace headgate::agent
