// The agent's listeners for machines that look on: the status pages on loopback, the same with mTLS
// for a Prometheus that comes from the network, and an orchestrator's health probes. None of them
// keeps the agent from its work: what cannot be opened is logged once for each new reason, and
// tried again at each look. Of run's thread; the pages are asked for on the listeners' own.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "agents/main/certificate.h"
#include "agents/main/config.h"
#include "common/health/health_listener.h"
#include "common/http/status_server.h"
#include "common/log/log.h"
#include "common/tls/files.h"

namespace headgate::agent {

class Doors {
 public:
  // `probes_ended`: how many connections of probes were ended because of a bound.
  struct Dependencies {
    const Certificate& certificate;
    http::StatusPages pages;
    std::atomic<std::uint64_t>& probes_ended;
    Log& log;
  };

  Doors(const Config& config, Dependencies dependencies)
      : config_(config),
        certificate_(dependencies.certificate),
        pages_(std::move(dependencies.pages)),
        probes_ended_(dependencies.probes_ended),
        log_(dependencies.log) {}
  Doors(const Doors&) = delete;
  Doors& operator=(const Doors&) = delete;

  // Opens what is closed, opens the pages with mTLS anew once the certificate was renewed, and
  // tells probes how things are.
  void Look(bool is_live, bool is_ready);

 private:
  absl::Status OpenPages();
  absl::Status OpenSecurePages();
  absl::Status OpenHealth();
  // `told`: the last reason, of this listener.
  void Tell(const char* event, const absl::Status& status, absl::Status& told);

  const Config& config_;
  const Certificate& certificate_;
  const http::StatusPages pages_;
  std::atomic<std::uint64_t>& probes_ended_;
  Log& log_;
  // What the pages with mTLS are served with.
  std::optional<tls::Material> served_;
  absl::Status pages_told_;
  absl::Status secure_told_;
  absl::Status health_told_;
  std::unique_ptr<http::StatusServer> pages_server_;
  std::unique_ptr<http::StatusServer> secure_server_;
  std::unique_ptr<HealthListener> health_;
};

}  // namespace headgate::agent
