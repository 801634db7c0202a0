#include "agents/haproxy/tracking.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "agents/core/http_call.h"

namespace headgate::haproxy {
namespace {

struct Place {
  std::string frontend;
  int slot = 0;
};

std::optional<Place> PlaceIn(const std::string& body) {
  constexpr std::string_view kSlot = "slot=";
  constexpr std::string_view kFrontend = "frontend=";
  std::optional<int> slot;
  std::optional<std::string> frontend;
  std::istringstream words(body);
  std::string word;
  while (words >> word) {
    if (word.starts_with(kFrontend)) frontend = word.substr(kFrontend.size());
    if (!word.starts_with(kSlot)) continue;
    int number = 0;
    const char* const end = word.data() + word.size();
    const auto parsed = std::from_chars(word.data() + kSlot.size(), end, number);
    if (parsed.ec == std::errc() && parsed.ptr == end) slot = number;
  }
  if (!slot || !frontend || *slot < 0 || *slot >= kTrackSlots) return std::nullopt;
  return Place{*frontend, *slot};
}

std::optional<Place> Ask(const Settings& gate) {
  const auto answer = agent::Call({.url = gate.probe_url, .patience = agent::Prober::kPatience});
  if (!answer.ok() || answer->gate != gate.gate) return std::nullopt;
  return PlaceIn(answer->body);
}

std::string Remedy(const std::set<int>& taken, const std::string& gate) {
  std::vector<int> free;
  for (int slot = 0; slot < kTrackSlots; ++slot) {
    if (!taken.contains(slot)) free.push_back(slot);
  }
  if (free.empty()) {
    return fmt::format(
        "there are three, and no fourth gate fits in: put '{}' into a frontend of "
        "its own",
        gate);
  }
  return fmt::format("print the snippet of '{}' with --track-slot {} and paste it again", gate,
                     fmt::join(free, " or "));
}

}  // namespace

bool IsAnsweredByHaproxy(const Settings& gate) { return Ask(gate).has_value(); }

std::vector<std::string> InOneAnothersWay(const std::vector<Settings>& gates) {
  // By HAProxy and frontend: the gate that has each slot first.
  std::map<std::pair<std::string, std::string>, std::map<int, std::string>> places;
  std::vector<std::pair<std::string, Place>> second;
  std::vector<std::string> sockets;
  std::vector<std::string> findings;
  // By HAProxy, frontend and cookie: the gate that has it first.
  std::map<std::tuple<std::string, std::string, std::string>, std::string> cookies;
  for (const Settings& gate : gates) {
    const std::optional<Place> place = Ask(gate);
    if (!place) continue;
    if (gate.key.kind == agent::UserKey::Kind::kCookie) {
      const auto [first, is_first] =
          cookies.emplace(std::tuple(gate.socket, place->frontend, gate.key.name), gate.gate);
      if (!is_first) {
        findings.push_back(fmt::format(
            "gates '{}' and '{}' both have the cookie {} in HAProxy's frontend '{}': each takes "
            "the other's for made up, and nobody comes in: print the snippet of '{}' with a --key "
            "of its own, as 'cookie {}_2', paste it again, and say it in agent.yaml (key)",
            first->second, gate.gate, gate.key.name, place->frontend, gate.gate, gate.key.name));
      }
    }
    auto& slots = places[{gate.socket, place->frontend}];
    if (slots.emplace(place->slot, gate.gate).second) continue;
    second.emplace_back(gate.gate, *place);
    sockets.push_back(gate.socket);
  }
  for (std::size_t i = 0; i < second.size(); ++i) {
    const auto& [gate, place] = second[i];
    const auto& slots = places[{sockets[i], place.frontend}];
    std::set<int> taken;
    for (const auto& [slot, owner] : slots) taken.insert(slot);
    findings.push_back(fmt::format(
        "gates '{}' and '{}' both track in slot sc{} of HAProxy's frontend '{}', so that slow and "
        "bypassed requests and new cookies of the one are counted as the other's: {}",
        slots.at(place.slot), gate, place.slot, place.frontend, Remedy(taken, gate)));
  }
  return findings;
}

}  // namespace headgate::haproxy
