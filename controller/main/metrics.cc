#include "controller/main/metrics.h"

namespace headgate {

ProgramMetrics::ProgramMetrics(prometheus::Registry& registry)
    : certificate_not_after_(
          prometheus::BuildGauge()
              .Name("headgate_certificate_not_after_seconds")
              .Help("When the controller's certificate ends, in Unix seconds; 0: it has none.")
              .Register(registry)
              .Add({})),
      certificate_refused_(
          prometheus::BuildGauge()
              .Name("headgate_certificate_refused")
              .Help("1 while the certificate's files hold what does not work; the one in use goes "
                    "on to its end.")
              .Register(registry)
              .Add({})),
      reopenings_(prometheus::BuildCounter()
                      .Name("headgate_listeners_reopened_total")
                      .Help("Times that the listeners were opened anew: the certificate was "
                            "renewed, or they took no connections any more.")
                      .Register(registry)
                      .Add({})),
      probes_ended_(prometheus::BuildCounter()
                        .Name("headgate_health_connections_ended_total")
                        .Help("Connections to the probes' port that were ended: there were newer "
                              "ones beyond its bound, or they stayed too long.")
                        .Register(registry)
                        .Add({})) {}

void ProgramMetrics::ShowCertificateEnd(TimePoint not_after) {
  certificate_not_after_.Set(double(UnixMillis(not_after)) / 1'000);
}

}  // namespace headgate
