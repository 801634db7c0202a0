// The agent's command line: what may be said, and where it goes. One thread.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "agents/main/snippets.h"

namespace headgate::agent {

struct Flags {
  std::string config = "/etc/headgate/agent.yaml";
  std::string gate;
  std::string share;
  std::string until;
  std::string output;
  // Of doctor: a load balancer or a controller that is away is no illness of the agent's.
  bool only_life = false;
  SnippetFlags snippet;
  // Of bucket; "-": one key per line of stdin.
  std::vector<std::string> keys;
};

// `app` parses into `flags`; the subcommand that was said is the one that converts to true.
struct Grammar {
  Grammar();
  Grammar(const Grammar&) = delete;
  Grammar& operator=(const Grammar&) = delete;

  Flags flags;
  CLI::App app{"Headgate's agent: makes the load balancer beside it obey.", "headgate-agent"};
  CLI::App* run = nullptr;
  CLI::App* check = nullptr;
  CLI::App* doctor = nullptr;
  CLI::App* status = nullptr;
  CLI::App* lower = nullptr;
  CLI::App* override_share = nullptr;
  CLI::App* release = nullptr;
  CLI::App* bucket = nullptr;
  CLI::App* version = nullptr;
};

}  // namespace headgate::agent
