#include "controller/fleet/fleet.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/gate_name.h"

namespace headgate::fleet {

std::string RivalText(const Agent& agent) {
  const std::string remedy =
      "each load balancer needs a certificate of its own (`headgate certs issue --role agent "
      "--name NAME`)";
  if (agent.is_rival_silent) {
    return fmt::format(
        "another process had the certificate of agent {} and was not seen to end: it may hang and "
        "enforce something else; {}",
        agent.name, remedy);
  }
  return fmt::format(
      "two load balancers take turns with the certificate of agent {}, and only one is heard at a "
      "time; {}",
      agent.name, remedy);
}

const GateReport* FindReport(const Agent& agent, const std::string& whole) {
  const auto found =
      std::find_if(agent.gates.begin(), agent.gates.end(),
                   [&whole](const auto& entry) { return WholeOf(entry.first) == whole; });
  return found == agent.gates.end() ? nullptr : &found->second;
}

absl::Status Fleet::Connect(const std::string& name, std::shared_ptr<Session> session, Hello hello,
                            TimePoint now) {
  const auto known = agents_.find(name);
  if (known == agents_.end() && agents_.size() >= kAgentsMax) {
    return absl::ResourceExhaustedError(
        fmt::format("{} agents are known, the limit: remove those that are gone", kAgentsMax));
  }
  Agent& agent = agents_[name];
  if (agent.session != nullptr && agent.session != session) {
    agent.session->Close(absl::AbortedError(fmt::format("agent {} opened a newer session", name)));
    if (hello.boot_id != agent.hello.boot_id) {
      // A process that was restarted never comes back; one that took turns does.
      const bool is_back = hello.boot_id == agent.replaced_boot_id;
      const bool was_silent = now - agent.last_seen > kHangsAfter;
      if (is_back || was_silent) agent.rival_seen = now;
      agent.is_rival_silent = was_silent && !is_back;
      agent.replaced_boot_id = agent.hello.boot_id;
    }
  }
  agent.name = name;
  agent.session = std::move(session);
  agent.last_seen = now;
  agent.gates.clear();
  for (GateReport& report : hello.gates) {
    report.gate = Route(hello.labels, report.gate);
    std::string gate = report.gate;
    agent.gates[std::move(gate)] = std::move(report);
  }
  hello.gates.clear();
  agent.hello = std::move(hello);
  return absl::OkStatus();
}

bool Fleet::Disconnect(const std::string& name, const Session* session) {
  Agent* agent = FindSession(name, session);
  if (agent == nullptr) return false;
  agent->session.reset();
  return true;
}

const GateReport* Fleet::Report(const std::string& name, const Session* session, GateReport report,
                                TimePoint now) {
  Agent* agent = FindSession(name, session);
  if (agent == nullptr) return nullptr;
  agent->last_seen = now;
  report.gate = Route(agent->hello.labels, WholeOf(report.gate));
  std::string gate = report.gate;
  const bool is_new = !agent->gates.contains(gate);
  if (is_new && agent->gates.size() >= kGatesPerAgentMax) {
    agent->session->Close(absl::ResourceExhaustedError(
        fmt::format("agent {} reports more than {} gates", name, kGatesPerAgentMax)));
    return nullptr;
  }
  GateReport& known = agent->gates[gate];
  known = std::move(report);
  const auto directive = directives_.find(gate);
  if (is_new && directive != directives_.end()) Send(*agent, directive->second);
  return &known;
}

CountingResult Fleet::Count(const std::string& name, const Session* session,
                            const CountersPush& push, TimePoint now) {
  Agent* agent = FindSession(name, session);
  if (agent == nullptr) return {};
  agent->last_seen = now;
  CountingResult result = agent->counting.Add(push, now);
  agent->implausible_counts += result.implausible.size();
  for (GateTotals& delta : result.deltas) delta.gate = Route(agent->hello.labels, delta.gate);
  // It counts at a gate that it has not told of, or that it was removed from: it shall tell.
  const auto unknown = std::erase_if(
      result.deltas, [&](const GateTotals& delta) { return !agent->gates.contains(delta.gate); });
  if (unknown > 0) result.needs_full_state = true;
  if (result.needs_full_state) agent->session->AskFullState();
  return result;
}

void Fleet::Publish(const Directive& directive) {
  directives_[directive.gate] = directive;
  for (const auto& [name, agent] : agents_) {
    if (agent.session != nullptr && agent.gates.contains(directive.gate)) {
      Send(agent, directive);
    }
  }
}

void Fleet::Foresee(const std::string& gate, Outlook outlook) {
  Outlook& told = outlooks_[gate];
  told = Steadied(told, std::move(outlook));
}

void Fleet::Renew() {
  for (const auto& [name, agent] : agents_) {
    if (agent.session != nullptr) SendAll(agent);
  }
}

std::vector<Move> Fleet::SetParts(std::vector<Part> parts) {
  if (parts == parts_) return {};
  parts_ = std::move(parts);
  std::vector<Move> moves;
  for (auto& [name, agent] : agents_) {
    std::map<std::string, GateReport> gates;
    for (auto& [gate, report] : agent.gates) {
      report.gate = Route(agent.hello.labels, WholeOf(gate));
      if (report.gate != gate) moves.push_back({name, gate, report.gate});
      std::string routed = report.gate;
      gates[std::move(routed)] = std::move(report);
    }
    agent.gates = std::move(gates);
  }
  return moves;
}

void Fleet::Tell(const std::string& agent) const {
  const Agent* known = Find(agent);
  if (known != nullptr && known->session != nullptr) SendAll(*known);
}

void Fleet::Forget(const std::string& gate) {
  directives_.erase(gate);
  outlooks_.erase(gate);
  for (auto& [name, agent] : agents_) agent.gates.erase(gate);
  std::erase_if(agents_, [](const auto& entry) {
    return entry.second.gates.empty() && entry.second.session == nullptr;
  });
}

std::string Fleet::Route(const std::map<std::string, std::string>& labels,
                         const std::string& gate) const {
  for (const Part& part : parts_) {
    if (WholeOf(part.gate) != gate) continue;
    const bool is_in = std::all_of(part.labels.begin(), part.labels.end(), [&](const auto& label) {
      const auto has = labels.find(label.first);
      return has != labels.end() && has->second == label.second;
    });
    if (is_in) return part.gate;
  }
  return gate;
}

void Fleet::Remove(const std::string& gate, const std::string& name) {
  const auto found = agents_.find(name);
  if (found == agents_.end()) return;
  found->second.gates.erase(gate);
  if (found->second.gates.empty() && found->second.session == nullptr) agents_.erase(found);
}

const Agent* Fleet::Find(const std::string& name) const {
  const auto found = agents_.find(name);
  return found == agents_.end() ? nullptr : &found->second;
}

std::size_t Fleet::Connected(TimePoint now) const {
  return static_cast<std::size_t>(
      std::count_if(agents_.begin(), agents_.end(),
                    [now](const auto& entry) { return entry.second.IsConnected(now); }));
}

Agent* Fleet::FindSession(const std::string& name, const Session* session) {
  const auto found = agents_.find(name);
  if (found == agents_.end() || found->second.session.get() != session) return nullptr;
  return session == nullptr ? nullptr : &found->second;
}

void Fleet::SendAll(const Agent& agent) const {
  for (const auto& [gate, report] : agent.gates) {
    const auto directive = directives_.find(gate);
    if (directive != directives_.end()) Send(agent, directive->second);
  }
}

void Fleet::Send(const Agent& agent, const Directive& directive) const {
  const auto outlook = outlooks_.find(directive.gate);
  Directive told = directive;
  told.gate = WholeOf(directive.gate);
  agent.session->Send(told, outlook == outlooks_.end() ? Outlook() : outlook->second, kValidFor);
}

}  // namespace headgate::fleet
