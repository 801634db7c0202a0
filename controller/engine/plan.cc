#include "controller/engine/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "common/base/duration.h"
#include "controller/engine/field_errors.h"
#include "controller/engine/names.h"
#include "controller/engine/plan_bounds.h"
#include "controller/engine/plan_checks.h"
#include "controller/engine/plan_limits.h"

namespace headgate::engine {
namespace {

void RefuseBadHead(const PlanSpec& spec, FieldErrors& errors) {
  if (spec.gate.empty()) {
    errors.Add("gate", "there is no gate: write gate: NAME, such as gate: shop");
  } else if (!IsGateOrPartName(spec.gate)) {
    errors.Add("gate",
               fmt::format("{} is not a gate's name: write {}", Quoted(spec.gate), kGateNameRule));
  }
  if (!IsAdmitKey(spec.admit_by)) {
    errors.Add("admit.by",
               fmt::format("{} names no user key: write {}", Quoted(spec.admit_by), kAdmitKeyRule));
  }
  const std::string& url = spec.prometheus_url;
  if (url.empty()) return;
  const bool is_http = url.rfind("http://", 0) == 0 || url.rfind("https://", 0) == 0;
  if (!is_http || url.size() > kUrlBytesMax || url.find_first_of(" \t\n?#") != std::string::npos) {
    errors.Add(
        "prometheus",
        fmt::format("{} is not a base URL: write for example http://prometheus:9090", Quoted(url)));
    return;
  }
  const std::size_t host = url.find("//") + 2;
  if (url.substr(host, url.find('/', host) - host).find('@') != std::string::npos) {
    errors.Add("prometheus",
               "a user or password must not stand in a plan: write the URL without the part "
               "before '@'");
  }
}

void RefuseBadAgents(const PlanSpec& spec, FieldErrors& errors) {
  if (spec.agents.empty() && spec.agent_count == 0) {
    errors.Add("preflight.agent_count",
               "no agents are named: one that is missing would be a load balancer that admits "
               "everybody; write agents: [edge-1, edge-2], or agent_count: 2");
    return;
  }
  if (!spec.agents.empty() && spec.agent_count != 0) {
    errors.Add("preflight.agent_count",
               fmt::format("agent_count {} stands beside a list of {} agents: keep one of the two",
                           spec.agent_count, spec.agents.size()));
  }
  if (spec.agents.size() > kAgentsMax || spec.agent_count > kAgentsMax) {
    errors.Add(
        spec.agents.empty() ? "preflight.agent_count" : "preflight.agents",
        fmt::format("{} agents are more than {}: split the gate",
                    std::max<std::size_t>(spec.agents.size(), spec.agent_count), kAgentsMax));
  }
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < spec.agents.size(); ++i) {
    const std::string path = fmt::format("preflight.agents[{}]", i);
    const std::string& agent = spec.agents[i];
    if (!IsPlainName(agent)) {
      errors.Add(path,
                 fmt::format("{} is not an agent's name: write {}", Quoted(agent), kPlainNameRule));
      continue;
    }
    if (!seen.insert(agent).second) {
      errors.Add(path, fmt::format("agent {} is named twice: remove one", Quoted(agent)));
    }
  }
}

void RefuseBadPreflight(const PlanSpec& spec, FieldErrors& errors) {
  RefuseBadAgents(spec, errors);
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < spec.preflight_databases.size(); ++i) {
    const std::string path = fmt::format("preflight.databases[{}]", i);
    const std::string& database = spec.preflight_databases[i];
    RefuseUndeclared(spec, database, path, errors);
    if (!seen.insert(database).second) {
      errors.Add(path, fmt::format("database {} is named twice: remove one", Quoted(database)));
    }
  }
  RefuseOutside(spec.ready_for, Duration(0), kHour, "preflight.ready_for", errors);
}

void RefuseBadAdaptive(const PlanSpec& spec, FieldErrors& errors) {
  const AdaptiveSteps& adaptive = *spec.adaptive;
  if (!spec.steps.empty()) {
    errors.Add("ramp.steps", fmt::format("adaptive beside a list of {} steps: keep one of the two",
                                         spec.steps.size()));
  }
  if (adaptive.first && *adaptive.first == Share::None()) {
    errors.Add("ramp.first", "a first share of 0 % admits nobody: write for example 1%");
  }
  if (adaptive.step_max_ppm < kStepMaxPpmLeast || adaptive.step_max_ppm > Share::kPpmMax) {
    errors.Add("ramp.step_max",
               fmt::format("steps of at most {}: write {} to 100 %",
                           FormatPpm(adaptive.step_max_ppm), FormatPpm(kStepMaxPpmLeast)));
  }
  if (adaptive.utilisation) {
    RefuseBadValueSource(*adaptive.utilisation, "ramp.utilisation.prometheus", errors);
    if (adaptive.utilisation->every > kUtilisationEveryMax) {
      errors.Add("ramp.utilisation.prometheus.every",
                 fmt::format("{} is longer than {}: a share is raised within seconds, and a "
                             "utilisation of before it says nothing",
                             FormatDuration(adaptive.utilisation->every),
                             FormatDuration(kUtilisationEveryMax)));
    }
  }
  const std::uint32_t limit = adaptive.utilisation_limit_ppm;
  if (limit < kUtilisationLimitPpmLeast || limit > Share::kPpmMax) {
    errors.Add("ramp.utilisation_limit",
               fmt::format("{}: write {} to 100 %, e.g. 92%", FormatPpm(limit),
                           FormatPpm(kUtilisationLimitPpmLeast)));
  }
}

