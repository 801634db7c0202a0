#include "agents/envoy/routes.h"

#include <fmt/format.h>

#include "agents/core/prober.h"
#include "agents/envoy/counts.h"
#include "agents/envoy/probes.h"
#include "agents/envoy/weights.h"
#include "common/base/bucket.h"

namespace headgate::envoy {
namespace {

// Limits nothing. It counts, which Envoy 1.36 does not for Lua filters.
constexpr char kCounts[] =
    "{{\"@type\": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3."
    "LocalRateLimit, stat_prefix: {}, token_bucket: {{max_tokens: 1, fill_interval: 3600s}}, "
    "filter_enabled: {{default_value: {{numerator: 100}}}}, "
    "filter_enforced: {{default_value: {{numerator: 0}}}}}}";
constexpr char kPerRoute[] = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.LuaPerRoute";

std::string Escaped(const std::string& name) {
  std::string escaped;
  for (const char c : name) escaped += c == '.' ? std::string("\\.") : std::string(1, c);
  return escaped;
}

// A request whose key Envoy finds, and how it is hashed.
struct KeyRule {
  // Of the route's match; empty: every request has a key.
  std::string headers;
  std::string hash_policy;
};

KeyRule HeaderRule(const std::string& name) {
  return {fmt::format("{{name: {}, string_match: {{safe_regex: {{regex: '.+'}}}}}}", name),
          fmt::format("header: {{header_name: {}}}", name)};
}

KeyRule RuleOf(const agent::UserKey& key) {
  switch (key.kind) {
    case agent::UserKey::Kind::kHeader:
      return HeaderRule(key.name);
    case agent::UserKey::Kind::kClientAddress:
      return {"", "connection_properties: {source_ip: true}"};
    case agent::UserKey::Kind::kCookie:
      break;
  }
  // Not Envoy's own policy for cookies: of several of the name that takes the first, without its
  // quotes, and HAProxy and nginx the last, as it is. What stands before the value and behind it is
  // taken away: to capture the value itself costs Envoy as much as three such expressions.
  const std::string before = fmt::format("^(?:.*;)?[ \\t]*{}=", Escaped(key.name));
  return {fmt::format("{{name: cookie, string_match: {{safe_regex: {{regex: '{}[^;]+.*$'}}}}}}",
                      before),
          fmt::format("header: {{header_name: cookie, regex_rewrite: {{pattern: {{regex: "
                      "'{}|;.*$'}}, substitution: ''}}}}",
                      before)};
}

class Writer {
 public:
  explicit Writer(const SnippetOptions& options)
      : options_(options), wait_(WaitClusterOf(options.gate)), rule_(RuleOf(options.key)) {}

  std::string Probes() const;
  std::string Bypass(const std::vector<std::string>& paths) const;
  std::string Users(const std::string& app) const;
  std::string Others(const std::string& app) const;

 private:
  // One of the two ways of a request.
  struct Way {
    std::string cluster;
    std::uint32_t weight = 0;
    // The Lua filter and program that answer; empty: the cluster does.
    std::string filter;
    std::string lua;
    std::string cookie;
  };
  struct Route {
    std::string match;
    std::string hash_policy;
    // Empty: the weights stay as they are.
    std::string prefix;
    Way app;
    Way wait;
    std::string stat;
  };
  std::string Filter() const { return "headgate." + options_.gate; }
  std::string ProbeFilter() const { return Filter() + ".probe"; }
  std::string Text(const Way& way) const;
  std::string Text(const Route& route) const;
  std::string Answer(const std::string& match, const std::string& filter,
                     const std::string& lua) const;
  // Closed unless the runtime says otherwise.
  Route UserRoute(const std::string& app) const;
  Route ProbeRoute(const std::string& path, const KeyRule& rule) const;

