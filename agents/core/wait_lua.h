// The Lua by which nginx and Envoy tell who is refused: waiting.lua with its constants above it.
// Pure: any thread.
#pragma once

#include <string>

#include "agents/core/wait_page.h"

namespace headgate::agent {

// A Lua string on one line, of plain ASCII, whatever it holds.
std::string LuaQuoted(const std::string& text);
// Defines the local `waiting`.
std::string WaitingLua(const WaitPages& pages, const std::string& forecast_file);

}  // namespace headgate::agent
