#include "agents/nginx/snippet.h"

#include <fmt/format.h>

#include "agents/core/cookie.h"
#include "agents/core/forecast.h"
#include "agents/core/wait_lua.h"
#include "agents/nginx/control.h"
#include "agents/nginx/gate_lua.h"

namespace headgate::nginx {
namespace {

using agent::LuaQuoted;

absl::Status Check(const SnippetOptions& options) {
  if (absl::Status status = agent::CheckGateName(options.gate); !status.ok()) return status;
  absl::Status status = agent::CheckPath("--folder", options.folder);
  if (status.ok()) status = agent::CheckPath("--share", options.share);
  if (status.ok()) status = agent::CheckPlainWord("--probe-path", options.probe_path);
  return status;
}

// How nginx runs the gate's Lua: read once by each worker.
std::string Call(const SnippetOptions& options, const char* function) {
  return fmt::format("{{ (package.loaded[\"headgate.{}\"] or dofile(\"{}\")).{}() }}", options.gate,
                     LuaFileOf(options), function);
}

std::string Networks(const SnippetOptions& options, const std::vector<agent::Bypass>& rules) {
  std::string text;
  for (const agent::Bypass& rule : rules) {
    if (rule.kind == agent::Bypass::Kind::kNetwork) text += fmt::format("    {} 1;\n", rule.text);
  }
  if (text.empty()) return "";
  return fmt::format("geo ${}_net {{\n    default 0;\n{}}}\n", agent::VariableOf(options.gate),
                     text);
}

}  // namespace

std::string LuaFileOf(const SnippetOptions& options) {
  return fmt::format("{}/{}.lua", options.folder, options.gate);
}

std::string TokenFileOf(const SnippetOptions& options) {
  return fmt::format("{}/{}.token", options.folder, options.gate);
}

absl::StatusOr<std::string> Snippet(const SnippetOptions& options) {
  if (absl::Status status = Check(options); !status.ok()) return status;
  const auto rules = agent::ParseBypasses(options.bypass);
  if (!rules.ok()) return rules.status();
  return fmt::format(
      "# Gate '{gate}', made by headgate-agent {version}, for nginx with libnginx-mod-http-lua "
      "and\n"
      "# libxxhash0. Two parts to paste, each where it says.\n"
      "#\n"
      "# Before nginx is reloaded, make the gate's files; the share admits everybody until the "
      "gate\n"
      "# exists:\n"
      "#   headgate-agent snippet nginx --gate {gate} … --write\n"
      "#\n"
      "# 1. In `http {{}}`. An old worker lives on after a reload for as long as its requests:\n"
      "#    `worker_shutdown_timeout 30s;` on top bounds that.\n"
      "{long_name}"
      "# Of all gates together: with the first one, and not again with the others.\n"
      "lua_shared_dict headgate 1m;\n"
      "map \"\" ${variable} {{ default \"\"; }}\n"
      "# For `access_log … if=${variable}_log;`: all but the gate's own answers. nginx lets Lua "
      "set a\n"
      "# variable only if something uses it, so leave this here.\n"
      "map ${variable} ${variable}_log {{ default 1; own 0; }}\n"
      "{networks}"
      "\n"
      "# 2. In the `server {{}}` of the gate. A location with an access_by_lua or log_by_lua of "
      "its own\n"
      "#    does not have the server's: call the gate's there too.\n"
      "access_by_lua_block {access}\n"
      "log_by_lua_block {log}\n"
      "location = {probe} {{\n    access_by_lua_block {call_probe}\n}}\n"
      "location = {probe}/wait {{\n    access_by_lua_block {call_refuse}\n}}\n"
      "# The agent's own, with the token.\n"
      "location = {control}{gate} {{\n    access_log off;\n    access_by_lua_block "
      "{call_control}\n}}\n",
      fmt::arg("gate", options.gate), fmt::arg("version", HEADGATE_VERSION),
      fmt::arg("long_name", agent::LongNameNote(options.gate)),
      fmt::arg("variable", agent::VariableOf(options.gate)),
      fmt::arg("networks", Networks(options, *rules)), fmt::arg("access", Call(options, "access")),
      fmt::arg("log", Call(options, "log")), fmt::arg("probe", options.probe_path),
      fmt::arg("call_probe", Call(options, "probe")),
      fmt::arg("call_refuse", Call(options, "refuse")), fmt::arg("control", kControlPath),
      fmt::arg("call_control", Call(options, "control")));
}

absl::StatusOr<std::string> Lua(const SnippetOptions& options) {
  if (absl::Status status = Check(options); !status.ok()) return status;
  const auto rules = agent::ParseBypasses(options.bypass);
  if (!rules.ok()) return rules.status();
  const auto slow_ms = agent::ThresholdsOf(options.slow_ms);
  if (!slow_ms.ok()) return slow_ms.status();
  std::string paths;
  bool has_networks = false;
  for (const agent::Bypass& rule : *rules) {
    if (rule.kind == agent::Bypass::Kind::kNetwork) {
      has_networks = true;
    } else {
      paths += fmt::format("[{}] = true, ", LuaQuoted(rule.text));
    }
  }
  return fmt::format(
      "-- Gate '{}', made by headgate-agent {}: print it again rather than edit it.\n"
      "local C = {{\n"
      "  gate = {}, variable = {},\n"
      "  share = {}, keys = {}, token = {},\n"
      "  key_kind = {}, key_name = {},\n"
      "  slow_ms = {{{}}},\n"
      "  has_paths = {}, paths = {{ {}}},\n"
      "  has_networks = {},\n"
      "  new_cookies = {}, limited_status = {}, limited_retry = {}, limited = {},\n"
      "}}\n{}\n{}",
      options.gate, HEADGATE_VERSION, LuaQuoted(options.gate),
      LuaQuoted(agent::VariableOf(options.gate).substr(sizeof "headgate_" - 1)),
      LuaQuoted(options.share), LuaQuoted(agent::CookieKeysFileOf(options.share)),
      LuaQuoted(TokenFileOf(options)), LuaQuoted(std::string(agent::NameOf(options.key.kind))),
      LuaQuoted(options.key.name), fmt::join(*slow_ms, ", "), !paths.empty(), paths, has_networks,
      options.new_cookies_per_minute, agent::kLimitedStatus, agent::kLimitedRetryAfterS,
      LuaQuoted(agent::kLimitedWords),
      agent::WaitingLua(options.pages, agent::ForecastFileOf(options.share)), kGateLua);
}

}  // namespace headgate::nginx
