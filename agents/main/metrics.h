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

class Metrics : public prometheus::Collectable {
 public:
  // `is_connected`: to a controller; `endpoints`: of each gate that has one, what its listener says
  // of itself; `certificate_end`: of the certificate that lies there now, none if it does not work.
  // Thread-safe, all.
  Metrics(const Outbox& outbox, std::function<bool()> is_connected,
          std::function<std::vector<EndpointWord>()> endpoints = nullptr,
          std::function<std::optional<TimePoint>()> certificate_end = nullptr)
      : outbox_(outbox),
        is_connected_(std::move(is_connected)),
        endpoints_(std::move(endpoints)),
        certificate_end_(std::move(certificate_end)) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const Outbox& outbox_;
  const std::function<bool()> is_connected_;
  const std::function<std::vector<EndpointWord>()> endpoints_;
  const std::function<std::optional<TimePoint>()> certificate_end_;
};

}  // namespace headgate::agent
