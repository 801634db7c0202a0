#include "controller/fleet/fleet.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

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
    std::string gate = report.gate;
    agent.gates[std::move(gate)] = std::move(report);
  }
  hello.gates.clear();
  agent.hello = std::move(hello);
  SendAll(agent);
  return absl::OkStatus();
}

bool Fleet::Disconnect(const std::string& name, const Session* session) {
  Agent* agent = FindSession(name, session);
  if (agent == nullptr) return false;
  agent->session.reset();
  return true;
}

bool Fleet::Report(const std::string& name, const Session* session, GateReport report,
                   TimePoint now) {
  Agent* agent = FindSession(name, session);
  if (agent == nullptr) return false;
  agent->last_seen = now;
  std::string gate = report.gate;
  const bool is_new = !agent->gates.contains(gate);
  if (is_new && agent->gates.size() >= kGatesPerAgentMax) {
    agent->session->Close(absl::ResourceExhaustedError(
        fmt::format("agent {} reports more than {} gates", name, kGatesPerAgentMax)));
    return false;
  }
  agent->gates[gate] = std::move(report);
  const auto directive = directives_.find(gate);
  if (is_new && directive != directives_.end()) Send(*agent, directive->second);
  return true;
}

CountingResult Fleet::Count(const std::string& name, const Session* session,
                            const CountersPush& push, TimePoint now) {
  Agent* agent = FindSession(name, session);
  if (agent == nullptr) return {};
  agent->last_seen = now;
  CountingResult result = agent->counting.Add(push, now);
  agent->implausible_counts += result.implausible.size();
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
  agent.session->Send(directive, outlook == outlooks_.end() ? Outlook() : outlook->second,
                      kValidFor);
}

}  // namespace headgate::fleet
