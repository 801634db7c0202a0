// The agent's metrics, made from its gates' last words. Thread-safe. docs/agents/haproxy.md and
// docs/agents/endpoint.md name each.
#pragma once

#include <prometheus/collectable.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agents/core/outbox.h"
#include "common/base/clock.h"

namespace headgate::agent {

// Of a decision endpoint.
struct EndpointWord {
  std::string gate;
  std::uint64_t connections = 0;
  std::uint64_t connections_refused = 0;
  std::uint64_t requests_refused = 0;
  std::uint64_t idle_closed = 0;
  std::uint64_t log_lines_garbled = 0;
};

// Of the agent's certificate: when the one in use ends, unset if none works; and whether the files
// hold something that does not work.
struct CertificateWord {
  std::optional<TimePoint> end;
  bool is_refused = false;
};

class Metrics : public prometheus::Collectable {
 public:
  // `is_connected`: to a controller; `endpoints`: of each gate that has one, what its listener says
  // of itself; `probes_ended`: see Doors. Thread-safe, all.
  Metrics(const Outbox& outbox, std::function<bool()> is_connected,
          std::function<std::vector<EndpointWord>()> endpoints = nullptr,
          std::function<CertificateWord()> certificate = nullptr,
          std::function<std::uint64_t()> probes_ended = nullptr)
      : outbox_(outbox),
        is_connected_(std::move(is_connected)),
        endpoints_(std::move(endpoints)),
        certificate_(std::move(certificate)),
        probes_ended_(std::move(probes_ended)) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const Outbox& outbox_;
  const std::function<bool()> is_connected_;
  const std::function<std::vector<EndpointWord>()> endpoints_;
  const std::function<CertificateWord()> certificate_;
  const std::function<std::uint64_t()> probes_ended_;
};

}  // namespace headgate::agent
