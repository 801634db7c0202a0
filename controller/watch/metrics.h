// What the watch of databases exports; docs/METRICS.md lists it. Protected by whoever calls: one
// thread at a time. The registry is read by the metrics listener.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <map>
#include <set>
#include <string>

#include "controller/watch/history.h"

namespace headgate::watch {

class WatchMetrics {
 public:
  explicit WatchMetrics(prometheus::Registry& registry);

  void Show(const std::string& database, const Known& known);
  void CountChange(const Change& change);
  void CountUnwritten() { unwritten_.Increment(); }

 private:
  void ShowData(const std::string& database, const Known& known);

  prometheus::Family<prometheus::Gauge>& verdict_;
  prometheus::Family<prometheus::Gauge>& lag_;
  prometheus::Family<prometheus::Gauge>& findings_;
  prometheus::Family<prometheus::Gauge>& last_look_;
  prometheus::Family<prometheus::Gauge>& last_success_;
  prometheus::Family<prometheus::Gauge>& data_rows_;
  prometheus::Family<prometheus::Gauge>& data_rows_estimated_;
  prometheus::Family<prometheus::Gauge>& last_round_;
  prometheus::Family<prometheus::Gauge>& last_round_took_;
  prometheus::Family<prometheus::Counter>& changes_;
  prometheus::Counter& unwritten_;
  // Kinds that have been shown, by database: what has gone is shown as 0.
  std::map<std::string, std::set<std::string>> kinds_;
};

}  // namespace headgate::watch