  const SnippetOptions& options_;
  const std::string wait_;
  const KeyRule rule_;
};

std::string Writer::Text(const Way& way) const {
  std::string text = fmt::format("- name: {}\n  weight: {}\n", way.cluster, way.weight);
  if (!way.cookie.empty()) {
    text += fmt::format(
        "  response_headers_to_add:\n  - header: {{key: set-cookie, value: \"{}\"}}\n", way.cookie);
    if (way.lua.empty()) {
      text +=
          "  - header: {key: cache-control, value: private}\n"
          "    append_action: OVERWRITE_IF_EXISTS_OR_ADD\n";
    }
  }
  if (!way.lua.empty()) {
    text += fmt::format("  typed_per_filter_config:\n    {}: {{\"@type\": {}, name: {}}}\n",
                        way.filter, kPerRoute, way.lua);
  }
  if (way.lua == kWaitLua) {
    text += fmt::format("    {}.refused: {}\n", Filter(),
                        fmt::format(kCounts, RefusedStatOf(options_.gate)));
  }
  return text;
}

std::string Writer::Text(const Route& route) const {
  std::string text = fmt::format("- match: {{{}}}\n", route.match);
  if (!route.stat.empty()) text += fmt::format("  stat_prefix: {}\n", route.stat);
  text += "  route:\n";
  if (!route.hash_policy.empty()) {
    text += fmt::format("    hash_policy:\n    - {}\n", route.hash_policy);
  }
  text += "    weighted_clusters:\n";
  if (!route.hash_policy.empty()) text += "      use_hash_policy: true\n";
  if (!route.prefix.empty()) text += fmt::format("      runtime_key_prefix: {}\n", route.prefix);
  return text + "      clusters:\n" + Indented(Text(route.app) + Text(route.wait), 6);
}

std::string Writer::Answer(const std::string& match, const std::string& filter,
                           const std::string& lua) const {
  return fmt::format(
      "- match: {{{}}}\n  route: {{cluster: {}}}\n  typed_per_filter_config:\n"
      "    {}: {{\"@type\": {}, name: {}}}\n",
      match, wait_, filter, kPerRoute, lua);
}

Writer::Route Writer::UserRoute(const std::string& app) const {
  Route route;
  route.match = "prefix: \"/\"";
  if (!rule_.headers.empty()) route.match += fmt::format(", headers: [{}]", rule_.headers);
  route.hash_policy = rule_.hash_policy;
  route.prefix = PrefixOf(options_.gate);
  route.app.cluster = app;
  route.wait = {wait_, kBuckets, Filter(), kWaitLua, ""};
  route.stat = RouteStatOf(options_.gate);
  return route;
}

Writer::Route Writer::ProbeRoute(const std::string& path, const KeyRule& rule) const {
  Route route;
  // The path stands among the headers too: Envoy looks at all of them first, for every request, and
  // to find a key costs more than all other matching.
  route.match =
      fmt::format("path: {0}, headers: [{{name: \":path\", string_match: {{prefix: {0}}}}}, {1}]",
                  path, rule.headers);
  route.hash_policy = rule.hash_policy;
  route.app = {options_.app_clusters.front(), 0, ProbeFilter(), kInside, ""};
  route.wait = {wait_, kBuckets, ProbeFilter(), kOutside, ""};
  return route;
}

// The address of a probe is always the same.
std::string Writer::Probes() const {
  const bool by_address = options_.key.kind == agent::UserKey::Kind::kClientAddress;
  const KeyRule rule = by_address ? HeaderRule(agent::kProbeKeyHeader) : rule_;
  Route share = ProbeRoute(options_.probe_path, rule);
  share.prefix = PrefixOf(options_.gate);
  Route half = ProbeRoute(options_.probe_path + kHalfSuffix, rule);
  half.app.weight = half.wait.weight = kBuckets / 2;
  return Answer(fmt::format("path: {}{}", options_.probe_path, agent::kWaitProbeSuffix), Filter(),
                kWaitLua) +
         Text(share) + Text(half) +
         Answer(fmt::format("prefix: {}", options_.probe_path), ProbeFilter(), kNoKey);
}

std::string Writer::Bypass(const std::vector<std::string>& paths) const {
  std::string text;
  for (const std::string& path : paths) {
    text += fmt::format("- match: {{path: {}}}\n  stat_prefix: {}\n  route: {{cluster: {}}}\n",
                        path, BypassStatOf(options_.gate), options_.app_clusters.front());
  }
  return text;
}

std::string Writer::Users(const std::string& app) const { return Text(UserRoute(app)); }

// Whom Envoy would draw anew each time. On navigations they are given a key: a cookie for an image
// or a script would belong to nobody's page.
std::string Writer::Others(const std::string& app) const {
  if (rule_.headers.empty()) return "";
  Route route = UserRoute(app);
  route.hash_policy.clear();
  route.prefix = NewPrefixOf(options_.gate);
  std::string text;
  if (options_.key.kind == agent::UserKey::Kind::kCookie) {
    const std::string get = "{name: \":method\", string_match: {exact: GET}}";
    const std::string https = "{name: x-forwarded-proto, string_match: {exact: https}}";
    const std::string navigates[] = {
        "{name: sec-fetch-mode, string_match: {exact: navigate}}",
        "{name: sec-fetch-mode, present_match: false}, "
        "{name: accept, string_match: {contains: text/html, ignore_case: true}}"};
    for (const bool secure : {true, false}) {
      for (const std::string& navigation : navigates) {
        Route given = route;
        given.match = fmt::format("prefix: \"/\", headers: [{}, {}{}]", get, navigation,
                                  secure ? ", " + https : "");
        given.app.cookie = given.wait.cookie =
            fmt::format("{}=%UNIQUE_ID%; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly{}",
                        options_.key.name, secure ? "; Secure" : "");
        text += Text(given);
      }
    }
  }
  route.match = "prefix: \"/\"";
  return text + Text(route);
}

}  // namespace

std::string Indented(const std::string& text, std::size_t spaces) {
  std::string indented;
  std::size_t from = 0;
  while (from < text.size()) {
    const std::size_t to = std::min(text.find('\n', from), text.size() - 1) + 1;
    if (text[from] != '\n') indented += std::string(spaces, ' ');
    indented += text.substr(from, to - from);
    from = to;
  }
  return indented;
}

std::string Routes(const SnippetOptions& options, const std::vector<std::string>& bypass) {
  const Writer writer(options);
  std::string text = "# The agent's own.\n" + writer.Probes();
  if (!bypass.empty()) text += "# Always let through.\n" + writer.Bypass(bypass);
  for (const std::string& app : options.app_clusters) {
    if (options.app_clusters.size() > 1) {
      text += fmt::format("# To '{}': put the prefix of its own in place of \"/\".\n", app);
    }
    text += "# Users with a key.\n" + writer.Users(app);
    const std::string others = writer.Others(app);
    if (!others.empty())
      text += "# Requests without one: admitted at 100 %, refused below.\n" + others;
  }
  return text;
}

}  // namespace headgate::envoy
