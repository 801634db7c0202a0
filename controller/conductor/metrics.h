// The controller's metrics, all families registered here; docs/METRICS.md lists them. Owned by the
// loop's thread; the registry is read by the metrics listener.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <set>
#include <string>
#include <utility>

#include "common/base/clock.h"
#include "controller/engine/state.h"
#include "controller/fleet/fleet.h"

namespace headgate::conductor {

class ConductorMetrics {
 public:
  explicit ConductorMetrics(prometheus::Registry& registry);

  void CountDecision(const std::string& gate, const engine::Cause& cause);
  void CountRefusal(const std::string& agent, const std::string& gate);
  void CountImplausible(const std::string& agent);
  void CountFlood(const std::string& agent);
  void ObserveRecording(Duration took, bool succeeded);
  // Once a second.
  void Show(const engine::State& state, const fleet::Fleet& fleet, TimePoint now);

 private:
  using GaugeFamily = prometheus::Family<prometheus::Gauge>;

  void ShowGate(const std::string& name, const engine::Gate& gate, TimePoint now);
  // One of a gate, which goes when Show does not ask for it again.
  prometheus::Gauge& Of(const std::string& gate, GaugeFamily& family, prometheus::Labels labels);

  std::set<std::pair<GaugeFamily*, prometheus::Gauge*>> shown_;
  prometheus::Family<prometheus::Gauge>& share_;
  prometheus::Family<prometheus::Gauge>& enforced_;
  prometheus::Family<prometheus::Gauge>& connected_;
  prometheus::Family<prometheus::Gauge>& phase_;
  prometheus::Family<prometheus::Gauge>& verdict_;
  prometheus::Family<prometheus::Gauge>& recorded_;
  prometheus::Family<prometheus::Gauge>& open_;
  prometheus::Family<prometheus::Gauge>& needs_a_person_;
  prometheus::Gauge& leads_;
  prometheus::Gauge& epoch_;
  prometheus::Gauge& agents_;
  prometheus::Family<prometheus::Counter>& decisions_;
  prometheus::Family<prometheus::Counter>& refusals_;
  prometheus::Family<prometheus::Counter>& implausible_;
  prometheus::Family<prometheus::Counter>& floods_;
  prometheus::Counter& record_failures_;
  prometheus::Histogram& record_seconds_;
};

}  // namespace headgate::conductor
