#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "agents/core/local_override.h"
#include "agents/main/box.h"
#include "agents/main/exit_codes.h"
#include "agents/main/load_balancer.h"
#include "agents/main/pages.h"

namespace headgate::agent {
namespace {

using Overdue = std::map<std::string, std::chrono::seconds>;

std::string Words(const absl::Status& status) { return std::string(status.message()); }

nlohmann::json JsonOf(const GateConfig& gate, const Box::GateSeen& seen) {
  const auto& [reading, memory, local_override] = seen;
  nlohmann::json json{{"gate", gate.name}, {"trouble", reading.trouble}};
  if (reading.in_force) json["enforced_ppm"] = reading.in_force->ppm();
  if (reading.at_next_start) json["file_ppm"] = reading.at_next_start->ppm();
  if (memory.ok() && *memory) {
    const Directive& directive = (*memory)->directive;
    json["directive"] = {{"epoch", directive.version.epoch},
                         {"revision", directive.version.revision},
                         {"share_ppm", directive.share.ppm()},
                         {"granted_ppm", (*memory)->granted.ppm()}};
  }
  if (local_override.ok() && *local_override) {
    const LocalOverride& word = **local_override;
    json["override"] = {{"is_ceiling", word.is_ceiling}, {"share_ppm", word.share.ppm()}};
    if (word.until) json["override"]["until_unix_ms"] = UnixMillis(*word.until);
    if (word.ceiling_after) json["override"]["ceiling_after_ppm"] = word.ceiling_after->ppm();
  }
  return json;
}

std::string ControllerWords(const absl::StatusOr<AgentPages>& pages) {
  if (!pages.ok()) return "unknown: " + Words(pages.status());
  return pages->is_connected ? "connected" : "none is connected (`headgate-agent check` says why)";
}

}  // namespace

AgentSeen Box::Agent() const {
  AgentSeen seen = FindAgent(config_.state_dir);
  if (seen.MayRun()) return seen;
  // Its lock is gone where somebody has removed the folder: then it still answers.
  if (!AskPages(config_.metrics).ok()) return seen;
  return {AgentSeen::Is::kUnknown, 0,
          fmt::format("one answers at {}, and holds no lock in {}: was that folder removed? "
                      "Restart it",
                      config_.metrics, config_.state_dir)};
}

Box::GateSeen Box::Look(const GateConfig& gate) const {
  FileStore store(config_.state_dir, gate.name);
  return {MakeEnforcer(gate)->Read(), store.LoadMemory(), store.LoadOverride()};
}

int Box::Status(bool as_json, TimePoint now) const {
  const std::vector<GateConfig> gates = Chosen();
  if (gates.empty()) return kExitNotFound;
  const AgentSeen agent = Agent();
  nlohmann::json all = {{"agent", agent.ToString()}, {"gates", nlohmann::json::array()}};
  if (!as_json) out_ << fmt::format("agent       {}\n", agent.ToString());
  absl::StatusOr<AgentPages> pages = absl::UnavailableError("not running");
  if (agent.MayRun()) {
    pages = AskPages(config_.metrics);
    if (pages.ok()) all["controller_connected"] = pages->is_connected;
    if (!as_json) out_ << fmt::format("controller  {}\n", ControllerWords(pages));
  }
  bool all_known = true;
  for (const GateConfig& gate : gates) {
    const GateSeen seen = Look(gate);
    all_known = all_known && seen.reading.in_force.has_value();
    const auto overdue = pages.ok() ? pages->overdue.find(gate.name) : Overdue::const_iterator();
    const bool is_overdue = pages.ok() && overdue != pages->overdue.end();
    if (as_json) {
      all["gates"].push_back(JsonOf(gate, seen));
      if (is_overdue) all["gates"].back()["renewal_overdue_s"] = overdue->second.count();
      continue;
    }
    Print(gate, seen, now);
    if (!is_overdue) continue;
    out_ << fmt::format(
        "renewal     overdue since {} UTC ({} s): the share is kept and never raised\n",
        FormatTimeOfDay(now - overdue->second), overdue->second.count());
  }
  if (as_json) out_ << all.dump(2) << "\n";
  return all_known ? kExitDone : kExitCouldNotTell;
}

void Box::Print(const GateConfig& gate, const GateSeen& seen, TimePoint now) const {
  const auto& [reading, memory, local_override] = seen;
  out_ << fmt::format("gate        {}\n", gate.name);
  out_ << fmt::format("enforced    {}\n",
                      reading.in_force ? fmt::format("{} ({} says)", reading.in_force->ToString(),
                                                     NameOfLoadBalancer(gate))
                                       : NameOfLoadBalancer(gate) + " cannot be asked");
  if (reading.at_next_start != reading.in_force) {
    out_ << fmt::format(
        "file        {}\n",
        reading.at_next_start
            ? fmt::format("{} after {}", reading.at_next_start->ToString(), NextStartOf(gate))
            : std::string("cannot be read"));
  }
  if (!memory.ok()) {
    out_ << fmt::format("directive   {}\n", Words(memory.status()));
  } else if (!*memory) {
    out_ << "directive   none yet: the agent touches nothing\n";
  } else {
    const Memory& known = **memory;
    out_ << fmt::format("directive   {} says {}{}; granted here {}\n",
                        known.directive.version.ToString(), known.directive.share.ToString(),
                        known.directive.no_raise ? " at most, no raise" : "",
                        known.granted.ToString());
  }
  if (!local_override.ok()) {
    out_ << fmt::format("override    {}\n", Words(local_override.status()));
  } else if (*local_override) {
    const bool over = !InForceAt(**local_override, now);
    out_ << fmt::format("override    {}{}\n", ToString(**local_override), over ? " (over)" : "");
  }
  if (!reading.trouble.empty()) out_ << fmt::format("trouble     {}\n", reading.trouble);
}

}  // namespace headgate::agent
