#include "agents/envoy/snippet.h"

#include <fmt/format.h>

#include <utility>

#include "agents/envoy/address.h"
#include "agents/envoy/counts.h"
#include "agents/envoy/lua.h"
#include "agents/envoy/probes.h"
#include "agents/envoy/routes.h"
#include "agents/envoy/weights.h"

namespace headgate::envoy {
namespace {

constexpr char kBootstrap[] =
    R"(# Gate '{gate}', made by headgate-agent {version}, for Envoy 1.36 and newer: a whole bootstrap to begin
# with. Into one that is there already go its six parts, each where its place is.
# Before Envoy starts, make the share file; it admits everybody until the gate exists:
#   headgate-agent snippet envoy --gate {gate} … --write

# 1. The runtime discovery service wants the node to have a name. Leave one that is there.
node: {{id: edge-1, cluster: edge}}

# 2. The admin interface, for the agent alone: who reaches it may do anything with this Envoy. 432 is
#    0660, for a group that the agent's user is in. Leave one that is there.
{admin}

# 3. The weights. Of several gates each has its layer; the admin_layer comes last.
layered_runtime:
  layers:
  - name: {layer}
    rtds_layer:
      name: {layer}
      rtds_config: {{resource_api_version: V3, initial_fetch_timeout: 1s, path_config_source: {{path: {share}}}}}
  - name: admin
    admin_layer: {{}}

# 4. The thresholds of slow answers, and how often they are counted (5s, if nothing is said).
stats_config:
  histogram_bucket_settings:
  - match: {{contains: ".route.{stat}.upstream_rq_time"}}
    buckets: [{buckets}]
stats_flush_interval: 0.25s

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
          # 5. Above every other filter. They run for the refused and for probes alone.
{filters}          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
          route_config:
            virtual_hosts:
            - name: {gate}
              domains: ["*"]
              routes:
              # 6. Above every other route of this virtual host that leads to the gate's applications.
{routes}  clusters:
  # And this one: it has no endpoint, and refuses even where a filter is missing.
  - name: {wait}
    type: STATIC
    load_assignment: {{cluster_name: {wait}}}
{apps})";

absl::Status Check(const SnippetOptions& options) {
  if (absl::Status status = agent::CheckGateName(options.gate); !status.ok()) return status;
  if (auto status = agent::CheckPath("--share", options.share); !status.ok()) return status;
  std::vector<std::pair<const char*, std::string>> words = {{"--admin", options.admin},
                                                            {"--probe-path", options.probe_path}};
  for (const std::string& app : options.app_clusters) words.emplace_back("--app-cluster", app);
  for (const auto& [what, word] : words) {
    if (absl::Status status = agent::CheckPlainWord(what, word); !status.ok()) return status;
  }
  if (options.app_clusters.empty() || options.app_clusters.size() > kAppClustersMax) {
    return absl::InvalidArgumentError(fmt::format("{} times --app-cluster: 1 to {}",
                                                  options.app_clusters.size(), kAppClustersMax));
  }
  return CheckSlow(options.slow_ms);
}

absl::StatusOr<std::vector<std::string>> BypassPaths(const SnippetOptions& options) {
  const auto rules = agent::ParseBypasses(options.bypass);
  if (!rules.ok()) return rules.status();
  std::vector<std::string> paths;
  for (const agent::Bypass& rule : *rules) {
    if (rule.kind == agent::Bypass::Kind::kNetwork) {
      return absl::InvalidArgumentError(
          fmt::format("--bypass cidr={}: Envoy's routes do not see addresses. Give these clients a "
                      "listener of their own, without the gate's routes",
                      rule.text));
    }
    paths.push_back(rule.text);
  }
  return paths;
}

std::string Program(const std::string& name, const std::string& lua) {
  return fmt::format("{}:\n  inline_string: |\n{}", name, Indented(lua, 4));
}

std::string LuaFilter(const std::string& name, const std::string& stat,
                      const std::string& programs) {
  return fmt::format(
      "- name: {}\n"
      "  disabled: true\n"
      "  typed_config:\n"
      "    \"@type\": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua\n"
      "    stat_prefix: {}\n"
      "    source_codes:\n{}",
      name, stat, Indented(programs, 6));
}

std::string Filters(const SnippetOptions& options) {
  const std::string name = "headgate." + options.gate;
  const std::string counts = fmt::format(
      "- name: {}.refused\n"
      "  disabled: true\n"
      "  typed_config: {{\"@type\": type.googleapis.com/"
      "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit, stat_prefix: {}}}\n",
      name, RefusedStatOf(options.gate));
  return counts +
         LuaFilter(name, RouteStatOf(options.gate),
                   Program(kWaitLua,
                           WaitLua({options.gate, options.share, options.key, options.pages}))) +
         LuaFilter(name + ".probe", ProbeStatOf(options.gate),
                   Program(kInside, WordLua(options.gate, 200, kInside)) +
                       Program(kOutside, WordLua(options.gate, 503, kOutside)) +
                       Program(kNoKey, WordLua(options.gate, 503, kNoKey)));
}

}  // namespace

absl::StatusOr<std::string> Snippet(const SnippetOptions& options) {
  if (absl::Status status = Check(options); !status.ok()) return status;
  const auto slow_ms = agent::ThresholdsOf(options.slow_ms);
  if (!slow_ms.ok()) return slow_ms.status();
  const auto paths = BypassPaths(options);
  if (!paths.ok()) return paths.status();
  const auto listen = SocketAddress("--listen", options.listen);
  if (!listen.ok()) return listen.status();
  const auto app_address = SocketAddress("--app-address", options.app_address);
  if (!app_address.ok()) return app_address.status();
  std::string admin =
      fmt::format("admin: {{address: {{pipe: {{path: {}, mode: 432}}}}}}", options.admin);
  if (!options.admin.starts_with('/')) {
    const auto address = SocketAddress("--admin", options.admin);
    if (!address.ok()) return address.status();
    admin = fmt::format("admin: {{address: {}}}", *address);
  }
  std::vector<std::uint32_t> buckets = *slow_ms;
  buckets.push_back(kSlowestMs);
  std::string clusters;
  for (const std::string& app : options.app_clusters) clusters += ClusterOf(app, *app_address);
  return fmt::format(
      kBootstrap, fmt::arg("gate", options.gate), fmt::arg("version", HEADGATE_VERSION),
      fmt::arg("admin", admin), fmt::arg("layer", LayerOf(options.gate)),
      fmt::arg("share", options.share), fmt::arg("stat", RouteStatOf(options.gate)),
      fmt::arg("buckets", fmt::join(buckets, ", ")), fmt::arg("listen", *listen),
      fmt::arg("filters", Indented(Filters(options), 10)),
      fmt::arg("routes", Indented(Routes(options, *paths), 14)),
      fmt::arg("wait", WaitClusterOf(options.gate)), fmt::arg("apps", Indented(clusters, 2)));
}

}  // namespace headgate::envoy
