#include "controller/engine/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "controller/engine/adaptive.h"

namespace headgate::engine {
namespace {

// How errors scatter is told by counts of a share that has stood for so long.
constexpr Duration kSteadyAfter{21'000};
constexpr Duration kDemandAfter{3'000};
constexpr double kDemandForget = 0.1;
constexpr Duration kDemandKnownAfter{5'000};
// Of the newest reading in the mean.
constexpr double kUtilisationWeight = 0.5;
constexpr Duration kSecond{1'000};
// A pause between requests is longer than this many mean ones once in twenty times.
constexpr double kLongestPause = 3;

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

void AddToRatio(RatioEvidence& evidence, const CheckSpec& spec, const Reading& reading,
                const std::optional<TimePoint>& in_force_since) {
  const auto& check = std::get<RatioCheck>(spec.kind);
  if (const auto* tally = std::get_if<Tally>(&reading.value)) {
    const auto* source = std::get_if<PrometheusRatio>(&check.source);
    const Duration span = source == nullptr ? Duration(0) : source->every;
    const bool straddles = reading.observed_at - span < evidence.counts_since;
    const bool is_above = double(tally->bad) * 1e6 > double(check.limit_ppm) * double(tally->total);
    const bool refutes = is_above && !evidence.was_lowered;
    const Tally counted = straddles && !refutes ? Tally{} : *tally;
    const bool was_silent = evidence.last && reading.observed_at - *evidence.last > spec.fresh;
    if (evidence.weighed && was_silent) evidence.weighed->evidence.ForgetFor();
    AddTally(evidence, reading.observed_at, counted);
    if (!evidence.weighed || (straddles && !refutes)) return;
    // The pieces of a window are alike: they tell nothing of how errors scatter.
    evidence.weighed->Add({.seconds = double(span.count()) / 1e3,
                           .total = double(counted.total),
                           .bad = double(std::min(counted.bad, counted.total))},
                          false, in_force_since && reading.observed_at - span >= *in_force_since);
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

// What was measured before the share was in force says nothing of it.
void AddToUtilisation(Progress& progress, const Reading& reading) {
  const auto* measured = std::get_if<Value>(&reading.value);
  const bool counts = measured != nullptr && std::isfinite(measured->value) &&
                      progress.observed_at && reading.observed_at >= *progress.observed_at;
  if (!counts) return;
  Utilisation& utilisation = progress.utilisation;
  utilisation.last = reading.observed_at;
  utilisation.value =
      utilisation.value
          ? *utilisation.value + kUtilisationWeight * (measured->value - *utilisation.value)
          : measured->value;
}

// The active backends as a part of those that the database has room for.
void AddActive(Progress& progress, const DatabaseSpec& database, const Reading& reading) {
  const auto* report = std::get_if<DatabaseReport>(&reading.value);
  if (report == nullptr || !report->active_backends) return;
  AddToUtilisation(progress,
                   {.observed_at = reading.observed_at,
                    .value = Value{double(*report->active_backends) / double(database.active_of)}});
}

// Nobody was in: the first request that is counted tells by how much counts come late, less what
// so few users may have waited before they asked.
void AwaitFirst(Evidence& evidence, Share share, double requests, TimePoint now) {
  Progress& progress = evidence.progress;
  const Duration waited = now - *progress.observed_at;
  if (requests <= 0 && waited < kCountsLagMax) return;
  progress.awaits_first = false;
  progress.counts_lag = Duration(0);
  // Nobody came: that tells nothing.
  if (requests <= 0) return;
  const double rate = DemandOf(evidence) * double(share.ppm()) / Share::kPpmMax;
  const Duration chance(rate > 0 ? std::int64_t(kLongestPause / rate * 1e3) : 0);
  progress.counts_lag = std::clamp(waited - chance, Duration(0), kCountsLagMax);
}

// What spoke for the share before a silence is not fresh after it.
void ForgetFor(Evidence& evidence) {
  evidence.progress.since_observed = Duration(0);
  for (auto& [name, ratio] : evidence.ratios) {
    if (ratio.weighed && ratio.weighed->is_of_agents) ratio.weighed->evidence.ForgetFor();
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
  evidence.progress = {};
  for (const CheckSpec& check : plan.checks) {
    if (const auto* ratio = std::get_if<RatioCheck>(&check.kind)) {
      RatioEvidence& added =
          evidence.ratios.emplace(check.name, RatioEvidence(ratio->window)).first->second;
      if (!plan.adaptive) continue;
      added.weighed.emplace(double(ratio->limit_ppm) / Share::kPpmMax, AgainstBar(plan));
      added.weighed->is_of_agents = std::holds_alternative<AgentRatio>(ratio->source);
    } else if (std::holds_alternative<ValueCheck>(check.kind)) {
      evidence.values.emplace(check.name, ValueEvidence());
    }
  }
  for (const auto& [name, database] : plan.databases) {
    evidence.databases[name].on_drift = database.on_drift;
  }
}

void ForgetAgent(Evidence& evidence, const std::string& agent) {
  evidence.agents.erase(agent);
  evidence.traffic.erase(agent);
  for (auto& [name, ratio] : evidence.ratios) {
    ratio.by_agent.erase(agent);
    if (ratio.weighed) ratio.weighed->agents.erase(agent);
  }
}

void ForgetCounts(Evidence& evidence, TimePoint now, bool was_lowered) {
  for (auto& [name, ratio] : evidence.ratios) {
    ratio.sum.Clear();
    ratio.newest.Clear();
    ratio.by_agent.clear();
    ratio.counts_since = now;
    ratio.was_lowered = was_lowered;
    // Answers that a larger share left behind.
    if (was_lowered && ratio.weighed) ratio.weighed->OnLowered(0);
  }
}

void BeginShare(Evidence& evidence, Share before, std::uint32_t change, bool was_lowered) {
  for (auto& [name, ratio] : evidence.ratios) {
    if (!ratio.weighed) continue;
    const double mass = MassOfChange(change);
    was_lowered ? ratio.weighed->OnLowered(mass) : ratio.weighed->OnRaised(mass);
  }
  Progress& progress = evidence.progress;
  progress.since_change = progress.since_observed = Duration(0);
  progress.since_judged = progress.bad_in_cure = Duration(0);
  progress.observed_at.reset();
  progress.awaits_first = before == Share::None();
  progress.was_lowered = was_lowered;
  Utilisation& utilisation = progress.utilisation;
  utilisation.share_before = utilisation.value ? before : Share::None();
  utilisation.value_before = utilisation.value.value_or(0);
  utilisation.value.reset();
}

bool IsBatchDue(const Evidence& evidence, TimePoint now) {
  return evidence.progress.has_open && now - evidence.progress.weighed_at >= kBatchLeast;
}

std::string StillFailing(const Evidence& evidence, double bar) {
  for (const auto& [name, ratio] : evidence.ratios) {
    if (!ratio.weighed) continue;
    const Sequential& weighed = ratio.weighed->evidence;
    if (weighed.IsBadNow() || weighed.Against() >= bar) return name;
  }
  return "";
}

Duration WeighCounts(Evidence& evidence, Share share, bool is_observed, TimePoint now) {
  Progress& progress = evidence.progress;
  const Duration elapsed = now - progress.weighed_at;
  const Duration span = elapsed > kBatchMost ? kBatchLeast : elapsed;
  const double seconds = double(span.count()) / 1e3;
  const auto requests = double(std::exchange(progress.open_requests, 0));
  progress.has_open = false;
  progress.weighed_at = now;
  progress.since_change += span;
  if (is_observed && !progress.observed_at) progress.observed_at = now;
  if (progress.awaits_first && progress.observed_at) AwaitFirst(evidence, share, requests, now);
  const bool is_counted = progress.observed_at && !progress.awaits_first &&
                          now - *progress.observed_at >= progress.counts_lag;
  if (is_counted) progress.since_observed += span;
  const bool is_judged =
      is_counted || progress.since_change >= kUnconfirmedMax + progress.counts_lag;
  if (is_judged) progress.since_judged += span;
  if (elapsed >= kEvidenceFresh) ForgetFor(evidence);
  const bool speaks_for = progress.since_observed > kAnswersUnderWay;
  bool is_bad = false;
  for (auto& [name, ratio] : evidence.ratios) {
    if (!ratio.weighed) continue;
    Weighed& weighed = *ratio.weighed;
    // Of Prometheus: weighed when its windows come.
    if (!weighed.is_of_agents) continue;
    // Counts that come late are of the larger share before, and say nothing of this one.
    if (share == Share::None() || (progress.was_lowered && !is_judged)) {
      weighed.DropOpen();
      continue;
    }
    weighed.WeighOpen(seconds, progress.since_change > kSteadyAfter, speaks_for);
    is_bad = is_bad || weighed.evidence.IsBadNow();
  }
  // While it goes well: overload brings retries, which are no demand.
  const bool tells_demand =
      span == elapsed && share > Share::None() && !is_bad && progress.since_observed > kDemandAfter;
  if (!tells_demand) return span;
  const double rate = requests / seconds * Share::kPpmMax / share.ppm();
  double& demand = progress.demand_rps;
  demand = demand > 0 ? demand + std::min(kDemandForget * seconds, 1.0) * (rate - demand) : rate;
  return span;
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
  evidence.progress.has_open = true;
  evidence.progress.open_requests += counts.admitted;
  for (const CheckSpec& check : plan->checks) {
    const AgentRatio* source = AgentRatioOf(check);
    const auto found = evidence.ratios.find(check.name);
    if (source == nullptr || found == evidence.ratios.end()) continue;
    // A bad event without its request (a failed connection that was tried again) must not make
    // more bad events than events.
    const Tally tally{.total = counts.admitted,
                      .bad = std::min(BadOf(*source, counts), counts.admitted)};
    AddTally(found->second, now, tally);
    if (found->second.weighed) {
      found->second.weighed->Count(agent, double(tally.total), double(tally.bad));
    }
    const Duration window = std::get<RatioCheck>(check.kind).window;
    found->second.by_agent.try_emplace(agent, window).first->second.Add(now, tally);
  }
}

void AddReading(Evidence& evidence, const PlanSpec& plan, const std::string& source,
                const Reading& reading) {
  static constexpr char kDatabase[] = "database/";
  if (source.rfind(kDatabase, 0) == 0) {
    const auto found = evidence.databases.find(source.substr(sizeof(kDatabase) - 1));
    const bool is_news =
        found != evidence.databases.end() && !IsOutdated(found->second.last, reading);
    if (!is_news) return;
    AddToDatabase(found->second, reading);
    const DatabaseSpec& database = plan.databases.at(found->first);
    if (plan.adaptive && database.active_of > 0) AddActive(evidence.progress, database, reading);
    return;
  }
  if (source == kUtilisationSource && plan.adaptive) {
    AddToUtilisation(evidence.progress, reading);
    return;
  }
  const CheckSpec* check = FindCheck(plan, source);
  if (check == nullptr) return;
  if (const auto ratio = evidence.ratios.find(source); ratio != evidence.ratios.end()) {
    if (IsOutdated(ratio->second.last, reading)) return;
    AddToRatio(ratio->second, *check, reading, evidence.progress.observed_at);
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

double DemandOf(const Evidence& evidence) {
  double requests_per_second = 0;
  for (const auto& [agent, traffic] : evidence.traffic) {
    requests_per_second += traffic.window.PerSecond(traffic.last, kDemandKnownAfter);
  }
  return requests_per_second;
}

}  // namespace headgate::engine
