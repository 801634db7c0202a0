#include "agents/envoy/lua.h"

#include <fmt/format.h>

#include "agents/core/http_call.h"
#include "agents/core/wait_page.h"

namespace headgate::envoy {
namespace {

// Retry-After is read from the share file, at most once a second and worker, because Lua cannot ask
// the runtime; it is spread by half of itself, so that people do not come back as one.
constexpr char kWait[] =
    R"(local PAGE = {page}
local PROBLEM = {problem}
local looked, base = 0, 10

local function retry_after()
  local now = os.time()
  if now ~= looked then
    looked = now
    local file = io.open({share}, "r")
    local text = file and file:read(4096)
    if file then file:close() end
    base = tonumber(text and text:match("retry_after: \"(%d+)\"")) or base
  end
  return tostring(math.max(1, math.floor(base * (1 + math.random() / 2))))
end

function envoy_on_request(handle)
  local retry = retry_after()
  local accept = (handle:headers():get("accept") or ""):lower()
  local wants_json = accept:find("application/json", 1, true)
    or accept:find("application/problem+json", 1, true)
  local kind, body = "text/html; charset=utf-8", PAGE
  if wants_json and not accept:find("text/html", 1, true) then
    kind, body = "application/problem+json", PROBLEM
  end
  handle:respond({{[":status"] = "503", ["retry-after"] = retry, ["cache-control"] = "no-store",
    ["content-type"] = kind, ["{header}"] = "{gate}"}}, (body:gsub("{{retry}}", retry)))
end
)";

constexpr char kWord[] =
    R"(function envoy_on_request(handle)
  handle:respond({{[":status"] = "{status}", ["cache-control"] = "no-store",
    ["content-type"] = "text/plain", ["{header}"] = "{gate}"}}, "{word}\n")
end
)";

// A Lua string on one line, of plain ASCII: it stands in YAML.
std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
    quoted += is_plain ? std::string(1, c) : fmt::format("\\{:03}", static_cast<unsigned>(byte));
  }
  return quoted + "\"";
}

}  // namespace

std::string WaitLua(const LuaOptions& options) {
  return fmt::format(
      kWait,
      fmt::arg("page", Quoted(options.page.empty() ? agent::WaitPage("{retry}") : options.page)),
      fmt::arg("problem", Quoted(agent::WaitProblem("{retry}"))),
      fmt::arg("share", Quoted(options.share)), fmt::arg("header", agent::kGateHeader),
      fmt::arg("gate", options.gate));
}

std::string WordLua(const std::string& gate, int status, const std::string& word) {
  return fmt::format(kWord, fmt::arg("status", status), fmt::arg("header", agent::kGateHeader),
                     fmt::arg("gate", gate), fmt::arg("word", word));
}

}  // namespace headgate::envoy
