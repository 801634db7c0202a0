#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/simulation.h"

namespace headgate::cli {
namespace {

using nlohmann::ordered_json;

constexpr int kIndent = 1;

ordered_json OrNull(const std::optional<double>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

// Six digits that count: nobody draws more.
double Rounded(double value) {
  if (value == 0 || !std::isfinite(value)) return 0;
  const double unit = std::pow(10, 5 - std::floor(std::log10(std::abs(value))));
  return std::round(value * unit) / unit;
}

ordered_json ToJson(const rehearsal::Spread& spread) {
  // Where it happened in no run there is no mean either.
  const bool happened = spread.p05 || spread.mean > 0;
  return {{"mean", happened ? ordered_json(Rounded(spread.mean)) : ordered_json()},
          {"p05", OrNull(spread.p05)},
          {"median", OrNull(spread.median)},
          {"p95", OrNull(spread.p95)}};
}

// From thousand user-minutes.
ordered_json InUserMinutes(rehearsal::Spread spread) {
  spread.mean *= 1e3;
  for (std::optional<double>* value : {&spread.p05, &spread.median, &spread.p95}) {
    if (*value) **value = Rounded(**value * 1e3);
  }
  return ToJson(spread);
}

void AddEndings(const Endings& endings, ordered_json& json) {
  json["runs_asking_for_a_person"] = endings.calling;
  json["first_call"] = nullptr;
  if (endings.calling > 0) {
    json["first_call"] = {{"median_s", endings.called_after_s}, {"why", endings.called_because}};
  }
  const bool is_below = endings.below > 0;
  json["end"] = {
      {"runs_below_full", endings.below},
      {"still_asking", endings.still_asking},
      {"median_share_ppm_below",
       is_below ? ordered_json(endings.share_below.ppm()) : ordered_json()},
      {"phase_below", is_below ? ordered_json(endings.phase_below) : ordered_json()},
      {"doing", is_below ? ordered_json(endings.doing) : ordered_json()},
      {"waits_for", endings.waits_for},
      {"last_failure",
       endings.last_failure.empty() ? ordered_json() : ordered_json(endings.last_failure)},
      {"runs_full_but_unserved", endings.unserved},
      {"median_part_served",
       endings.unserved > 0 ? ordered_json(Rounded(endings.served)) : ordered_json()}};
}

ordered_json ToJson(const Rehearsed& rehearsed) {
  const rehearsal::Scenario& scenario = rehearsed.scenario;
  const rehearsal::Aggregate& figures = rehearsed.figures;
  ordered_json json = {{"name", scenario.name},
                       {"what", scenario.what},
                       {"kind", rehearsal::NameOf(scenario.kind)},
                       {"rps", scenario.site.rps},
                       {"users", scenario.site.users},
                       {"duration_s", scenario.site.duration_s},
                       {"runs", figures.runs}};
  json["to_full_s"] = ToJson(figures.to_full_s);
  json["runs_to_full"] = rehearsed.came_to_full;
  json["false_retreats"] = nullptr;
  if (figures.false_retreats) {
    json["false_retreats"] = {
        {"part_of_runs", *figures.false_retreats},
        {"per_hour", Rounded(figures.retreats.mean * 3'600 / scenario.site.duration_s)}};
  }
  if (figures.early_retreats) {
    json["false_retreats"] = {{"part_of_runs", *figures.early_retreats},
                              {"per_hour", Rounded(figures.early_retreats_per_hour)}};
  }
  json["found_after_s"] = nullptr;
  if (scenario.kind == rehearsal::Kind::kBad) json["found_after_s"] = ToJson(figures.delay_s);
  json["retreats"] = ToJson(figures.retreats);
  json["lost_user_minutes"] = InUserMinutes(figures.lost_kum);
  json["errors_served"] = ToJson(figures.errors);
  json["collapse_s"] = ToJson(figures.collapse_s);
  AddEndings(rehearsed.endings, json);
  return json;
}

std::string_view NameOf(engine::Cause::Kind kind) {
  switch (kind) {
    case engine::Cause::Kind::kOperator:
      return "operator";
    case engine::Cause::Kind::kCheck:
      return "check";
    case engine::Cause::Kind::kPlan:
      return "plan";
    case engine::Cause::Kind::kRecovery:
      return "recovery";
    case engine::Cause::Kind::kAgent:
      return "agent";
  }
  return "";
}

ordered_json ToJson(const rehearsal::Decision& decision) {
  return {{"at_s", decision.at_s},
          {"from_ppm", decision.from.ppm()},
          {"to_ppm", decision.to.ppm()},
          {"phase", decision.phase},
          {"is_retreat", decision.is_retreat},
          {"by", NameOf(decision.cause.kind)},
          {"who", decision.cause.who},
          {"what", decision.cause.what},
          {"why", decision.cause.why},
          {"evidence", decision.cause.evidence}};
}

ordered_json SecondsOf(const rehearsal::RunRecord& record) {
  ordered_json json;
  for (const char* key : {"commanded_ppm", "effective", "served", "has_data", "requests", "errors",
                          "slow", "utilisation", "against", "check_against", "in_favour"}) {
    json[key] = ordered_json::array();
  }
  for (const rehearsal::Moment& moment : record.moments) {
    json["commanded_ppm"].push_back(moment.commanded.ppm());
    json["effective"].push_back(Rounded(moment.truth.share));
    json["served"].push_back(Rounded(moment.truth.served));
    json["has_data"].push_back(moment.seen.has_data);
    json["requests"].push_back(moment.seen.requests);
    json["errors"].push_back(moment.seen.errors);
    json["slow"].push_back(moment.seen.slow);
    const auto& utilisation = moment.seen.utilisation;
    json["utilisation"].push_back(utilisation ? ordered_json(Rounded(*utilisation))
                                              : ordered_json());
    json["against"].push_back(Rounded(moment.weighing.against));
    json["check_against"].push_back(moment.weighing.check);
    json["in_favour"].push_back(Rounded(moment.weighing.in_favour));
  }
  return json;
}

}  // namespace

std::string SimulationJson(const Simulation& simulation) {
  ordered_json json = {{"plan", simulation.plan_file},    {"gate", simulation.plan.gate},
                       {"seed", simulation.seed},         {"runs", simulation.runs},
                       {"warnings", simulation.warnings}, {"assumptions", simulation.assumptions}};
  json["scenarios"] = ordered_json::array();
  for (const Rehearsed& rehearsed : simulation.rehearsed) {
    json["scenarios"].push_back(ToJson(rehearsed));
  }
  ordered_json& run = json["run"];
  run = {{"scenario", simulation.drawn.name}, {"number", simulation.drawn_run}};
  run["decisions"] = ordered_json::array();
  for (const rehearsal::Decision& decision : simulation.record.decisions) {
    run["decisions"].push_back(ToJson(decision));
  }
  run["seconds"] = SecondsOf(simulation.record);
  // A file's name may be any bytes.
  return json.dump(kIndent, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace headgate::cli
