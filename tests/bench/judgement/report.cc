#include "tests/bench/judgement/report.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

namespace headgate::bench {
namespace {

using nlohmann::ordered_json;
using rehearsal::Aggregate;

std::optional<double> Scaled(std::optional<double> value, double factor) {
  return value ? std::optional(*value * factor) : std::nullopt;
}

std::string Cell(std::optional<double> value, int decimals) {
  return value ? fmt::format("{:.{}f}", *value, decimals) : "-";
}

// Rounded, so that the line can be read.
ordered_json Number(std::optional<double> value) {
  if (!value) return nullptr;
  return std::round(*value * 1'000) / 1'000;
}

}  // namespace

std::string Table(std::span<const Row> rows) {
  std::string table =
      fmt::format("{:<9} {:<14} {:>8} {:>8} {:>7} {:>7} {:>7} {:>10} {:>8}\n", "scenario", "policy",
                  "lost", "100%", "false", "delay", "p95", "errors", "collapse");
  table += fmt::format("{:<9} {:<14} {:>8} {:>8} {:>7} {:>7} {:>7} {:>10} {:>8}\n", "", "",
                       "k user-m", "min", "%", "s", "s", "requests", "s");
  std::string_view last;
  for (const Row& row : rows) {
    if (!last.empty() && row.scenario != last) table += "\n";
    last = row.scenario;
    const Aggregate& figures = row.figures;
    table += fmt::format(
        "{:<9} {:<14} {:>8.1f} {:>8} {:>7} {:>7} {:>7} {:>10.0f} {:>8.1f}\n", row.scenario,
        row.policy, figures.lost_kum.mean, Cell(Scaled(figures.to_full_s.median, 1.0 / 60), 1),
        Cell(Scaled(figures.false_retreats, 100), 1), Cell(figures.delay_s.median, 0),
        Cell(figures.delay_s.p95, 0), figures.errors.mean, figures.collapse_s.mean);
  }
  return table;
}

std::string Json(std::uint64_t seed, std::size_t runs, std::span<const Row> rows) {
  ordered_json list = ordered_json::array();
  for (const Row& row : rows) {
    const Aggregate& figures = row.figures;
    list.push_back({{"scenario", row.scenario},
                    {"policy", row.policy},
                    {"lost_kum", Number(figures.lost_kum.mean)},
                    {"t100_min", Number(Scaled(figures.to_full_s.median, 1.0 / 60))},
                    {"p_false", Number(figures.false_retreats)},
                    {"delay50_s", Number(figures.delay_s.median)},
                    {"delay95_s", Number(figures.delay_s.p95)},
                    {"errors", Number(figures.errors.mean)},
                    {"collapse_s", Number(figures.collapse_s.mean)}});
  }
  return ordered_json{{"seed", seed}, {"runs", runs}, {"rows", list}}.dump();
}

}  // namespace headgate::bench
