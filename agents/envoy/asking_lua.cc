#include "agents/envoy/asking_lua.h"

#include <fmt/format.h>

#include "agents/core/forecast.h"
#include "agents/core/http_call.h"
#include "agents/core/share_file.h"
#include "agents/core/wait_lua.h"
#include "agents/envoy/lua.h"
#include "common/base/bucket.h"

namespace headgate::envoy {
namespace {

using agent::LuaQuoted;

// Above waiting.lua and bucket_of. An error in here would let the request through: what may fail is
// called by pcall, and then nobody comes in.
constexpr char kConstants[] =
    R"lua(local UNASKED, BUCKETS = {unasked}, {buckets}
local KEY_KIND, KEY_NAME = {key_kind}, {key_name}
local SHARE, WIDTH, RETRY_AFTER = {share}, {width}, {retry_after}
local GATE_HEADER, GATE = {header}, {gate}
local PATHS = {{{paths}}}
)lua";

constexpr char kDecide[] =
    R"lua(local looked, width, base = nil, 0, 10

-- A file that is missing or damaged says nothing; half a line is none.
local function read_share()
  local file = io.open(SHARE, "r")
  local text = file and file:read(4096) or ""
  if file then file:close() end
  local found = {}
  for line in text:gmatch("([^\r\n]*)\r?\n") do
    local name, value = line:match("^([%w_]+) +(%d+) *$")
    if name then
      found[name] = tonumber(value)
    elseif line ~= "" and line:sub(1, 1) ~= "#" then
      return {}
    end
  end
  return found
end

-- At most once a second and worker.
local function look()
  local now = os.time()
  if now == looked then return end
  looked, width = now, 0
  local found = read_share()
  width, base = found[WIDTH] or 0, found[RETRY_AFTER] or base
end

-- As the agent finds it. An address is none here: whose X-Forwarded-For is believed, it alone knows.
local function key_of(headers)
  if KEY_KIND == "header" then
    return (headers:get(KEY_NAME) or ""):match("^[ \t]*(.-)[ \t]*$")
  end
  if KEY_KIND ~= "cookie" then return "" end
  local key = ""
  for pair in (headers:get("cookie") or ""):gmatch("[^;]+") do
    local name, value = pair:match("^[ \t]*([^=]*)=(.-)[ \t]*$")
    if name == KEY_NAME then key = value end
  end
  return key
end

-- Whether the user is in, and their bucket.
local function decide(headers)
  look()
  if width >= BUCKETS or PATHS[headers:get(":path"):match("^[^?#]*")] then return true end
  local key = key_of(headers)
  local bucket = key ~= "" and bucket_of(key) or nil
  return bucket ~= nil and bucket < width, bucket
end

local function refuse(handle, headers, bucket)
  local retry = tostring(math.max(1, math.floor(base * (1 + math.random() / 2))))
  local is_told, kind, body = pcall(waiting.answer, headers:get("accept"),
    headers:get("accept-language"), bucket, retry, os.time())
  if not is_told then kind, body = "text/plain", "" end
  handle:respond({[":status"] = "503", ["retry-after"] = retry, ["cache-control"] = "no-store",
    ["content-type"] = kind, [GATE_HEADER] = GATE}, body)
end

function envoy_on_request(handle)
  local headers = handle:headers()
  if not headers:get(UNASKED) then return end
  headers:remove(UNASKED)
  local is_decided, is_in, bucket = pcall(decide, headers)
  if is_decided and is_in then return end
  refuse(handle, headers, is_decided and bucket or nil)
end
)lua";

}  // namespace

std::string AskingLua(const AskingLuaOptions& options) {
  std::string paths;
  for (const std::string& path : options.paths) {
    paths += fmt::format("{}[{}] = true", paths.empty() ? "" : ", ", LuaQuoted(path));
  }
  return agent::WaitingLua(options.pages, agent::ForecastFileOf(options.share)) +
         fmt::format(kConstants, fmt::arg("unasked", LuaQuoted(kUnaskedHeader)),
                     fmt::arg("buckets", kBuckets),
                     fmt::arg("key_kind", LuaQuoted(std::string(agent::NameOf(options.key.kind)))),
                     fmt::arg("key_name", LuaNameOf(options.key)),
                     fmt::arg("share", LuaQuoted(options.share)),
                     fmt::arg("width", LuaQuoted(agent::kWidthEntry)),
                     fmt::arg("retry_after", LuaQuoted(agent::kRetryAfterEntry)),
                     fmt::arg("header", LuaQuoted(agent::kGateHeader)),
                     fmt::arg("gate", LuaQuoted(options.gate)), fmt::arg("paths", paths)) +
         BucketLua() + kDecide;
}

}  // namespace headgate::envoy
