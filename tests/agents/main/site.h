// A HAProxy with its application, and the agent beside it. One thread. Everything is stopped by its
// pid at the end.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "tests/support/agent_site.h"
#include "tests/support/test_app.h"
#include "tests/support/test_haproxy.h"

namespace headgate::test {

// Puts a rule above the gate's, as people do; for HAProxy's next reload.
void LetEverybodyThrough(const TestHaproxy& haproxy);

// Made before the agent, which speaks to it.
struct SiteOfHaproxy {
  explicit SiteOfHaproxy(Share share) : haproxy({.app_port = app.port(), .share = share}) {}
  TestApp app;
  TestHaproxy haproxy;
};

class Site : public SiteOfHaproxy, public AgentSite {
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

  bool WaitForWidth(const char* share) const;
};

}  // namespace headgate::test
