#include "agents/main/own_things.h"

#include <fmt/format.h>

#include <map>
#include <utility>
#include <variant>

#include "common/base/overloaded.h"

namespace headgate::agent {
namespace {

struct Thing {
  // As in agent.yaml.
  std::string key;
  std::string value;
  // Of which load balancer; empty: of the machine.
  std::string within;
  std::string why;

  std::pair<std::string, std::string> Identity() const { return {within, value}; }
};

constexpr char kOneShare[] = "the share of one would be the other's too";

std::vector<Thing> ThingsOf(const GateConfig& gate) {
  return std::visit(
      Overloaded{
          [](const haproxy::Settings& settings) -> std::vector<Thing> {
            return {{"map", settings.map, "", kOneShare},
                    {"app_backend", settings.app_backend, settings.socket,
                     "HAProxy counts answers by backend, so each gate would count the other's"},
                    {"wait_backend", settings.wait_backend, settings.socket,
                     "HAProxy counts refusals by backend, so each gate would count the other's"}};
          },
          [](const nginx::Settings& settings) -> std::vector<Thing> {
            return {{"share", settings.share, "", kOneShare}};
          },
          [](const envoy::Settings& settings) -> std::vector<Thing> {
            return {{"share", settings.share, "", kOneShare}};
          },
          [](const endpoint::Settings& settings) -> std::vector<Thing> {
            return {{"share", settings.share, "", kOneShare}};
          }},
      gate.load_balancer);
}

}  // namespace

std::vector<std::string> SharedThings(const std::vector<GateConfig>& gates) {
  std::vector<std::string> found;
  std::map<std::pair<std::string, std::string>, const GateConfig*> owners;
  for (const GateConfig& gate : gates) {
    for (const Thing& thing : ThingsOf(gate)) {
      if (thing.value.empty()) continue;
      const auto [owner, is_new] = owners.emplace(thing.Identity(), &gate);
      if (is_new || owner->second == &gate) continue;
      found.push_back(fmt::format("gates '{}' and '{}' both have {} '{}': {}. Give each its own",
                                  owner->second->name, gate.name, thing.key, thing.value,
                                  thing.why));
    }
  }
  return found;
}

}  // namespace headgate::agent
