// An application, the agent's own program with its endpoint, and a load balancer that asks it:
// nginx by auth_request, Caddy, or Envoy by ext_authz. One thread. Everything is stopped by its pid
// at the end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agents/endpoint/endpoint.h"
#include "agents/endpoint/snippet.h"
#include "tests/support/process.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_app.h"
#include "tests/support/test_envoy.h"
#include "tests/support/test_haproxy.h"
#include "tests/support/test_nginx.h"

namespace headgate::test {

class AskedSite {
 public:
  enum class Asker { kNginx, kCaddy, kEnvoy };
  struct Options {
    Asker asker = Asker::kNginx;
    Share share = Share::All();
    std::string key = "cookie headgate_uid";
    endpoint::OnAgentFailure on_agent_failure = endpoint::OnAgentFailure::kStatic;
    bool with_access_log = false;
    // Where nginx keeps answers; empty: beside all else.
    std::string remembered{};
    // Further lines of nginx's server.
    std::string more_server{};
  };

  // Starts all and waits until the load balancer answers.
  explicit AskedSite(Options options);

  void StartAgent();
  // SIGKILL.
  void KillAgent();
  // Of Caddy: SIGKILL, and a new one.
  void KillAndStartCaddy();
  // Runs `headgate-agent VERB … --config …` to its end.
  Finished Run(std::vector<std::string> words) const;
  // By the word on the box; waits until it is confirmed.
  void Override(const std::string& share) const;

  HttpAnswer Get(const std::string& path, const std::vector<std::string>& headers = {}) const;
  int StatusFor(const std::string& user) const;
  // What the agent tells on its metrics' listener; -1 if it does not.
  double Metric(const std::string& name) const;

  std::string socket() const { return folder / "shop.sock"; }
  // How Envoy asks.
  std::string ext_authz() const { return folder / "grpc.sock"; }
  std::string share_file() const { return folder / "shop.share"; }
  std::string remembered() const {
    return options_.remembered.empty() ? folder / "kept" : options_.remembered;
  }
  // What the agent says beside its readiness.
  std::string Readiness() const;
  std::string Log() const;
  // Of Envoy's counters, as its admin interface tells it; -1 if it does not.
  double EnvoyCount(const std::string& name) const;

  const TempFolder folder;
  TestApp app;
  std::unique_ptr<Process> agent;

 private:
  void WriteAgentConfig() const;
  void StartNginx();
  void StartCaddy();
  void StartEnvoy();
  endpoint::SnippetOptions SnippetOptionsHere() const;

  const Options options_;
  std::uint16_t port_;
  const std::uint16_t metrics_port_;
  const std::uint16_t log_port_;
  // One of them.
  std::unique_ptr<TestNginx> nginx_;
  std::unique_ptr<Process> caddy_;
  std::unique_ptr<TestEnvoy> envoy_;
};

}  // namespace headgate::test
