// The routes of a gate in Envoy's configuration. Pure: any thread.
#pragma once

#include <string>

#include "agents/envoy/snippet.h"

namespace headgate::envoy {

// The names of the Lua programs that the routes call.
inline constexpr char kWaitLua[] = "wait";

// `text` with each line indented by so many spaces.
std::string Indented(const std::string& text, std::size_t spaces);

// A YAML list, not indented: probes, bypassed paths, users with a key, requests without one.
// `bypass`: paths.
std::string Routes(const SnippetOptions& options, const std::vector<std::string>& bypass);

}  // namespace headgate::envoy
