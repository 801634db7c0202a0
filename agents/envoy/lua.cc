#include "agents/envoy/lua.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "agents/core/forecast.h"
#include "agents/core/http_call.h"
#include "agents/core/wait_lua.h"

namespace headgate::envoy {
namespace {

using agent::LuaQuoted;

// What stands below waiting.lua. Retry-After, and whether anybody is in, is read from the share
// file, at most once a second and worker, because Lua cannot ask the runtime; it is spread by half
// of itself, so that people do not come back as one.
constexpr char kLook[] =
    R"lua(local KEY_KIND, KEY_NAME = {key_kind}, {key_name}
local looked, base, width = 0, 10, 0

local function look()
  local now = os.time()
  if now ~= looked then
    looked = now
    local file = io.open({share}, "r")
    local text = file and file:read(4096)
    if file then file:close() end
    base = tonumber(text and text:match("retry_after: \"(%d+)\"")) or base
    width = tonumber(text and text:match("version_info: \"(%d+)%-")) or 0
  end
end

local function retry_after()
  return tostring(math.max(1, math.floor(base * (1 + math.random() / 2))))
end

)lua";

// Defines bucket_of.
constexpr char kHash[] =
    R"lua(-- XXH64 with seed 0, as its specification has it.
local bit = require "bit"
local P1, P2, P3 = 0x9E3779B185EBCA87ULL, 0xC2B2AE3D27D4EB4FULL, 0x165667B19E3779F9ULL
local P4, P5 = 0x85EBCA77C2B2AE63ULL, 0x27D4EB2F165667C5ULL
local rol, bxor, shr = bit.rol, bit.bxor, bit.rshift
local function number(key, at, bytes)
  local value = 0ULL
  for i = bytes - 1, 0, -1 do value = value * 256 + key:byte(at + i) end
  return value
end
local function round(sum, lane) return rol(sum + lane * P2, 31) * P1 end
local function merge(hash, sum) return bxor(hash, round(0ULL, sum)) * P1 + P4 end
local function bucket_of(key)
  local at, size, hash = 1, #key, P5
  if size >= 32 then
    local a, b, c, d = P1 + P2, P2, 0ULL, 0ULL - P1
    while at + 31 <= size do
      a, b = round(a, number(key, at, 8)), round(b, number(key, at + 8, 8))
      c, d = round(c, number(key, at + 16, 8)), round(d, number(key, at + 24, 8))
      at = at + 32
    end
    hash = rol(a, 1) + rol(b, 7) + rol(c, 12) + rol(d, 18)
    hash = merge(merge(merge(merge(hash, a), b), c), d)
  end
  hash = hash + size
  while at + 7 <= size do
    hash = rol(bxor(hash, round(0ULL, number(key, at, 8))), 27) * P1 + P4
    at = at + 8
  end
  if at + 3 <= size then
    hash = rol(bxor(hash, number(key, at, 4) * P1), 23) * P2 + P3
    at = at + 4
  end
  while at <= size do
    hash = rol(bxor(hash, key:byte(at) * P5), 11) * P1
    at = at + 1
  end
  hash = bxor(hash, shr(hash, 33)) * P2
  hash = bxor(hash, shr(hash, 29)) * P3
  return tonumber(bit.band(bxor(hash, shr(hash, 32)), 0xFFFFFULL))
end

)lua";

constexpr char kWait[] =
    R"lua(-- As the routes find it.
local function key_of(headers)
  if KEY_KIND == "header" then return headers:get(KEY_NAME) end
  if KEY_KIND ~= "cookie" then return nil end
  local key
  for name, value in (";" .. (headers:get("cookie") or "")):gmatch(";[ \t]*([^=;]+)=([^;]+)") do
    if name == KEY_NAME then key = value end
  end
  return key
end

-- Who is given a cookie with this answer, as the routes give it: whether it is in, which Lua does
-- not see, the next look decides.
local function is_given_cookie(headers)
  if KEY_KIND ~= "cookie" or headers:get(":method") ~= "GET" then return false end
  local mode = headers:get("sec-fetch-mode")
  if mode then return mode == "navigate" end
  return (headers:get("accept") or ""):lower():find("text/html", 1, true) ~= nil
end

function envoy_on_request(handle)
  look()
  local headers = handle:headers()
  local key = key_of(headers)
  local bucket = key and key ~= "" and bucket_of(key) or nil
  local is_soon = not bucket and width > 0 and is_given_cookie(headers)
  local retry = is_soon and waiting.SOON or retry_after()
  local kind, body = waiting.answer(headers:get("accept"), headers:get("accept-language"), bucket,
    retry, os.time(), is_soon)
  handle:respond({{[":status"] = "503", ["retry-after"] = retry, ["cache-control"] = "no-store",
    ["content-type"] = kind, ["{header}"] = "{gate}"}}, body)
end
)lua";

constexpr char kWord[] =
    R"(function envoy_on_request(handle)
  handle:respond({{[":status"] = "{status}", ["cache-control"] = "no-store",
    ["content-type"] = "text/plain", ["{header}"] = "{gate}"}}, "{word}\n")
end
)";

}  // namespace

std::string BucketLua() { return kHash; }

std::string LuaNameOf(const agent::UserKey& key) {
  std::string name = key.name;
  if (key.kind == agent::UserKey::Kind::kHeader) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  }
  return LuaQuoted(name);
}

std::string WaitLua(const LuaOptions& options) {
  return agent::WaitingLua(options.pages, agent::ForecastFileOf(options.share)) +
         fmt::format(kLook,
                     fmt::arg("key_kind", LuaQuoted(std::string(agent::NameOf(options.key.kind)))),
                     fmt::arg("key_name", LuaNameOf(options.key)),
                     fmt::arg("share", LuaQuoted(options.share))) +
         BucketLua() +
         fmt::format(kWait, fmt::arg("header", agent::kGateHeader), fmt::arg("gate", options.gate));
}

std::string WordLua(const std::string& gate, int status, const std::string& word) {
  return fmt::format(kWord, fmt::arg("status", status), fmt::arg("header", agent::kGateHeader),
                     fmt::arg("gate", gate), fmt::arg("word", word));
}

}  // namespace headgate::envoy
