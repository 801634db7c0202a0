#include "agents/main/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "agents/core/files.h"
#include "agents/core/forecast.h"
#include "agents/core/snippet_words.h"
#include "agents/envoy/counts.h"
#include "agents/haproxy/names.h"
#include "agents/main/endpoint_config.h"
#include "agents/main/own_things.h"
#include "agents/main/yaml_reader.h"
#include "common/base/duration.h"
#include "common/base/gate_name.h"
#include "common/tls/address.h"

namespace headgate::agent {
namespace {

constexpr std::size_t kNameBytesMax = 63;
constexpr Duration kBetweenStepsMax = std::chrono::hours(24);
constexpr Duration kSlowMin{1};
constexpr Duration kSlowMax = std::chrono::minutes(10);

std::string Words(const absl::Status& status) { return std::string(status.message()); }

Duration ReadDuration(YamlErrors& errors, const YAML::Node& node, const std::string& name,
                      Duration min, Duration max) {
  if (!node.IsScalar()) {
    errors.Add(node, fmt::format("'{}' must be a duration, as in 500ms", name));
    return min;
  }
  const absl::StatusOr<Duration> duration = ParseDuration(node.Scalar());
  if (!duration.ok()) {
    errors.Add(node, fmt::format("'{}': {}", name, Words(duration.status())));
    return min;
  }
  if (*duration < min || *duration > max) {
    errors.Add(node, fmt::format("'{}' is {}: write {} to {}", name, FormatDuration(*duration),
                                 FormatDuration(min), FormatDuration(max)));
    return min;
  }
  return *duration;
}

Rails ReadRails(YamlMapping& parent) {
  Rails rails;
  const YAML::Node node = parent.Find("rails");
  if (!node.IsDefined()) return rails;
  YamlMapping mapping(node, parent.Name("rails"), parent.errors(),
                      {"step_up_max", "between_steps_up", "freeze"});
  if (const YAML::Node step = mapping.Find("step_up_max"); step.IsDefined()) {
    const auto share = Share::Parse(step.IsScalar() ? step.Scalar() : "");
    if (share.ok()) {
      rails.step_up_max = *share;
    } else {
      parent.errors().Add(
          step, fmt::format("'{}': {}", mapping.Name("step_up_max"), Words(share.status())));
    }
  }
  if (const YAML::Node between = mapping.Find("between_steps_up"); between.IsDefined()) {
    rails.between_steps_up_min = ReadDuration(
        parent.errors(), between, mapping.Name("between_steps_up"), Duration(0), kBetweenStepsMax);
  }
  rails.freeze = mapping.Flag("freeze");
  return rails;
}

std::string ReadTimeZone(YamlMapping& mapping, const std::string& otherwise) {
  if (!mapping.Has("time_zone")) return otherwise;
  const std::string zone = mapping.Text("time_zone");
  if (const absl::Status status = CheckTimeZone(zone); !status.ok()) {
    mapping.errors().Add(mapping.Find("time_zone"),
                         fmt::format("'{}': {}", mapping.Name("time_zone"), Words(status)));
  }
  return zone;
}

void CheckWord(YamlMapping& mapping, const std::string& key, const std::string& word) {
  if (word.empty()) return;
  const absl::Status status = CheckPlainWord(mapping.Name(key), word);
  if (!status.ok()) mapping.errors().Add(mapping.Find(key), Words(status));
}

std::vector<std::uint32_t> ReadSlow(YamlMapping& mapping) {
  std::vector<std::uint32_t> slow_ms;
  for (const YAML::Node& item : mapping.List("slow", kSlowThresholdsMax)) {
    const Duration threshold =
        ReadDuration(mapping.errors(), item, mapping.Name("slow"), kSlowMin, kSlowMax);
    slow_ms.push_back(static_cast<std::uint32_t>(threshold.count()));
  }
  std::sort(slow_ms.begin(), slow_ms.end());
  slow_ms.erase(std::unique(slow_ms.begin(), slow_ms.end()), slow_ms.end());
  return slow_ms;
}

std::string ReadProbeUrl(YamlMapping& mapping) {
  std::string url = mapping.RequiredText("probe_url");
  const bool is_url = url.starts_with("http://") || url.starts_with("https://");
  if (!is_url && !url.empty()) {
    mapping.errors().Add(mapping.Find("probe_url"),
                         fmt::format("'{}' is '{}': write http://127.0.0.1:80/.headgate/probe",
                                     mapping.Name("probe_url"), url));
  }
  return url;
}

UserKey ReadKey(YamlMapping& mapping) {
  if (!mapping.Has("key")) return UserKey();
  const auto key = UserKey::Parse(mapping.Text("key"));
  if (key.ok()) return *key;
  mapping.errors().Add(mapping.Find("key"), Words(key.status()));
  return UserKey();
}

haproxy::Settings ReadHaproxy(YamlMapping& parent, const std::string& gate) {
  YamlMapping mapping(parent.Find("haproxy"), parent.Name("haproxy"), parent.errors(),
                      {"socket", "map", "app_backend", "wait_backend", "probe_url", "key", "slow"});
  haproxy::Settings settings;
  settings.gate = gate;
  settings.socket = mapping.RequiredText("socket");
  settings.map = mapping.RequiredPath("map");
  settings.app_backend = mapping.RequiredText("app_backend");
  settings.wait_backend = mapping.Text("wait_backend");
  settings.probe_url = ReadProbeUrl(mapping);
  if (settings.wait_backend.empty()) settings.wait_backend = haproxy::WaitBackendOf(gate);
  CheckWord(mapping, "map", settings.map);
  CheckWord(mapping, "app_backend", settings.app_backend);
  CheckWord(mapping, "wait_backend", settings.wait_backend);
  settings.key = ReadKey(mapping);
  settings.slow_ms = ReadSlow(mapping);
  return settings;
}

nginx::Settings ReadNginx(YamlMapping& parent, const std::string& gate) {
  YamlMapping mapping(parent.Find("nginx"), parent.Name("nginx"), parent.errors(),
                      {"share", "token", "probe_url", "key", "slow"});
  nginx::Settings settings;
  settings.gate = gate;
  settings.share = mapping.RequiredPath("share");
  settings.token = mapping.RequiredPath("token");
  settings.probe_url = ReadProbeUrl(mapping);
  settings.key = ReadKey(mapping);
  settings.slow_ms = ReadSlow(mapping);
  return settings;
}

envoy::Settings ReadEnvoy(YamlMapping& parent, const std::string& gate) {
  YamlMapping mapping(parent.Find("envoy"), parent.Name("envoy"), parent.errors(),
                      {"admin", "share", "app_clusters", "probe_url", "key", "slow"});
  envoy::Settings settings;
  settings.gate = gate;
  settings.admin = mapping.RequiredText("admin");
  settings.share = mapping.RequiredPath("share");
  settings.probe_url = ReadProbeUrl(mapping);
  settings.key = ReadKey(mapping);
  settings.slow_ms = ReadSlow(mapping);
  mapping.Require("app_clusters");
  for (const YAML::Node& item : mapping.List("app_clusters", envoy::kAppClustersMax)) {
    settings.app_clusters.push_back(item.IsScalar() ? item.Scalar() : "");
    CheckWord(mapping, "app_clusters", settings.app_clusters.back());
  }
  if (settings.app_clusters.empty() || settings.app_clusters.front().empty()) {
    mapping.errors().Add(mapping.node(),
                         fmt::format("'{}' names none: write [app]", mapping.Name("app_clusters")));
    // Nobody makes an enforcer of what is refused.
    settings.app_clusters = {"none"};
  }
  if (const absl::Status status = envoy::CheckSlow(settings.slow_ms); !status.ok()) {
    mapping.errors().Add(mapping.Find("slow"), Words(status));
  }
  return settings;
}

// Exactly one of the load balancers.
void ReadLoadBalancer(const YAML::Node& item, YamlMapping& mapping, GateConfig& gate) {
  const int count = int{mapping.Has("haproxy")} + int{mapping.Has("nginx")} +
                    int{mapping.Has("envoy")} + int{mapping.Has("endpoint")};
  if (count != 1) {
    mapping.errors().Add(
        item, fmt::format("gate '{}' needs one load balancer: write either 'haproxy: {{…}}', "
                          "'nginx: {{…}}', 'envoy: {{…}}' or 'endpoint: {{…}}'",
                          gate.name));
  } else if (mapping.Has("haproxy")) {
    gate.load_balancer = ReadHaproxy(mapping, gate.name);
  } else if (mapping.Has("nginx")) {
    gate.load_balancer = ReadNginx(mapping, gate.name);
  } else if (mapping.Has("envoy")) {
    gate.load_balancer = ReadEnvoy(mapping, gate.name);
  } else {
    gate.load_balancer = ReadEndpoint(mapping, gate.name, ReadKey, ReadSlow);
  }
}

void ReadGates(YamlMapping& root, Config& config) {
  if (!root.Require("gates").IsDefined()) return;
  const Rails rails = ReadRails(root);
  const std::string time_zone = ReadTimeZone(root, kTimeZoneDefault);
  std::set<std::string> names;
  std::size_t i = 0;
  for (const YAML::Node& item : root.List("gates", kGatesMax)) {
    YamlMapping mapping(item, fmt::format("gates[{}]", i++), root.errors(),
                        {"name", "rails", "time_zone", "haproxy", "nginx", "envoy", "endpoint"});
    GateConfig gate;
    gate.name = mapping.RequiredText("name");
    if (const absl::Status status = CheckGateName(gate.name); !status.ok()) {
      root.errors().Add(item, Words(status));
    }
    if (!names.insert(gate.name).second) {
      root.errors().Add(item, fmt::format("gate '{}' is there twice", gate.name));
    }
    gate.rails = mapping.Has("rails") ? ReadRails(mapping) : rails;
    gate.time_zone = ReadTimeZone(mapping, time_zone);
    ReadLoadBalancer(item, mapping, gate);
    config.gates.push_back(std::move(gate));
  }
  for (const std::string& shared : SharedThings(config.gates)) {
    root.errors().Add(root.Find("gates"), shared);
  }
  if (config.gates.empty()) root.errors().Add(root.Find("gates"), "'gates' names no gate");
}

void ReadSecurity(YamlMapping& root, Config& config) {
  const bool plaintext = root.Flag("plaintext");
  const YAML::Node tls = root.Find("tls");
  config.name = root.Text("name");
  if (plaintext == tls.IsDefined()) {
    root.errors().Add(root.node(),
                      "write either 'tls: {ca: …, cert: …, key: …}' or, for controllers "
                      "on this machine, 'plaintext: true'");
    return;
  }
  if (tls.IsDefined()) {
    YamlMapping mapping(tls, "tls", root.errors(), {"ca", "cert", "key"});
    config.tls = tls::Files{.ca = mapping.RequiredText("ca"),
                            .certificate = mapping.RequiredText("cert"),
                            .key = mapping.RequiredText("key")};
    return;
  }
  const bool is_name = !config.name.empty() && config.name.size() <= kNameBytesMax &&
                       std::all_of(config.name.begin(), config.name.end(), [](unsigned char c) {
                         return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
                       });
  if (!is_name) {
    root.errors().Add(root.node(),
                      "with 'plaintext: true' write 'name: edge-1': 1 to 63 letters, digits, '.', "
                      "'_' and '-'");
  }
  for (const std::string& controller : config.controllers) {
    const absl::Status status = tls::CheckPlaintextAllowed(controller, true, "plaintext: true");
    if (!status.ok()) root.errors().Add(root.Find("controllers"), Words(status));
  }
}

void ReadLabels(YamlMapping& root, Config& config) {
  const YAML::Node labels = root.Find("labels");
  if (!labels.IsDefined()) return;
  if (!labels.IsMap() || labels.size() > kLabelsMax) {
    root.errors().Add(labels,
                      fmt::format("'labels' must be a mapping of at most {} entries", kLabelsMax));
    return;
  }
  for (const auto& entry : labels) {
    const bool fits = entry.second.IsScalar() && entry.first.Scalar().size() <= kLabelBytesMax &&
                      entry.second.Scalar().size() <= kLabelBytesMax;
    if (!fits) {
      root.errors().Add(
          entry.first,
          fmt::format("a label is a word of at most {} bytes, as in 'zone: eu-1'", kLabelBytesMax));
      return;
    }
    if (!config.labels.emplace(entry.first.Scalar(), entry.second.Scalar()).second) {
      root.errors().Add(entry.first,
                        fmt::format("label '{}' is there twice: keep one", entry.first.Scalar()));
      return;
    }
  }
}

Config Read(const YAML::Node& node, YamlErrors& errors) {
  Config config;
  YamlMapping root(node, "", errors,
                   {"controllers", "name", "plaintext", "tls", "state_dir", "push_every", "metrics",
                    "metrics_tls", "health", "labels", "rails", "time_zone", "gates"});
  root.Require("controllers");
  for (const YAML::Node& item : root.List("controllers", kControllersMax)) {
    if (!item.IsScalar() || item.Scalar().rfind(':') == std::string::npos) {
      errors.Add(item, "a controller is written host:port");
      continue;
    }
    config.controllers.push_back(item.Scalar());
  }
  if (config.controllers.empty()) errors.Add(node, "'controllers' names none: write [host:port]");
  ReadSecurity(root, config);
  config.state_dir = root.RequiredPath("state_dir");
  if (const YAML::Node push = root.Find("push_every"); push.IsDefined()) {
    config.push_every = ReadDuration(errors, push, "push_every", kPushEveryMin, kPushEveryMax);
  }
  config.metrics = root.Text("metrics");
  config.metrics_tls = root.Text("metrics_tls");
  config.health = root.Text("health");
  if (!config.metrics_tls.empty() && !config.tls) {
    errors.Add(
        root.Find("metrics_tls"),
        "'metrics_tls' needs 'tls: {ca: …, cert: …, key: …}': without certificates the pages "
        "are on loopback alone, as 'metrics: 127.0.0.1:9465'");
  }
  ReadLabels(root, config);
  ReadGates(root, config);
  return config;
}

}  // namespace

absl::StatusOr<Config> ParseConfig(const std::string& file, const std::string& text) {
  YamlErrors errors(file);
  try {
    Config config = Read(YAML::Load(text), errors);
    if (!errors.status().ok()) return errors.status();
    return config;
  } catch (const YAML::Exception& error) {
    errors.Add(error.mark, fmt::format("this is no YAML: {}", error.msg));
    return errors.status();
  }
}

absl::StatusOr<Config> LoadConfig(const std::string& file) {
  const absl::StatusOr<std::string> text = ReadSmallFile(file);
  if (!text.ok()) return text.status();
  return ParseConfig(file, *text);
}

}  // namespace headgate::agent
