// The agent's metrics, made from its gates' last words. Thread-safe. docs/agents/haproxy.md names
// each.
#pragma once

#include <prometheus/collectable.h>

#include <functional>
#include <vector>

#include "agents/core/outbox.h"

namespace headgate::agent {

class Metrics : public prometheus::Collectable {
 public:
  // `is_connected`: to a controller; thread-safe.
  Metrics(const Outbox& outbox, std::function<bool()> is_connected)
      : outbox_(outbox), is_connected_(std::move(is_connected)) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const Outbox& outbox_;
  const std::function<bool()> is_connected_;
};

}  // namespace headgate::agent
