#include "agents/endpoint/snippet.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "agents/core/http_call.h"
#include "agents/core/wait_page.h"
#include "agents/endpoint/answer.h"
#include "agents/endpoint/desk.h"

namespace headgate::endpoint {
namespace {

// "$cookie_headgate_uid": how nginx names the user's key.
std::string KeyVariable(const agent::UserKey& key) {
  switch (key.kind) {
    case agent::UserKey::Kind::kCookie:
      return "$cookie_" + key.name;
    case agent::UserKey::Kind::kHeader: {
      std::string name = key.name;
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
        return c == '-' ? '_' : static_cast<char>(std::tolower(c));
      });
      return "$http_" + name;
    }
    case agent::UserKey::Kind::kClientAddress:
      return "$remote_addr";
  }
  return "";
}

std::string EscapedForRegex(const std::string& path) {
  std::string escaped;
  for (const char c : path) {
    if (c == '.' || c == '+') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

class NginxWriter {
 public:
  NginxWriter(const SnippetOptions& options, const std::vector<agent::Bypass>& bypass)
      : options_(options), bypass_(bypass), name_(agent::VariableOf(options.gate)) {}

  std::string Http() const;
  std::string Server() const;

 private:
  bool is_static() const { return options_.on_agent_failure == OnAgentFailure::kStatic; }
  std::string BypassMaps() const;
  std::string Cache(const std::string& key, const std::string& unless) const;
  std::string Ask(const std::string& path) const;
  std::string Passed() const;
  std::string Log() const;
  std::string Failed() const;
  std::string Strange() const;
  std::string Page() const;

  const SnippetOptions& options_;
  const std::vector<agent::Bypass>& bypass_;
  // "headgate_shop".
  const std::string name_;
};

// For the hour without an agent only: else the agent knows its rules.
std::string NginxWriter::BypassMaps() const {
  std::string paths;
  std::string networks;
  for (const agent::Bypass& rule : bypass_) {
    if (rule.kind == agent::Bypass::Kind::kPath) {
      paths += fmt::format("    \"~^{}(\\?|$)\" 1;\n", EscapedForRegex(rule.text));
    } else {
      networks += fmt::format("    {} 1;\n", rule.text);
    }
  }
  return fmt::format(
      "map $request_uri ${0}_path {{\n    default 0;\n{1}}}\n"
      "geo ${0}_net {{\n    default 0;\n{2}}}\n"
      "map \"${0}_path${0}_net\" ${0}_bypass {{ default 1; 00 0; }}\n",
      name_, paths, networks);
}

std::string NginxWriter::Http() const {
  std::string text = agent::LongNameNote(options_.gate);
  text += fmt::format(
      "upstream {name} {{\n    server {listen};\n    keepalive 32;\n}}\n"
      "# Where nobody listens: in the agent's place while something else answers there. nginx "
      "takes\n"
      "# garbage for an answer without a status, of which no kept answer would help.\n"
      "upstream {name}_nobody {{\n    server unix:/dev/null;\n}}\n"
      "map ${name}_strange ${name}_agent {{ volatile; default {name}; 1 {name}_nobody; }}\n"
      "map ${name}_status ${name}_is_strange {{ volatile; default 1; \"\" 0; \"~^(2..|403)$\" 0; "
      "}}\n"
      "map ${name}_retry ${name}_retry_after {{ \"\" 10; default ${name}_retry; }}\n"
      "map $http_accept ${name}_kind {{\n"
      "    default html;\n    \"~*text/html\" html;\n"
      "    \"~*application/(problem\\+)?json\" json;\n}}\n"
      "# A kept answer's cookie was somebody's already.\n"
      "map ${name}_kept ${name}_cookie {{ default ${name}_given; STALE \"\"; }}\n"
      "map ${name}_cookie ${name}_private {{ default private; \"\" \"\"; }}\n"
      "# Whether the agent itself has refused, and so has a page to show.\n"
      "map \"${name}_kept:${name}_verdict\" ${name}_told {{\n"
      "    default 0;\n    \"~^STALE:\" 0;\n    \"~:out$\" 1;\n}}\n",
      fmt::arg("name", name_), fmt::arg("listen", options_.listen.ToString()));
  text += BypassMaps();
  if (is_static()) {
    text += fmt::format(
        "# The last answer to each user, for the hour without an agent. Make the folder so that "
        "the\n"
        "# agent may remove what a lowering has made wrong, before nginx starts:\n"
        "#   install -d -m 2770 -o www-data -g headgate {folder}\n"
        "proxy_cache_path {folder} keys_zone={name}:16m max_size=256m inactive=12h "
        "use_temp_path=off;\n",
        fmt::arg("folder", options_.remembered), fmt::arg("name", name_));
  }
  if (!options_.access_log.empty()) {
    text += fmt::format(
        "log_format {name} '{gate} ${name}_verdict $status $request_time "
        "$upstream_header_time';\n"
        "map ${name}_verdict ${name}_log {{ default 0; in 1; bypass 1; }}\n",
        fmt::arg("name", name_), fmt::arg("gate", options_.gate));
  }
  return text;
}

std::string NginxWriter::Cache(const std::string& key, const std::string& unless) const {
  return fmt::format(
      "    # Never fresh: the agent is asked each time. Kept for when it does not answer.\n"
      "    proxy_cache {name};\n"
      "    proxy_cache_key {key};\n"
      "    proxy_cache_bypass ${name}_bypass;\n"
      "    # The agent is told what is kept, and says when there is nothing new to write.\n"
      "    proxy_cache_revalidate on;\n"
      "    proxy_set_header {keeps} {keeps_word}$upstream_cache_etag;\n"
      "    proxy_set_header {keeps_as} {key};\n"
      "    proxy_no_cache {unless} $upstream_http_x_headgate_kept;\n"
      "    proxy_ignore_headers Cache-Control Expires Set-Cookie Vary;\n"
      "    proxy_cache_use_stale error timeout invalid_header http_500 http_502 http_503 "
      "http_504;\n",
      fmt::arg("name", name_), fmt::arg("key", key), fmt::arg("unless", unless),
      fmt::arg("keeps", kKeepsHeader), fmt::arg("keeps_as", kKeepsAsHeader),
      fmt::arg("keeps_word", kKeepsWord));
}

// What the agent reads of a request, and nothing else of what a browser sends: both sides would pay
// for it at each request. Of a header that names the user it sees every line.
std::string NginxWriter::Passed() const {
  if (options_.key.kind == agent::UserKey::Kind::kHeader) return "";
  return "    proxy_pass_request_headers off;\n"
         "    proxy_set_header Cookie $http_cookie;\n"
         "    proxy_set_header Accept $http_accept;\n"
         "    proxy_set_header Accept-Language $http_accept_language;\n"
         "    proxy_set_header Sec-Fetch-Mode $http_sec_fetch_mode;\n";
}

// `path`: below the agent.
std::string NginxWriter::Ask(const std::string& path) const {
  return fmt::format(
      "    uninitialized_variable_warn off;\n"
      "    proxy_pass http://${}_agent{};\n"
      "    proxy_http_version 1.1;\n"
      "    proxy_pass_request_body off;\n"
      "{}"
      "    proxy_set_header Connection \"\";\n"
      "    proxy_set_header Content-Length \"\";\n"
      "    # Set here, so that what a user sends under these names is not believed.\n"
      "    proxy_set_header X-Original-URL $scheme://$http_host$request_uri;\n"
      "    proxy_set_header X-Original-Method $request_method;\n"
      "    proxy_set_header X-Forwarded-For $remote_addr;\n"
      "    # An agent that hangs costs each request this long.\n"
      "    proxy_connect_timeout 200ms;\n"
      "    proxy_send_timeout 200ms;\n"
      "    proxy_read_timeout 200ms;\n"
      "    proxy_intercept_errors on;\n",
      name_, path, Passed());
}

std::string NginxWriter::Log() const {
  if (options_.access_log.empty()) return "";
  return fmt::format(
      "# One datagram for each answer to a user who was admitted. A location with an access_log "
      "of\n"
      "# its own does not have the server's: write this there too.\n"
      "access_log syslog:server={log},tag=headgate,nohostname {name} if=${name}_log;\n",
      fmt::arg("log", options_.access_log), fmt::arg("name", name_));
}

std::string NginxWriter::Failed() const {
  if (options_.on_agent_failure == OnAgentFailure::kOpen) {
    return fmt::format(
        "# No agent, no gate: everybody is let through, in the hour of an overload too.\n"
        "location @{0}_failed {{\n    internal;\n    return 204;\n}}\n",
        name_);
  }
  if (!is_static()) {
    return fmt::format(
        "# No agent: only what is always let through.\n"
        "location @{0}_failed {{\n    internal;\n    if (${0}_bypass) {{ return 204; }}\n"
        "    return 403;\n}}\n",
        name_);
  }
  return fmt::format(
      "# No agent, and nothing is kept of this user. What was last said to users without a key "
      "holds\n"
      "# for them: they come in only if everybody did.\n"
      "location @{name}_failed {{\n"
      "    internal;\n"
      "    auth_request off;\n"
      "    if (${name}_bypass) {{ return 204; }}\n"
      "    rewrite ^ {path} break;\n"
      "{ask}"
      "    recursive_error_pages off;\n"
      "    error_page 400 401 404 413 431 500 502 503 504 = @{name}_unknown;\n"
      "{cache}"
      "}}\n"
      "location @{name}_unknown {{\n    internal;\n    return 403;\n}}\n",
      fmt::arg("name", name_), fmt::arg("path", kNginxPath), fmt::arg("ask", Ask("")),
      fmt::arg("cache", Cache("\"\"", "1")));
}

// nginx itself makes a 500 of what it cannot read. The request begins anew, and finds no agent
// then; a 500 of nginx's own stays one.
std::string NginxWriter::Strange() const {
  return fmt::format(
      "# Of an answer that no agent gives: as if there were no agent.\n"
      "error_page 500 = @{0}_strange;\n"
      "location @{0}_strange {{\n"
      "    internal;\n"
      "    auth_request off;\n"
      "    recursive_error_pages off;\n"
      "    if (${0}_is_strange = 0) {{ return 500; }}\n"
      "    set ${0}_strange 1;\n"
      "    rewrite ^ $uri last;\n"
      "}}\n"
      "# Of a 401, which nginx would hand on to the user.\n"
      "location @{0}_no_answer {{\n    internal;\n    return 418;\n}}\n",
      name_);
}

// The agent knows the person's return and the operator's pages. Ours stands in nginx too, so that
// there is one without an agent.
std::string NginxWriter::Page() const {
  const std::string retry = fmt::format("${}_retry_after", name_);
  return fmt::format(
      "location @{name}_wait {{\n"
      "    internal;\n"
      "    auth_request off;\n"
      "    if (${name}_told = 0) {{ rewrite ^ /.headgate/wait/{gate} last; }}\n"
      "    rewrite ^ {path} break;\n"
      "{ask}"
      "    error_page 500 502 504 = /.headgate/wait/{gate};\n"
      "    proxy_set_header X-Headgate-Given ${name}_given;\n"
      "    add_header Set-Cookie ${name}_cookie always;\n"
      "}}\n"
      "location = /.headgate/wait/{gate} {{\n"
      "    internal;\n"
      "    add_header Retry-After {retry} always;\n"
      "    add_header Cache-Control no-store always;\n"
      "    add_header {gate_header} {gate} always;\n"
      "    add_header Set-Cookie ${name}_cookie always;\n"
      "    if (${name}_verdict = limited) {{ return {limited_status} '{limited}'; }}\n"
      "    if (${name}_kind = json) {{ rewrite ^ /.headgate/wait/{gate}.json last; }}\n"
      "    default_type \"text/html; charset=utf-8\";\n"
      "    return 503 '{page}';\n"
      "}}\n"
      "location = /.headgate/wait/{gate}.json {{\n"
      "    internal;\n"
      "    add_header Retry-After {retry} always;\n"
      "    add_header Cache-Control no-store always;\n"
      "    add_header {gate_header} {gate} always;\n"
      "    default_type application/problem+json;\n"
      "    return 503 '{problem}';\n"
      "}}\n",
      fmt::arg("name", name_), fmt::arg("gate", options_.gate), fmt::arg("path", kNginxWaitPath),
      fmt::arg("ask", Ask("")), fmt::arg("retry", retry),
      fmt::arg("gate_header", agent::kGateHeader),
      fmt::arg("limited_status", agent::kLimitedStatus), fmt::arg("limited", agent::kLimitedWords),
      fmt::arg("page",
               agent::WaitPages().For("").Text(agent::Known::kNothing, {.retry_after = retry})),
      fmt::arg("problem", agent::WaitProblem(agent::Known::kNothing, {.retry_after = retry})));
}

std::string NginxWriter::Server() const {
  return fmt::format(
      "auth_request /.headgate/authz/{gate};\n"
      "auth_request_set ${name}_status $status;\n"
      "auth_request_set ${name}_verdict $upstream_http_x_headgate_verdict;\n"
      "auth_request_set ${name}_given $upstream_http_set_cookie;\n"
      "auth_request_set ${name}_kept $upstream_cache_status;\n"
      "auth_request_set ${name}_retry $upstream_http_retry_after;\n"
      "# A location with an add_header of its own does not have the server's: write these there "
      "too.\n"
      "add_header Set-Cookie ${name}_cookie always;\n"
      "add_header Cache-Control ${name}_private always;\n"
      "error_page 403 = @{name}_wait;\n"
      "# For an agent that is gone since it has refused: then nginx's own page.\n"
      "recursive_error_pages on;\n"
      "{strange}{log}"
      "location = /.headgate/authz/{gate} {{\n"
      "    internal;\n"
      "    auth_request off;\n"
      "    access_log off;\n"
      "{ask}"
      "{recursive}"
      "    error_page 401 = @{name}_no_answer;\n"
      "    error_page 400 413 431 500 502 503 504 = @{name}_failed;\n"
      "{cache}"
      "}}\n"
      "{failed}{page}",
      fmt::arg("gate", options_.gate), fmt::arg("name", name_), fmt::arg("log", Log()),
      fmt::arg("strange", Strange()), fmt::arg("ask", Ask(kNginxPath)),
      // Where what failed is tried in a second way.
      fmt::arg("recursive", is_static() ? "    recursive_error_pages on;\n"
                                        : "    recursive_error_pages off;\n"),
      fmt::arg("cache",
               is_static() ? Cache(KeyVariable(options_.key), "$" + name_ + "_bypass") : ""),
      fmt::arg("failed", Failed()), fmt::arg("page", Page()));
}

}  // namespace

absl::Status CheckSnippet(const SnippetOptions& options) {
  if (absl::Status status = agent::CheckGateName(options.gate); !status.ok()) return status;
  if (options.listen.is_unix()) {
    if (auto status = agent::CheckPlainWord("--listen", options.listen.path); !status.ok()) {
      return status;
    }
  }
  const bool has_dot = options.key.name.find('.') != std::string::npos;
  if (has_dot && options.key.kind != agent::UserKey::Kind::kClientAddress) {
    return absl::InvalidArgumentError(fmt::format(
        "--key '{}': nginx has no variable for a name with a dot in it: name it without",
        options.key.ToString()));
  }
  if (!options.access_log.empty()) {
    const auto listen = ParseListen("--access-log", options.access_log);
    if (!listen.ok()) return listen.status();
  }
  if (options.on_agent_failure != OnAgentFailure::kStatic) return absl::OkStatus();
  if (options.remembered.empty()) {
    return absl::InvalidArgumentError(
        "--remembered is missing: the folder in which nginx keeps the answers by which users stay "
        "while the agent is dead, as in agent.yaml; or choose --on-agent-failure closed or open");
  }
  return agent::CheckPath("--remembered", options.remembered);
}

absl::StatusOr<OnAgentFailure> ParseOnAgentFailure(const std::string& word) {
  if (word == "static") return OnAgentFailure::kStatic;
  if (word == "closed") return OnAgentFailure::kClosed;
  if (word == "open") return OnAgentFailure::kOpen;
  return absl::InvalidArgumentError(fmt::format(
      "--on-agent-failure '{}': write static (who was admitted stays), closed or open (everybody)",
      word));
}

absl::StatusOr<std::string> NginxSnippet(const SnippetOptions& options) {
  if (absl::Status status = CheckSnippet(options); !status.ok()) return status;
  const auto bypass = agent::ParseBypasses(options.bypass);
  if (!bypass.ok()) return bypass.status();
  const NginxWriter writer(options, *bypass);
  return fmt::format(
      "# Gate '{gate}', made by headgate-agent {version}, for nginx without a Lua module: nginx "
      "asks\n"
      "# the agent about each request (auth_request). Two parts to paste, each where it says.\n"
      "#\n"
      "# 1. In `http {{}}`.\n{http}\n"
      "# 2. In the `server {{}}` of the gate. What nginx itself forbids (`deny`) gets the waiting "
      "page\n"
      "#    too, because a 403 is how it learns of a refusal; the application's own 403 does not.\n"
      "{server}",
      fmt::arg("gate", options.gate), fmt::arg("version", HEADGATE_VERSION),
      fmt::arg("http", writer.Http()), fmt::arg("server", writer.Server()));
}

}  // namespace headgate::endpoint
