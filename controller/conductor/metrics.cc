#include "controller/conductor/metrics.h"

#include <array>
#include <utility>

#include "controller/engine/attention.h"
#include "controller/engine/explain.h"

namespace headgate::conductor {
namespace {

constexpr std::array kPhases = {"PREFLIGHT",  "WAITING_FOR_APPROVAL",
                                "ADMITTING",  "HOLDING",
                                "RETREATING", "CURING",
                                "WATCHING",   "COMPLETED",
                                "ABORTED",    "FAILED"};
constexpr std::array kVerdicts = {engine::Verdict::kHealthy, engine::Verdict::kDegraded,
                                  engine::Verdict::kFailed, engine::Verdict::kUnknown};

prometheus::Family<prometheus::Gauge>& Gauges(prometheus::Registry& registry, const char* name,
                                              const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

prometheus::Family<prometheus::Counter>& Counters(prometheus::Registry& registry, const char* name,
                                                  const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

double Ratio(Share share) { return double(share.ppm()) / Share::kPpmMax; }

}  // namespace

ConductorMetrics::ConductorMetrics(prometheus::Registry& registry)
    : share_(Gauges(registry, "headgate_gate_share_ratio",
                    "The share that the controller wants, 0 to 1.")),
      enforced_(Gauges(registry, "headgate_agent_enforced_share_ratio",
                       "The share that an agent says it enforces, 0 to 1.")),
      connected_(Gauges(registry, "headgate_agent_connected",
                        "1 while the agent speaks, 0 after 5 s of silence.")),
      phase_(Gauges(registry, "headgate_restoration_phase",
                    "1 for the phase that the gate's restoration is in, 0 for the others.")),
      verdict_(Gauges(registry, "headgate_check_verdict",
                      "1 for the check's present verdict, 0 for the others.")),
      recorded_(Gauges(registry, "headgate_gate_recorded",
                       "0 while the gate's last decision is not in the journal.")),
      open_(Gauges(registry, "headgate_gate_open_by_operator",
                   "1 while an operator's open is in force.")),
      needs_a_person_(Gauges(registry, "headgate_gate_needs_a_person",
                             "1 while a person must look: a hold that does not end by itself, or a "
                             "step that lasts too long.")),
      leads_(Gauges(registry, "headgate_leads", "1 while this controller may raise.").Add({})),
      epoch_(Gauges(registry, "headgate_epoch", "The number of the present reign.").Add({})),
      agents_(Gauges(registry, "headgate_agents_connected_count", "Agents that speak.").Add({})),
      decisions_(Counters(registry, "headgate_decisions_total",
                          "Decisions, by gate and by what was done.")),
      refusals_(
          Counters(registry, "headgate_agent_refusals_total", "Directives that an agent refused.")),
      implausible_(Counters(registry, "headgate_implausible_counts_total",
                            "Counter pushes of an agent that were refused.")),
      floods_(Counters(registry, "headgate_agent_floods_total",
                       "Sessions that were ended because the agent sent too many messages.")),
      record_failures_(Counters(registry, "headgate_journal_failures_total",
                                "Records that the journal did not take.")
                           .Add({})),
      record_seconds_(prometheus::BuildHistogram()
                          .Name("headgate_journal_record_seconds")
                          .Help("From handing a record to the journal to its being durable.")
                          .Register(registry)
                          .Add({}, prometheus::Histogram::BucketBoundaries{0.001, 0.003, 0.01, 0.03,
                                                                           0.1, 0.3, 1, 3})) {}

void ConductorMetrics::CountDecision(const std::string& gate, const engine::Cause& cause) {
  decisions_.Add({{"gate", gate}, {"what", cause.what}}).Increment();
}

void ConductorMetrics::CountRefusal(const std::string& agent, const std::string& gate) {
  refusals_.Add({{"agent", agent}, {"gate", gate}}).Increment();
}

void ConductorMetrics::CountImplausible(const std::string& agent) {
  implausible_.Add({{"agent", agent}}).Increment();
}

void ConductorMetrics::CountFlood(const std::string& agent) {
  floods_.Add({{"agent", agent}}).Increment();
}

void ConductorMetrics::ObserveRecording(Duration took, bool succeeded) {
  if (succeeded) {
    record_seconds_.Observe(double(took.count()) / 1000);
  } else {
    record_failures_.Increment();
  }
}

void ConductorMetrics::Show(const engine::State& state, const fleet::Fleet& fleet, TimePoint now) {
  leads_.Set(state.leads && state.journal_trouble.empty() ? 1 : 0);
  epoch_.Set(double(state.epoch));
  agents_.Set(double(fleet.Connected(now)));
  // What was true of a gate, an agent or a check that is no more would alarm for ever.
  const auto before = std::exchange(shown_, {});
  for (const auto& [name, gate] : state.gates) ShowGate(name, gate, now);
  for (const auto& [family, gauge] : before) {
    if (!shown_.contains({family, gauge})) family->Remove(gauge);
  }
}

prometheus::Gauge& ConductorMetrics::Of(const std::string& gate, GaugeFamily& family,
                                        prometheus::Labels labels) {
  labels.emplace("gate", gate);
  prometheus::Gauge& gauge = family.Add(labels);
  shown_.emplace(&family, &gauge);
  return gauge;
}

void ConductorMetrics::ShowGate(const std::string& name, const engine::Gate& gate, TimePoint now) {
  Of(name, share_, {}).Set(Ratio(gate.record.share));
  Of(name, recorded_, {}).Set(gate.recorded ? 1 : 0);
  Of(name, open_, {}).Set(gate.record.open_until ? 1 : 0);
  Of(name, needs_a_person_, {}).Set(engine::NeedsAPerson(gate) ? 1 : 0);
  for (const auto& [agent, view] : gate.evidence.agents) {
    Of(name, enforced_, {{"agent", agent}}).Set(Ratio(view.enforced));
    Of(name, connected_, {{"agent", agent}}).Set(view.connected ? 1 : 0);
  }
  if (!gate.record.restoration) return;
  const std::string phase = engine::NameOf(gate.record.restoration->phase);
  for (const char* each : kPhases) {
    Of(name, phase_, {{"phase", each}}).Set(phase == each ? 1 : 0);
  }
  // Nobody asks the checks any more.
  if (engine::HasEnded(*gate.record.restoration)) return;
  for (const auto& [check, judgement] : engine::JudgeAll(gate, now, false)) {
    for (const engine::Verdict each : kVerdicts) {
      Of(name, verdict_, {{"check", check}, {"verdict", engine::NameOf(each)}})
          .Set(judgement.verdict == each ? 1 : 0);
    }
  }
}

}  // namespace headgate::conductor
