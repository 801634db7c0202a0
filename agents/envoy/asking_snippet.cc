#include "agents/envoy/asking_snippet.h"

#include <fmt/format.h>

#include "agents/core/snippet_words.h"
#include "agents/envoy/address.h"
#include "agents/envoy/asking_lua.h"
#include "agents/envoy/lua.h"
#include "agents/envoy/routes.h"

namespace headgate::envoy {
namespace {

constexpr char kBootstrap[] =
    R"(# Gate '{gate}', made by headgate-agent {version}, for an Envoy that asks the agent about each request
# (gRPC ext_authz): a whole bootstrap to begin with. Into one that is there already go its two parts,
# each where its place is.{networks}

static_resources:
  listeners:
  - address: {listen}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: edge
          http_filters:
          # 1. These three in this order, above every other filter of each listener of the gate.
{filters}          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
          route_config:
            virtual_hosts:
            - name: {gate}
              domains: ["*"]
              routes:
              - {{match: {{prefix: "/"}}, route: {{cluster: app}}}}
  clusters:
  # 2. The agent.
{agent}{app})";

// `{read}`: what the agent reads of a request, and nothing else of what a browser sends: both sides
// would pay for it at each request.
constexpr char kFilters[] =
    R"(# Only Envoy says that the agent could not be asked.
- name: headgate.{gate}.unmarked
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation
    mutations: {{request_mutations: [{{remove: {unasked}}}]}}
# An agent that hangs costs each request this long.
- name: headgate.{gate}.asked
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
    stat_prefix: {stat}
    transport_api_version: V3
    grpc_service: {{envoy_grpc: {{cluster_name: {cluster}}}, timeout: 0.2s}}
    allowed_headers: {{patterns: [{read}]}}
    # It marks the request and leaves it to the next filter: never one without the other.
    failure_mode_allow: true
    failure_mode_allow_header_add: true
    # Should you turn failure_mode_allow off: nobody comes in without the agent, and this is why.
    status_on_error: {{code: ServiceUnavailable}}
- name: headgate.{gate}.static
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
    stat_prefix: {stat}
    default_source_code:
      inline_string: |
{lua})";

constexpr char kAgentCluster[] =
    R"(- name: {cluster}
  type: STATIC
  connect_timeout: 0.2s
  typed_extension_protocol_options:
    envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
      "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
      explicit_http_config: {{http2_protocol_options: {{}}}}
  load_assignment:
    cluster_name: {cluster}
    endpoints: [{{lb_endpoints: [{{endpoint: {{address: {address}}}}}]}}]
)";

std::string AgentClusterOf(const std::string& gate) { return agent::VariableOf(gate) + "_agent"; }

// Of a request: all that the endpoint reads (agents/endpoint/question.cc), as Envoy has it: in
// small letters, so that it compares them as they are.
std::string ReadHeaders(const agent::UserKey& key) {
  std::string text;
  for (const char* name : {"accept", "accept-language", "cookie", "sec-fetch-mode",
                           "x-forwarded-proto", "x-forwarded-for"}) {
    text += fmt::format("{}{{exact: {}}}", text.empty() ? "" : ", ", name);
  }
  if (key.kind == agent::UserKey::Kind::kHeader) {
    text += fmt::format(", {{exact: {}}}", LuaNameOf(key));
  }
  return text;
}

absl::Status Check(const AskingOptions& options) {
  if (absl::Status status = agent::CheckGateName(options.gate); !status.ok()) return status;
  return agent::CheckPath("--share", options.share);
}

struct Passes {
  std::vector<std::string> paths;
  // A comment's lines; empty without any.
  std::string networks;
};

absl::StatusOr<Passes> PassesOf(const std::vector<std::string>& bypass) {
  const auto rules = agent::ParseBypasses(bypass);
  if (!rules.ok()) return rules.status();
  Passes passes;
  for (const agent::Bypass& rule : *rules) {
    if (rule.kind == agent::Bypass::Kind::kPath) {
      passes.paths.push_back(rule.text);
    } else {
      passes.networks += fmt::format("{}{}", passes.networks.empty() ? "" : ", ", rule.text);
    }
  }
  if (passes.networks.empty()) return passes;
  passes.networks = fmt::format(
      "\n# Who is let through for their network is while the agent answers; without it they are "
      "users like\n# others: {}.",
      passes.networks);
  return passes;
}

std::string Filters(const AskingOptions& options, const std::vector<std::string>& paths) {
  return fmt::format(
      kFilters, fmt::arg("gate", options.gate), fmt::arg("unasked", kUnaskedHeader),
      fmt::arg("stat", agent::VariableOf(options.gate)),
      fmt::arg("cluster", AgentClusterOf(options.gate)), fmt::arg("read", ReadHeaders(options.key)),
      fmt::arg("lua",
               Indented(AskingLua({options.gate, options.share, options.key, paths, options.pages}),
                        8)));
}

}  // namespace

absl::StatusOr<std::string> AskingSnippet(const AskingOptions& options) {
  if (absl::Status status = Check(options); !status.ok()) return status;
  const auto passes = PassesOf(options.bypass);
  if (!passes.ok()) return passes.status();
  const auto address = AgentAddress("--ext-authz", options.ext_authz);
  if (!address.ok()) return address.status();
  const auto listen = SocketAddress("--listen", options.listen);
  if (!listen.ok()) return listen.status();
  const auto app_address = SocketAddress("--app-address", options.app_address);
  if (!app_address.ok()) return app_address.status();
  const std::string cluster =
      fmt::format(kAgentCluster, fmt::arg("cluster", AgentClusterOf(options.gate)),
                  fmt::arg("address", *address));
  return fmt::format(kBootstrap, fmt::arg("gate", options.gate),
                     fmt::arg("version", HEADGATE_VERSION), fmt::arg("networks", passes->networks),
                     fmt::arg("listen", *listen),
                     fmt::arg("filters", Indented(Filters(options, passes->paths), 10)),
                     fmt::arg("agent", Indented(cluster, 2)),
                     fmt::arg("app", Indented(ClusterOf("app", *app_address), 2)));
}

}  // namespace headgate::envoy
