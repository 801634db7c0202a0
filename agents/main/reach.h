// Tries to reach the controllers that the configuration names: TCP, TLS, who they are, and whether
// they take this agent's certificate. Opens no session, so that a running agent's is left alone.
// Call it on any thread; returns within kReachMax and a little.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agents/main/config.h"

namespace headgate::agent {

inline constexpr Duration kReachMax{2000};

struct Reached {
  std::string controller;
  // Not OK: why no session could be opened there, and what to do.
  absl::Status status;
  // Of one that is OK: "controller one, certificate until 2024-09-14 18:00:00 UTC".
  std::string words;
};

// All at the same time; in the order of the configuration. `material`: unset for plaintext.
std::vector<Reached> ReachControllers(const std::vector<std::string>& controllers,
                                      const std::optional<tls::Material>& material);

}  // namespace headgate::agent
