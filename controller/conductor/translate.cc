#include "controller/conductor/translate.h"

#include <fmt/format.h>

#include <utility>
#include <variant>

#include "common/base/duration.h"
#include "controller/declared/inventory_of.h"

namespace headgate::conductor {
namespace {

engine::DatabaseReport ToReport(const database::Report& report) {
  engine::DatabaseReport translated{.findings = {},
                                    .notes = report.notes,
                                    .pending = report.pending,
                                    .progress = report.progress,
                                    .active_backends = report.active_backends};
  for (const database::Finding& finding : report.findings) {
    engine::DatabaseFinding::Severity severity = engine::DatabaseFinding::Severity::kFailed;
    if (finding.severity == database::Severity::kDegraded) {
      severity = engine::DatabaseFinding::Severity::kDegraded;
    } else if (finding.severity == database::Severity::kUnknown) {
      severity = engine::DatabaseFinding::Severity::kUnknown;
    }
    translated.findings.push_back(
        {.severity = severity, .drains = finding.drains, .text = finding.text});
  }
  return translated;
}

struct ValueTranslator {
  using Result = decltype(engine::Reading::value);

  Result operator()(const signals::RatioReading& ratio) const {
    return engine::Tally{.total = ratio.total, .bad = ratio.bad};
  }
  Result operator()(const signals::ValueReading& value) const { return engine::Value{value.value}; }
  Result operator()(const signals::DatabaseReading& reading) const {
    return ToReport(reading.report);
  }
  Result operator()(const signals::NoReading& none) const { return engine::NoData{none.why}; }
};

engine::AgentView::Stage ToStage(fleet::Stage stage) {
  switch (stage) {
    case fleet::Stage::kIdle:
      return engine::AgentView::Stage::kIdle;
    case fleet::Stage::kReceived:
      return engine::AgentView::Stage::kReceived;
    case fleet::Stage::kApplied:
      return engine::AgentView::Stage::kApplied;
    case fleet::Stage::kObserved:
      return engine::AgentView::Stage::kObserved;
    case fleet::Stage::kRefused:
      return engine::AgentView::Stage::kRefused;
  }
  return engine::AgentView::Stage::kRefused;
}

}  // namespace

std::vector<signals::SignalSpec> SignalsOf(const engine::PlanSpec& plan,
                                           const std::string& default_prometheus_url) {
  const std::string& url =
      plan.prometheus_url.empty() ? default_prometheus_url : plan.prometheus_url;
  std::vector<signals::SignalSpec> specs;
  for (const engine::CheckSpec& check : plan.checks) {
    const std::string name = plan.gate + "/" + check.name;
    if (const auto* ratio = std::get_if<engine::RatioCheck>(&check.kind)) {
      const auto* source = std::get_if<engine::PrometheusRatio>(&ratio->source);
      if (source == nullptr) continue;
      specs.push_back(
          {name, signals::PrometheusRatioQuery{.url = url,
                                               .bad = source->bad,
                                               .total = source->total,
                                               .every = source->every,
                                               .bad_absent_is_zero = source->bad_absent_is_zero,
                                               .sampled_by = source->sampled_by}});
    } else if (const auto* value = std::get_if<engine::ValueCheck>(&check.kind)) {
      specs.push_back(
          {name, signals::PrometheusValueQuery{.url = url,
                                               .query = value->source.query,
                                               .every = value->source.every,
                                               .sampled_by = value->source.sampled_by}});
    }
  }
  if (plan.adaptive && plan.adaptive->utilisation) {
    const engine::PrometheusValue& source = *plan.adaptive->utilisation;
    specs.push_back({plan.gate + "/" + engine::kUtilisationSource,
                     signals::PrometheusValueQuery{.url = url,
                                                   .query = source.query,
                                                   .every = source.every,
                                                   .sampled_by = source.sampled_by}});
  }
  for (const auto& [database, spec] : plan.databases) {
    specs.push_back({plan.gate + "/database/" + database,
                     signals::DatabaseWatch{.inventory = declared::InventoryOf(database, spec),
                                            .data = declared::RollingOf(spec.data)}});
  }
  return specs;
}

engine::ReadingArrived ToEvent(const signals::Reading& reading) {
  // A gate's name has no slash.
  const std::size_t slash = reading.signal.find('/');
  return {.gate = reading.signal.substr(0, slash),
          .source = slash == std::string::npos ? "" : reading.signal.substr(slash + 1),
          .reading = {.observed_at = reading.observed_at,
                      .value = std::visit(ValueTranslator{}, reading.value)}};
}

engine::AgentView ToView(const fleet::Agent& agent, const fleet::GateReport& report,
                         TimePoint now) {
  engine::AgentView view{.name = agent.name,
                         .connected = agent.IsConnected(now),
                         .version = report.version,
                         .stage = ToStage(report.stage),
                         .enforced = report.enforced,
                         .admit_by = report.admit_by,
                         .slow_thresholds_ms = report.slow_thresholds_ms};
  if (report.refusal) view.refusal = report.refusal->detail;
  if (!report.trouble.empty()) {
    view.refusal += (view.refusal.empty() ? "" : "; ") + report.trouble;
  }
  if (agent.HasRival(now)) {
    // What one of them observed says nothing of the other.
    view.stage = engine::AgentView::Stage::kRefused;
    view.refusal = fleet::RivalText(agent);
  }
  if (report.local_override) {
    const fleet::LocalOverride& local = *report.local_override;
    view.local_override =
        fmt::format("{} {}{}", local.is_ceiling ? "at most" : "exactly", local.share.ToString(),
                    local.until ? " until " + FormatTime(*local.until) : "");
  }
  return view;
}

engine::CountsArrived ToEvent(const std::string& agent, const fleet::GateTotals& delta) {
  return {.gate = delta.gate,
          .agent = agent,
          .counts = {.admitted = delta.admitted,
                     .http_5xx = delta.http_5xx,
                     .connection_errors = delta.connection_errors,
                     .refused = delta.refused,
                     .slower_than_ms = delta.slower_than_ms}};
}

}  // namespace headgate::conductor