void RefuseBadSteps(const PlanSpec& spec, FieldErrors& errors) {
  if (spec.adaptive) return RefuseBadAdaptive(spec, errors);
  const std::vector<Share>& steps = spec.steps;
  if (steps.empty() || steps.size() > kStepsMax) {
    errors.Add("ramp.steps",
               fmt::format("{} steps: write 1 to {}, the last one 100%", steps.size(), kStepsMax));
    return;
  }
  if (steps.front() == Share::None()) {
    errors.Add("ramp.steps[0]", "step 1 admits 0 %: the first step must admit somebody, e.g. 1%");
  }
  for (std::size_t i = 1; i < steps.size(); ++i) {
    const std::string path = fmt::format("ramp.steps[{}]", i);
    if (steps[i] < steps[i - 1]) {
      errors.Add(path, fmt::format("step {} admits {}, below step {} ({}): steps must not decrease",
                                   i + 1, steps[i].ToString(), i, steps[i - 1].ToString()));
    } else if (steps[i] == steps[i - 1]) {
      errors.Add(path, fmt::format("step {} admits {}, as step {} does: remove one of the two",
                                   i + 1, steps[i].ToString(), i));
    }
  }
  if (steps.back() != Share::All()) {
    errors.Add(fmt::format("ramp.steps[{}]", steps.size() - 1),
               fmt::format("the last step admits {}: end with 100%, or the gate is never open",
                           steps.back().ToString()));
  }
}

void RefuseBadRamp(const PlanSpec& spec, FieldErrors& errors) {
  RefuseBadSteps(spec, errors);
  RefuseOutside(spec.bake_min, kShortest, kHour, "ramp.bake", errors);
  RefuseOutside(spec.bake_max, kShortest, kDay, "ramp.bake", errors);
  if (spec.bake_max < spec.bake_min) {
    errors.Add("ramp.bake",
               fmt::format("the range ends at {}, before it begins ({}): write {}..{}",
                           FormatDuration(spec.bake_max), FormatDuration(spec.bake_min),
                           FormatDuration(spec.bake_max), FormatDuration(spec.bake_min)));
  }
  RefuseOutside(spec.patience, kShortest, kHour, "ramp.patience", errors);
  std::set<Share> seen;
  for (std::size_t i = 0; i < spec.approve_at.size(); ++i) {
    const std::string path = fmt::format("ramp.approve_at[{}]", i);
    const Share share = spec.approve_at[i];
    if (spec.adaptive && share == Share::None()) {
      errors.Add(path, "nobody needs approval to be refused: write a share above 0 %");
    } else if (!spec.adaptive &&
               std::find(spec.steps.begin(), spec.steps.end(), share) == spec.steps.end()) {
      errors.Add(path, fmt::format("{} is not one of the steps: write one of them, or add it to "
                                   "steps",
                                   share.ToString()));
    } else if (!seen.insert(share).second) {
      errors.Add(path, fmt::format("{} is named twice: remove one", share.ToString()));
    }
  }
}

void RefuseBadThen(const PlanSpec& spec, FieldErrors& errors) {
  RefuseOutside(spec.watch, Duration(0), kDay, "then.watch", errors);
  RefuseOutside(spec.backoff, kShortest, kHour, "then.backoff", errors);
  if (spec.retries > kRetriesMax) {
    errors.Add("then.retries", fmt::format("{} retries are more than {}: a platform that failed "
                                           "that often needs a person",
                                           spec.retries, kRetriesMax));
  }
}

}  // namespace

const AgentRatio* AgentRatioOf(const CheckSpec& check) {
  const auto* ratio = std::get_if<RatioCheck>(&check.kind);
  return ratio == nullptr ? nullptr : std::get_if<AgentRatio>(&ratio->source);
}

absl::StatusOr<Plan> Plan::Create(PlanSpec spec) {
  FieldErrors errors;
  RefuseBadHead(spec, errors);
  RefuseBadPreflight(spec, errors);
  RefuseBadChecks(spec, errors);
  RefuseBadRamp(spec, errors);
  RefuseBadThen(spec, errors);
  RefuseBadDatabases(spec, errors);
  RefuseBadUtilisations(spec, errors);
  if (!errors.empty()) return errors.ToStatus();
  return Plan(std::move(spec));
}

}  // namespace headgate::engine
