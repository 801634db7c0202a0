#include "cli/plan_words.h"

#include <fmt/format.h>

#include <string>
#include <variant>
#include <vector>

#include "common/base/rounded.h"
#include "common/base/share.h"

namespace headgate::cli {
namespace {

std::string List(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + Clean(name);
  return list;
}

std::string ListShares(const std::vector<Share>& shares) {
  std::string list;
  for (const Share share : shares) list += (list.empty() ? "" : ", ") + share.ToString();
  return list;
}

std::string Steps(const engine::PlanSpec& plan) {
  if (!plan.adaptive) return ListShares(plan.steps);
  const auto& adaptive = *plan.adaptive;
  const bool is_measured =
      adaptive.utilisation ||
      std::any_of(plan.databases.begin(), plan.databases.end(),
                  [](const auto& entry) { return entry.second.active_of > 0; });
  return fmt::format("adaptive, the first {}, none more than {} above the one before, {}",
                     adaptive.first ? adaptive.first->ToString() : std::string("by the demand"),
                     FormatPpm(adaptive.step_max_ppm),
                     is_measured ? "utilisation up to " + FormatPpm(adaptive.utilisation_limit_ppm)
                                 : std::string("no signal of utilisation"));
}

// What counts as bad.
std::string What(const engine::AgentRatio& ratio) {
  switch (ratio.metric) {
    case engine::AgentRatio::Metric::kHttp5xx:
      return "5xx answers of the load balancers";
    case engine::AgentRatio::Metric::kConnectionErrors:
      return "connections of the load balancers to the application that failed";
    case engine::AgentRatio::Metric::kSlowerThan:
      return fmt::format("answers over {} at the load balancers", FormatRounded(ratio.slower_than));
  }
  return "";
}

std::string OnFailure(engine::OnFailure what) {
  switch (what) {
    case engine::OnFailure::kRetreat:
      return "";
    case engine::OnFailure::kDrain:
      return "; a failure takes everybody out";
    case engine::OnFailure::kHold:
      return "; a failure holds and asks for a person";
  }
  return "";
}

// With adaptive steps evidence has no window, and the sample is that of a newest second.
std::string LimitText(const engine::RatioCheck& ratio, bool is_adaptive) {
  const std::string limit = fmt::format(
      "at most {}{}", FormatPpm(ratio.limit_ppm),
      ratio.baseline_ppm ? fmt::format(" ({} on an ordinary day)", FormatPpm(*ratio.baseline_ppm))
                         : std::string());
  if (!is_adaptive) {
    return fmt::format("{} over {}, of at least {} events", limit, FormatRounded(ratio.window),
                       ratio.min_sample);
  }
  const bool is_second = std::holds_alternative<engine::AgentRatio>(ratio.source);
  return fmt::format("{}; at once where a newest {} of at least {} events is grossly bad", limit,
                     is_second ? "second" : "window", ratio.min_sample);
}

std::string Describe(const engine::RatioCheck& ratio, bool is_adaptive) {
  const std::string limit = LimitText(ratio, is_adaptive);
  if (const auto* agents = std::get_if<engine::AgentRatio>(&ratio.source)) {
    return fmt::format("{}, {}", What(*agents), limit);
  }
  const auto& prometheus = std::get<engine::PrometheusRatio>(ratio.source);
  return fmt::format("Prometheus: {} of {}, {}, asked every {}", Clean(prometheus.bad),
                     Clean(prometheus.total), limit, FormatRounded(prometheus.every));
}

std::string Describe(const engine::ValueCheck& value, bool) {
  return fmt::format("Prometheus: {}, holds beyond {}, fails beyond {}, asked every {}",
                     Clean(value.source.query), value.soft, value.hard,
                     FormatRounded(value.source.every));
}

std::string Describe(const engine::DatabaseCheck& check, bool) {
  return fmt::format("database {}: replicas have its schema, replicate, and do not lag",
                     Clean(check.database));
}

void AddDatabases(const engine::PlanSpec& plan, Lines& lines) {
  for (const auto& [name, database] : plan.databases) {
    std::vector<std::string> replicas;
    for (const engine::ReplicaSpec& replica : database.replicas) {
      replicas.push_back(replica.out ? replica.name + " (taken out)" : replica.name);
    }
    lines.push_back(fmt::format(
        "  database {} ({}): replicas {}; lag holds beyond {}, fails beyond {}", Clean(name),
        database.engine == engine::DatabaseSpec::Engine::kPostgres ? "PostgreSQL" : "MariaDB",
        replicas.empty() ? "none" : List(replicas), FormatRounded(database.lag_soft),
        FormatRounded(database.lag_hard)));
    if (database.expect) {
      lines.push_back(
          fmt::format("    its primary has the schema of {} (fingerprint {})",
                      database.expect->file.empty() ? "a baseline" : Clean(database.expect->file),
                      Clean(database.expect->fingerprint)));
    }
    if (replicas.empty() || !database.data.is_compared) continue;
    lines.push_back(fmt::format(
        "    its rows are compared all the time, with {} of one core; preflight waits for all of "
        "them, {}",
        FormatPpm(database.data.cpu_share_ppm),
        database.data.preflight ? "at most " + FormatRounded(*database.data.preflight)
                                : "however long"));
  }
}

void AddReactions(const engine::PlanSpec& plan, Lines& lines) {
  lines.push_back(fmt::format(
      "  without data: {}, and after {} a person is called",
      plan.on_unknown == engine::OnUnknown::kHold ? "holds" : "retreats once patience is over",
      FormatRounded(plan.patience)));
  const std::string first =
      plan.adaptive
          ? fmt::format("load and outages after {}, a share that fails by itself after {}",
                        FormatRounded(engine::FirstWaitOfLoad(plan.backoff)),
                        FormatRounded(engine::FirstWaitOfShare(plan.backoff)))
          : "the first after " + FormatRounded(plan.backoff);
  lines.push_back(fmt::format("  after a failure: back to {}, {} {} ({}), then a person",
                              plan.adaptive ? "what was carried, or less" : "the last proven share",
                              plan.retries, plan.retries == 1 ? "retry" : "retries", first));
  lines.push_back(fmt::format("  at 100 %: watched for {}", FormatRounded(plan.watch)));
}

}  // namespace

Lines DescribePlan(const engine::PlanSpec& plan) {
  Lines lines = {
      fmt::format("  gate {}, users by {}", Clean(plan.gate), Clean(plan.admit_by)),
      plan.agents.empty() ? fmt::format("  agents: any {}", plan.agent_count)
                          : fmt::format("  agents: {}", List(plan.agents)),
      fmt::format("  preflight: all agents, {}, all in order for {}",
                  plan.preflight_databases.empty() ? "no database"
                                                   : "databases " + List(plan.preflight_databases),
                  FormatRounded(plan.ready_for))};
  AddDatabases(plan, lines);
  for (const engine::CheckSpec& check : plan.checks) {
    const std::string what = std::visit(
        [&](const auto& kind) { return Describe(kind, plan.adaptive.has_value()); }, check.kind);
    lines.push_back(
        fmt::format("  check {}: {}{}", Clean(check.name), what, OnFailure(check.on_failure)));
  }
  lines.push_back(
      fmt::format("  steps {}; each at least {}", Steps(plan), FormatRounded(plan.bake_min)));
  lines.push_back(plan.approve_at.empty() ? std::string("  approve_at: none, it goes up by itself")
                                          : fmt::format("  approve_at: a person approves {}",
                                                        ListShares(plan.approve_at)));
  AddReactions(plan, lines);
  return lines;
}

}  // namespace headgate::cli
