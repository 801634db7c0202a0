#include "controller/engine/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace headgate::engine {
namespace {

constexpr Duration kSecond{1'000};

const CheckSpec* FindCheck(const PlanSpec& plan, const std::string& name) {
  const auto found = std::find_if(plan.checks.begin(), plan.checks.end(),
                                  [&](const CheckSpec& check) { return check.name == name; });
  return found == plan.checks.end() ? nullptr : &*found;
}

std::uint64_t BadOf(const AgentRatio& ratio, const Counts& counts) {
  switch (ratio.metric) {
    case AgentRatio::Metric::kHttp5xx:
      return counts.http_5xx;
    case AgentRatio::Metric::kConnectionErrors:
      return counts.connection_errors;
    case AgentRatio::Metric::kSlowerThan: {
      const auto threshold = static_cast<std::uint32_t>(ratio.slower_than.count());
      const auto found = counts.slower_than_ms.find(threshold);
      return found == counts.slower_than_ms.end() ? 0 : found->second;
    }
  }
  return 0;
}

void AddTally(RatioEvidence& evidence, TimePoint at, Tally tally) {
  evidence.sum.Add(at, tally);
  evidence.newest.Add(at, tally);
  evidence.last = at;
  evidence.no_data_why.clear();
}

// Whether a value lies beyond the soft bound, with the hysteresis on the way back.
bool IsBeyondSoft(const ValueCheck& check, double value, bool was_beyond) {
  const double margin = std::abs(check.soft) * check.hysteresis_ppm / 1e6;
  const double give = was_beyond ? margin : 0;
  return check.hard > check.soft ? value > check.soft - give : value < check.soft + give;
}

void AddToRatio(RatioEvidence& evidence, const RatioCheck& check, const Reading& reading) {
  if (const auto* tally = std::get_if<Tally>(&reading.value)) {
    const auto* source = std::get_if<PrometheusRatio>(&check.source);
    const Duration span = source == nullptr ? Duration(0) : source->every;
    const bool straddles = reading.observed_at - span < evidence.counts_since;
    const bool is_above = double(tally->bad) * 1e6 > double(check.limit_ppm) * double(tally->total);
    const bool refutes = is_above && !evidence.was_lowered;
    AddTally(evidence, reading.observed_at, straddles && !refutes ? Tally{} : *tally);
  } else if (const auto* none = std::get_if<NoData>(&reading.value)) {
    evidence.no_data_why = none->why;
  }
}

void AddToValue(ValueEvidence& evidence, const ValueCheck& check, const Reading& reading) {
  if (const auto* value = std::get_if<Value>(&reading.value)) {
    if (!std::isfinite(value->value)) {
      evidence.no_data_why = fmt::format("the answer is {}", value->value);
      return;
    }
    evidence.is_beyond_soft = IsBeyondSoft(check, value->value, evidence.is_beyond_soft);
    evidence.value = *value;
    evidence.last = reading.observed_at;
    evidence.no_data_why.clear();
  } else if (const auto* none = std::get_if<NoData>(&reading.value)) {
    evidence.no_data_why = none->why;
  }
}

void AddToDatabase(DatabaseEvidence& evidence, const Reading& reading) {
  if (const auto* report = std::get_if<DatabaseReport>(&reading.value)) {
    evidence.report = *report;
    evidence.last = reading.observed_at;
    evidence.no_data_why.clear();
  } else if (const auto* none = std::get_if<NoData>(&reading.value)) {
    evidence.no_data_why = none->why;
  }
}

bool IsOutdated(const std::optional<TimePoint>& last, const Reading& reading) {
  return last && reading.observed_at < *last;
}

}  // namespace

bool NamesAgent(const PlanSpec& plan, const std::string& agent) {
  const auto& named = plan.agents;
  return named.empty() || std::find(named.begin(), named.end(), agent) != named.end();
}

void PrepareEvidence(Evidence& evidence, const PlanSpec& plan) {
  std::erase_if(evidence.traffic,
                [&](const auto& entry) { return !NamesAgent(plan, entry.first); });
  evidence.ratios.clear();
  evidence.values.clear();
  evidence.databases.clear();
  for (const CheckSpec& check : plan.checks) {
    if (const auto* ratio = std::get_if<RatioCheck>(&check.kind)) {
      evidence.ratios.emplace(check.name, RatioEvidence(ratio->window));
    } else if (std::holds_alternative<ValueCheck>(check.kind)) {
      evidence.values.emplace(check.name, ValueEvidence());
    }
  }
  for (const auto& [name, database] : plan.databases) {
    evidence.databases.emplace(name, DatabaseEvidence());
  }
}

void ForgetCounts(Evidence& evidence, TimePoint now, bool was_lowered) {
  for (auto& [name, ratio] : evidence.ratios) {
    ratio.sum.Clear();
    ratio.newest.Clear();
    ratio.by_agent.clear();
    ratio.counts_since = now;
    ratio.was_lowered = was_lowered;
  }
}

void AddCounts(Evidence& evidence, const PlanSpec* plan, const std::string& agent,
               const Counts& counts, TimePoint now) {
  // Where the plan names its agents nobody else has a say, or one more could outweigh them all.
  if (plan != nullptr && !NamesAgent(*plan, agent)) return;
  const auto [known, is_new] = evidence.traffic.try_emplace(agent);
  Traffic& traffic = known->second;
  const Tally requests{.total = counts.admitted + counts.refused};
  traffic.window.Add(now, requests);
  traffic.recent.Add(now, requests);
  if (is_new) traffic.first = now;
  traffic.last = now;
  if (plan == nullptr) return;
  for (const CheckSpec& check : plan->checks) {
    const auto* ratio = std::get_if<RatioCheck>(&check.kind);
    if (ratio == nullptr) continue;
    const auto* source = std::get_if<AgentRatio>(&ratio->source);
    const auto found = evidence.ratios.find(check.name);
    if (source == nullptr || found == evidence.ratios.end()) continue;
    // A bad event without its request (a failed connection that was tried again) must not make
    // more bad events than events.
    const Tally tally{.total = counts.admitted,
                      .bad = std::min(BadOf(*source, counts), counts.admitted)};
    AddTally(found->second, now, tally);
    found->second.by_agent.try_emplace(agent, ratio->window).first->second.Add(now, tally);
  }
}

void AddReading(Evidence& evidence, const PlanSpec& plan, const std::string& source,
                const Reading& reading) {
  static constexpr char kDatabase[] = "database/";
  if (source.rfind(kDatabase, 0) == 0) {
    const auto found = evidence.databases.find(source.substr(sizeof(kDatabase) - 1));
    const bool is_news =
        found != evidence.databases.end() && !IsOutdated(found->second.last, reading);
    if (is_news) AddToDatabase(found->second, reading);
    return;
  }
  const CheckSpec* check = FindCheck(plan, source);
  if (check == nullptr) return;
  if (const auto ratio = evidence.ratios.find(source); ratio != evidence.ratios.end()) {
    if (IsOutdated(ratio->second.last, reading)) return;
    AddToRatio(ratio->second, std::get<RatioCheck>(check->kind), reading);
  } else if (const auto value = evidence.values.find(source); value != evidence.values.end()) {
    if (IsOutdated(value->second.last, reading)) return;
    AddToValue(value->second, std::get<ValueCheck>(check->kind), reading);
  }
}

std::uint64_t WeightOf(const Evidence& evidence, const std::string& agent) {
  const auto found = evidence.traffic.find(agent);
  if (found == evidence.traffic.end()) return 0;
  // As of its last word: an agent that fell silent keeps its weight.
  return found->second.window.Sum(found->second.last).total;
}

double RequestsPerSecond(const Evidence& evidence, const std::string& agent) {
  const auto found = evidence.traffic.find(agent);
  if (found == evidence.traffic.end()) return 0;
  const Traffic& traffic = found->second;
  const Duration span = std::clamp(traffic.last - traffic.first, kSecond, Traffic::kRecent);
  return double(traffic.recent.Sum(traffic.last).total) * 1'000 / double(span.count());
}

}  // namespace headgate::engine
