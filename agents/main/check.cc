#include "agents/main/check.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "agents/core/files.h"
#include "agents/core/store.h"
#include "agents/main/load_balancer.h"
#include "agents/main/lock.h"
#include "agents/main/reach.h"

namespace headgate::agent {
namespace {

std::string Words(const absl::Status& status) { return std::string(status.message()); }

}  // namespace

std::vector<std::string> CheckAgent(const Config& config, TimePoint now) {
  std::vector<std::string> findings;
  std::error_code error;
  if (!std::filesystem::exists(config.state_dir, error)) {
    findings.push_back(
        fmt::format("state_dir {} is missing: `headgate-agent run` makes it if its user may, else "
                    "`install -d -m 700 -o headgate {}`",
                    config.state_dir, config.state_dir));
  } else if (const absl::Status status = TryToWriteIn(config.state_dir); !status.ok()) {
    findings.push_back(
        fmt::format("state_dir {} takes no new file, so that the agent does not start, or raises "
                    "nothing and forgets a lowering at a restart: {}",
                    config.state_dir, Words(status)));
  }
  if (const AgentSeen agent = FindAgent(config.state_dir); agent.is == AgentSeen::Is::kStopped) {
    findings.push_back(fmt::format(
        "the agent is {}: nobody carries out what the controllers say, until `kill -CONT {}` lets "
        "it go on, or it is restarted",
        agent.ToString(), agent.pid));
  }
  for (const GateConfig& gate : config.gates) {
    FileStore store(config.state_dir, gate.name);
    if (const auto memory = store.LoadMemory(); !memory.ok()) {
      findings.push_back(
          fmt::format("{}: {}: the agent leaves the load balancer as it is until "
                      "a directive comes",
                      gate.name, Words(memory.status())));
    }
    if (const auto word = store.LoadOverride(); !word.ok()) {
      findings.push_back(fmt::format(
          "{}: {}: nothing is raised until `headgate-agent release --gate {}` or a new override",
          gate.name, Words(word.status()), gate.name));
    }
  }
  if (config.tls) {
    const auto material = tls::Load(*config.tls, now);
    if (!material.ok()) {
      findings.push_back(Words(material.status()));
    } else if (material->identity.role != tls::Role::kAgent) {
      findings.push_back(fmt::format(
          "{} is a certificate of the role {}, not of an agent: issue one with "
          "`headgate certs issue --role agent --name NAME`",
          config.tls->certificate, std::string(tls::RoleName(material->identity.role))));
    }
  }
  for (const GateConfig& gate : config.gates) {
    for (std::string& finding : CheckGate(gate)) findings.push_back(std::move(finding));
  }
  for (std::string& finding : CheckBeside(config.gates)) findings.push_back(std::move(finding));
  return findings;
}

ControllersFound CheckControllers(const Config& config, TimePoint now) {
  ControllersFound found;
  std::optional<tls::Material> material;
  if (config.tls) {
    auto loaded = tls::Load(*config.tls, now);
    if (!loaded.ok()) {
      found.findings.push_back("the controllers were not tried, for want of a certificate");
      return found;
    }
    material = *std::move(loaded);
  }
  std::vector<std::string> failures;
  for (const Reached& reached : ReachControllers(config.controllers, material)) {
    if (reached.status.ok()) {
      found.answers.push_back(
          fmt::format("controller {}: ok{}", reached.controller,
                      reached.words.empty() ? std::string() : fmt::format(" ({})", reached.words)));
    } else {
      failures.push_back(
          fmt::format("controller {}: {}", reached.controller, Words(reached.status)));
    }
  }
  (found.answers.empty() ? found.findings : found.warnings) = std::move(failures);
  return found;
}

}  // namespace headgate::agent
