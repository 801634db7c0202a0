// A controller and the agent's own program beside one load balancer, whichever it is. One thread.
// Everything is stopped by its pid at the end.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/fake_controller.h"
#include "tests/support/process.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_haproxy.h"

namespace headgate::test {

inline Share Percent(const char* text) { return *Share::Parse(text); }

Directive DirectiveOf(std::uint64_t epoch, std::uint64_t revision, const char* share,
                      const std::string& gate = "shop");

class AgentSite {
 public:
  struct Options {
    Duration valid_for = std::chrono::seconds(15);
    // Further lines of agent.yaml, e.g. "rails: {freeze: true}\n".
    std::string more_config;
    // Empty: one of its own.
    std::string state_dir;
  };

  // `balancer`: the lines of agent.yaml below the gate's name.
  AgentSite(Options options, std::string balancer);

  void StartAgent();
  // SIGKILL.
  void KillAgent();
  void StartController();
  void StopController() { controller.reset(); }
  // Directs, and waits until that is observed and saved.
  void DirectAndWait(std::uint64_t epoch, std::uint64_t revision, const char* share);
  // Runs `headgate-agent VERB … --config …` to its end.
  Finished Run(std::vector<std::string> words) const;
  std::string config() const { return folder / "agent.yaml"; }
  std::string state_dir() const;
  void WriteConfig(const std::string& text) const { WriteFile(config(), text); }
  std::string ConfigText(const std::string& more) const;
  // Of the agent's own listener.
  HttpAnswer Page(const std::string& path) const;

  TempFolder folder;
  std::unique_ptr<FakeController> controller;
  std::unique_ptr<Process> agent;

 private:
  const Options options_;
  const std::string balancer_;
  const int controller_port_;
  const int metrics_port_;
};

}  // namespace headgate::test
