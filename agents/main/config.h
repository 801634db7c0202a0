// The agent's configuration: a YAML file, read once. Pure but for Load. What it does not know, it
// refuses, with line and column.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/core/order.h"
#include "agents/endpoint/endpoint.h"
#include "agents/envoy/envoy.h"
#include "agents/haproxy/haproxy.h"
#include "agents/nginx/nginx.h"
#include "common/base/clock.h"
#include "common/tls/files.h"

namespace headgate::agent {

inline constexpr std::size_t kGatesMax = 32;
inline constexpr std::size_t kControllersMax = 16;
inline constexpr std::size_t kLabelsMax = 32;
inline constexpr Duration kPushEveryMin{50};
inline constexpr Duration kPushEveryMax{2000};

struct GateConfig {
  std::string name;
  Rails rails;
  // Of the times that people who wait are told.
  std::string time_zone;
  std::variant<haproxy::Settings, nginx::Settings, envoy::Settings, endpoint::Settings>
      load_balancer;
};

struct Config {
  // Without a certificate only; else the certificate names the agent.
  std::string name;
  std::vector<std::string> controllers;
  // Unset: plaintext, to controllers on loopback only.
  std::optional<tls::Files> tls;
  std::string state_dir;
  Duration push_every{250};
  // Empty: none.
  std::string metrics;
  // The same pages with mTLS, for who comes from the network.
  std::string metrics_tls;
  // Of an orchestrator's probes.
  std::string health;
  std::map<std::string, std::string> labels;
  std::vector<GateConfig> gates;
};

// INVALID_ARGUMENT: "agent.yaml:12:3: …", with the value, the bound and what to write instead.
absl::StatusOr<Config> ParseConfig(const std::string& file, const std::string& text);
absl::StatusOr<Config> LoadConfig(const std::string& file);

}  // namespace headgate::agent
