#include "agents/main/load_balancer.h"

#include "agents/endpoint/check.h"
#include "agents/endpoint/outside.h"
#include "agents/envoy/check.h"
#include "agents/haproxy/check.h"
#include "agents/haproxy/tracking.h"
#include "agents/nginx/check.h"
#include "common/base/overloaded.h"

namespace headgate::agent {

std::unique_ptr<Enforcer> MakeEnforcer(const GateConfig& gate) {
  return std::visit(Overloaded{[](const haproxy::Settings& settings) -> std::unique_ptr<Enforcer> {
                                 return std::make_unique<haproxy::Haproxy>(settings);
                               },
                               [](const nginx::Settings& settings) -> std::unique_ptr<Enforcer> {
                                 return std::make_unique<nginx::Nginx>(settings);
                               },
                               [](const envoy::Settings& settings) -> std::unique_ptr<Enforcer> {
                                 return std::make_unique<envoy::Envoy>(settings);
                               },
                               [](const endpoint::Settings& settings) -> std::unique_ptr<Enforcer> {
                                 return std::make_unique<endpoint::Outside>(settings);
                               }},
                    gate.load_balancer);
}

std::string NameOfLoadBalancer(const GateConfig& gate) {
  return std::visit(Overloaded{[](const haproxy::Settings&) { return "HAProxy"; },
                               [](const nginx::Settings&) { return "nginx"; },
                               [](const envoy::Settings&) { return "Envoy"; },
                               [](const endpoint::Settings&) { return "the agent's endpoint"; }},
                    gate.load_balancer);
}

std::string HowTheFileCounts(const GateConfig& gate) {
  return std::visit(
      Overloaded{
          [](const haproxy::Settings&) {
            return "HAProxy takes that at its next start: if it still serves, type "
                   "`systemctl reload haproxy` (or `kill -USR2` and its master's pid); what "
                   "its old worker has begun goes on, for hard-stop-after at most";
          },
          [](const nginx::Settings&) {
            return "nginx's workers take less from it within 1.3 s, as long as they serve: "
                   "nothing is to be typed";
          },
          [](const envoy::Settings&) {
            return "Envoy takes that at its next start: if it still serves, restart it (a hot "
                   "restart loses no request)";
          },
          [](const endpoint::Settings& settings) {
            return settings.ext_authz
                       ? "the agent takes less from it within a quarter of a second, as long as it "
                         "answers, and where it does not, an Envoy with the lines of `snippet "
                         "envoy-ext-authz` within a second: else `systemctl restart "
                         "headgate-agent`"
                       : "the agent takes less from it within a quarter of a second, as long as "
                         "it answers: else `systemctl restart headgate-agent`";
          }},
      gate.load_balancer);
}

std::string NextStartOf(const GateConfig& gate) {
  if (std::holds_alternative<haproxy::Settings>(gate.load_balancer)) return "a reload of HAProxy";
  if (const auto* own = std::get_if<endpoint::Settings>(&gate.load_balancer)) {
    return own->ext_authz ? "a restart of the agent (at Envoy within a second, while it is dead)"
                          : "a restart of the agent";
  }
  return "a restart of " + NameOfLoadBalancer(gate);
}

std::string ShareFileOf(const GateConfig& gate) {
  return std::visit(Overloaded{[](const haproxy::Settings& settings) { return settings.map; },
                               [](const nginx::Settings& settings) { return settings.share; },
                               [](const envoy::Settings& settings) { return settings.share; },
                               [](const endpoint::Settings& settings) { return settings.share; }},
                    gate.load_balancer);
}

std::vector<std::string> CheckGate(const GateConfig& gate) {
  return std::visit(
      Overloaded{[](const haproxy::Settings& settings) { return haproxy::Check(settings); },
                 [](const nginx::Settings& settings) { return nginx::Check(settings); },
                 [](const envoy::Settings& settings) { return envoy::Check(settings); },
                 [](const endpoint::Settings& settings) { return endpoint::Check(settings); }},
      gate.load_balancer);
}

std::vector<std::string> CheckBeside(const std::vector<GateConfig>& gates) {
  std::vector<haproxy::Settings> of_haproxy;
  for (const GateConfig& gate : gates) {
    const auto* const settings = std::get_if<haproxy::Settings>(&gate.load_balancer);
    if (settings != nullptr) of_haproxy.push_back(*settings);
  }
  // One gate stands in nobody's way.
  if (of_haproxy.size() < 2) return {};
  return haproxy::InOneAnothersWay(of_haproxy);
}

}  // namespace headgate::agent
