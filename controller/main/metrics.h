// What headgated exports about itself; the rooms have their own. docs/METRICS.md lists all. Written
// by main's thread, but for CountProbeEnded.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include "common/base/clock.h"

namespace headgate {

class ProgramMetrics {
 public:
  explicit ProgramMetrics(prometheus::Registry& registry);
  void ShowCertificateEnd(TimePoint not_after);
  void ShowCertificateRefused(bool is_refused) { certificate_refused_.Set(is_refused ? 1 : 0); }
  void CountReopening() { reopenings_.Increment(); }
  // Any thread.
  void CountProbeEnded() { probes_ended_.Increment(); }

 private:
  prometheus::Gauge& certificate_not_after_;
  prometheus::Gauge& certificate_refused_;
  prometheus::Counter& reopenings_;
  prometheus::Counter& probes_ended_;
};

}  // namespace headgate
