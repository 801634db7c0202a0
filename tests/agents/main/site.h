// A load balancer, its application, a controller and the agent's own program between them. One
// thread. Everything is stopped by its pid at the end.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/fake_controller.h"
#include "tests/support/process.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_app.h"
#include "tests/support/test_haproxy.h"

namespace headgate::test {

inline Share Percent(const char* text) { return *Share::Parse(text); }

Directive DirectiveOf(std::uint64_t epoch, std::uint64_t revision, const char* share,
                      const std::string& gate = "shop");

// Puts a rule above the gate's, as people do; for HAProxy's next reload.
void LetEverybodyThrough(const TestHaproxy& haproxy);

class Site {
 public:
  struct Options {
    Share share = Share::All();
    Duration valid_for = std::chrono::seconds(15);
    // Further lines of agent.yaml, e.g. "rails: {freeze: true}\n".
    std::string more_config;
    bool start_agent = true;
  };

  Site() : Site(Options{}) {}
  explicit Site(const Options& options);

  void StartAgent();
  // SIGKILL.
  void KillAgent();
  void StartController();
  void StopController() { controller.reset(); }
  // Directs, and waits until HAProxy enforces it.
  void DirectAndWait(std::uint64_t epoch, std::uint64_t revision, const char* share);
  bool WaitForWidth(const char* share) const;
  // Runs `headgate-agent VERB … --config …` to its end.
  Finished Run(std::vector<std::string> words) const;
  std::string config() const { return folder / "agent.yaml"; }
  std::string state_dir() const { return folder / "state"; }
  void WriteConfig(const std::string& text) const { WriteFile(config(), text); }
  std::string ConfigText(const std::string& more) const;
  HttpAnswer Page(const std::string& path) const;

  TempFolder folder;
  TestApp app;
  TestHaproxy haproxy;
  std::unique_ptr<FakeController> controller;
  std::unique_ptr<Process> agent;

 private:
  const Options options_;
  const int controller_port_;
  const int metrics_port_;
};

}  // namespace headgate::test
