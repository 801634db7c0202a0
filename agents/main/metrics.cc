#include "agents/main/metrics.h"

#include <prometheus/metric_family.h>

#include <string>
#include <utility>

namespace headgate::agent {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

struct Name {
  const char* name;
  const char* help;
  MetricType type;
};

using Labels = std::vector<std::pair<std::string, std::string>>;

void Add(MetricFamily& family, const Labels& labels, double value) {
  ClientMetric metric;
  for (const auto& [name, text] : labels) metric.label.push_back({name, text});
  if (family.type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  family.metric.push_back(std::move(metric));
}

MetricFamily Make(const Name& name) {
  MetricFamily family;
  family.name = name.name;
  family.help = name.help;
  family.type = name.type;
  return family;
}

// One family with one value per gate.
MetricFamily PerGate(const std::vector<GateWord>& words, const Name& name,
                     const std::function<double(const GateWord&)>& value) {
  MetricFamily family = Make(name);
  for (const GateWord& word : words) Add(family, {{"gate", word.standing.gate}}, value(word));
  return family;
}

MetricFamily Slow(const std::vector<GateWord>& words) {
  MetricFamily family = Make({"headgate_local_slow_answers_total",
                              "Answers to admitted requests that took longer than the threshold.",
                              MetricType::Counter});
  for (const GateWord& word : words) {
    for (const auto& [threshold_ms, count] : word.counters.slow) {
      Add(family, {{"gate", word.standing.gate}, {"slower_than_ms", std::to_string(threshold_ms)}},
          static_cast<double>(count));
    }
  }
  return family;
}

void AddEndpoints(const std::vector<EndpointWord>& words, std::vector<MetricFamily>& families) {
  struct One {
    Name name;
    std::uint64_t EndpointWord::*value;
  };
  const One all[] = {
      {{"headgate_local_endpoint_connections", "Connections to the decision endpoint now.",
        MetricType::Gauge},
       &EndpointWord::connections},
      {{"headgate_local_endpoint_connections_refused_total",
        "Connections to the decision endpoint beyond its limit.", MetricType::Counter},
       &EndpointWord::connections_refused},
      {{"headgate_local_endpoint_requests_refused_total",
        "Requests to the decision endpoint that were too long, had a body or were no HTTP.",
        MetricType::Counter},
       &EndpointWord::requests_refused},
      {{"headgate_local_endpoint_idle_closed_total",
        "Connections to the decision endpoint that were closed for want of a request.",
        MetricType::Counter},
       &EndpointWord::idle_closed},
      {{"headgate_local_endpoint_log_lines_garbled_total",
        "Datagrams that were no line of the load balancer's access log.", MetricType::Counter},
       &EndpointWord::log_lines_garbled}};
  for (const One& one : all) {
    MetricFamily family = Make(one.name);
    for (const EndpointWord& word : words) {
      Add(family, {{"gate", word.gate}}, static_cast<double>(word.*one.value));
    }
    families.push_back(std::move(family));
  }
}

void AddCertificate(const CertificateWord& word, std::vector<MetricFamily>& families) {
  families.push_back(
      Make({"headgate_local_certificate_not_after_seconds",
            "When the agent's certificate ends, Unix seconds; 0: none works.", MetricType::Gauge}));
  Add(families.back(), {}, word.end ? static_cast<double>(UnixMillis(*word.end)) / 1'000 : 0);
  families.push_back(Make({"headgate_local_certificate_refused",
                           "1 while the certificate's files hold what does not work; the one in "
                           "use goes on to its end.",
                           MetricType::Gauge}));
  Add(families.back(), {}, word.is_refused ? 1 : 0);
}

double OverdueSeconds(const GateWord& word) {
  if (!word.standing.expired_since) return 0;
  return std::chrono::duration<double>(word.at - *word.standing.expired_since).count();
}

MetricFamily Stages(const std::vector<GateWord>& words) {
  constexpr std::pair<Stage, const char*> kStages[] = {{Stage::kIdle, "IDLE"},
                                                       {Stage::kReceived, "RECEIVED"},
                                                       {Stage::kApplied, "APPLIED"},
                                                       {Stage::kObserved, "OBSERVED"},
                                                       {Stage::kRefused, "REFUSED"}};
  MetricFamily family =
      Make({"headgate_local_stage", "1 for the stage that the gate's directive has reached.",
            MetricType::Gauge});
  for (const GateWord& word : words) {
    for (const auto& [stage, name] : kStages) {
      Add(family, {{"gate", word.standing.gate}, {"stage", name}},
          word.standing.stage == stage ? 1 : 0);
    }
  }
  return family;
}

}  // namespace

std::vector<MetricFamily> Metrics::Collect() const {
  const std::vector<GateWord> words = outbox_.All();
  const auto gauge = [&](const char* name, const char* help, auto value) {
    return PerGate(words, {name, help, MetricType::Gauge}, value);
  };
  const auto counter = [&](const char* name, const char* help, auto value) {
    return PerGate(words, {name, help, MetricType::Counter},
                   [&](const GateWord& word) { return static_cast<double>(value(word)); });
  };
  std::vector<MetricFamily> families;
  families.push_back(Make(
      {"headgate_local_connected", "1 while a controller has welcomed us.", MetricType::Gauge}));
  Add(families.back(), {}, is_connected_() ? 1 : 0);
  AddCertificate(certificate_ ? certificate_() : CertificateWord(), families);
  families.push_back(Make({"headgate_local_health_connections_ended_total",
                           "Connections to the probes' port that were ended: there were newer ones "
                           "beyond its bound, or they stayed too long.",
                           MetricType::Counter}));
  Add(families.back(), {}, probes_ended_ ? static_cast<double>(probes_ended_()) : 0);
  families.push_back(gauge(
      "headgate_local_enforced_share_ratio", "The share that the load balancer enforces, 0 to 1.",
      [](const GateWord& word) { return word.standing.enforced.ppm() / double{Share::kPpmMax}; }));
  families.push_back(Stages(words));
  families.push_back(gauge("headgate_local_expired",
                           "1 while the last renewal is older than its validity.",
                           [](const GateWord& word) { return word.standing.expired; }));
  families.push_back(gauge("headgate_local_overdue_seconds",
                           "How long the last renewal has been older than that; 0 while it is not.",
                           [](const GateWord& word) { return OverdueSeconds(word); }));
  families.push_back(gauge("headgate_local_unsaved",
                           "1 while what is in force is not on the disk yet.",
                           [](const GateWord& word) { return word.standing.unsaved; }));
  families.push_back(
      gauge("headgate_local_overridden",
            "1 while the operator's word on the box stands above directives.",
            [](const GateWord& word) { return word.standing.local_override.has_value(); }));
  families.push_back(gauge("headgate_local_load_balancer_up",
                           "1 while the load balancer can be asked.",
                           [](const GateWord& word) { return word.is_reachable; }));
  families.push_back(counter("headgate_local_changes_total",
                             "How often the load balancer was told a share.",
                             [](const GateWord& word) { return word.applied; }));
  families.push_back(counter("headgate_local_changes_failed_total",
                             "How often that failed, wholly or in part.",
                             [](const GateWord& word) { return word.failed; }));
  families.push_back(counter("headgate_local_admitted_total",
                             "Answered requests of admitted users.",
                             [](const GateWord& word) { return word.counters.admitted; }));
  families.push_back(counter("headgate_local_http_5xx_total", "Of them, answered with 500 to 599.",
                             [](const GateWord& word) { return word.counters.http_5xx; }));
  families.push_back(counter("headgate_local_connection_errors_total",
                             "Failed connections to the application, retries included.",
                             [](const GateWord& word) { return word.counters.connection_errors; }));
  families.push_back(counter("headgate_local_refused_total", "Requests that got the waiting page.",
                             [](const GateWord& word) { return word.counters.refused; }));
  families.push_back(
      counter("headgate_local_new_cookies_refused_total",
              "New cookies that were not given, because the address got too many.",
              [](const GateWord& word) { return word.counters.new_cookies_refused; }));
  families.push_back(counter("headgate_local_bypassed_total",
                             "Requests that a bypass rule let through.",
                             [](const GateWord& word) { return word.counters.bypassed; }));
  families.push_back(Slow(words));
  AddEndpoints(endpoints_ ? endpoints_() : std::vector<EndpointWord>(), families);
  return families;
}

}  // namespace headgate::agent
