#include "cli/dbcheck_told.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "controller/database/servers.h"

namespace headgate::cli {
namespace {

using database::Finding;
using database::RowDifference;
using database::RowDifferenceKind;
using database::Severity;
using nlohmann::ordered_json;

constexpr std::size_t kBarWidth = 20;

std::string Word(Sameness sameness) {
  switch (sameness) {
    case Sameness::kSame:
      return "same";
    case Sameness::kDifferent:
      return "different";
    case Sameness::kUnknown:
      break;
  }
  return "unknown";
}

std::string Word(Severity severity) {
  switch (severity) {
    case Severity::kDegraded:
      return "DEGRADED";
    case Severity::kUnknown:
      return "UNKNOWN";
    case Severity::kFailed:
      break;
  }
  return "FAILED";
}

std::string Word(RowDifferenceKind kind) {
  switch (kind) {
    case RowDifferenceKind::kMissing:
      return "row_missing";
    case RowDifferenceKind::kExtra:
      return "row_extra";
    case RowDifferenceKind::kDifferent:
      break;
  }
  return "row_different";
}

// Whether nothing that was told of these rows is left: all of it is allowed.
bool IsRowAllowed(const CheckedDatabase& checked, const RowDifference& row) {
  const auto tells = [&](const Finding& finding) {
    return finding.kind == "data" && finding.server == row.server && finding.table == row.table;
  };
  return std::ranges::none_of(checked.findings, tells) &&
         std::ranges::any_of(checked.allowed, tells);
}

ordered_json ToJson(const Finding& finding) {
  return {{"severity", Word(finding.severity)},
          {"kind", finding.kind},
          {"server", finding.server},
          {"table", finding.table},
          {"text", finding.text}};
}

// Everything that differs, row by row where rows do.
ordered_json Differences(const CheckedDatabase& checked) {
  ordered_json differences = ordered_json::array();
  const auto add = [&](const std::string& server, const std::string& table,
                       const std::string& kind) -> ordered_json& {
    differences.push_back({{"engine", checked.declared.engine},
                           {"replica", server},
                           {"table", table},
                           {"kind", kind}});
    return differences.back();
  };
  for (const Finding& finding : checked.findings) {
    if (JudgeFinding(finding) != Sameness::kDifferent || finding.kind == "data") continue;
    add(finding.server, finding.table, finding.kind)["text"] = finding.text;
  }
  for (const RowDifference& row : checked.rows) {
    if (IsRowAllowed(checked, row)) continue;
    ordered_json& told = add(row.server, row.table, Word(row.kind));
    told["key"] = ordered_json::object();
    for (const auto& [name, value] : row.key) told["key"][name] = value;
    told["columns"] = row.columns;
  }
  return differences;
}

ordered_json ToJson(const CheckedDatabase& checked) {
  const database::Inventory& inventory = checked.declared.inventory;
  ordered_json replicas = ordered_json::array();
  for (const database::Replica& replica : inventory.replicas) {
    std::vector<Finding> of_it;
    std::ranges::copy_if(checked.findings, std::back_inserter(of_it), [&](const Finding& finding) {
      return finding.server == replica.name || finding.server == "primary";
    });
    ordered_json& told = replicas.emplace_back(ordered_json{{"name", replica.name}});
    // MariaDB's have none.
    if (inventory.engine == database::Engine::kPostgres) {
      told["kind"] = replica.kind == database::ReplicaKind::kLogical ? "logical" : "physical";
    }
    told["out"] = replica.out;
    told["verdict"] = Word(JudgeSameness(of_it));
  }
  ordered_json findings = ordered_json::array();
  for (const Finding& finding : checked.findings) findings.push_back(ToJson(finding));
  ordered_json allowed = ordered_json::array();
  for (const Finding& finding : checked.allowed) allowed.push_back(ToJson(finding));
  return {{"name", inventory.name},
          {"engine", checked.declared.engine},
          {"primary", database::AddressForPeople(inventory.engine, inventory.primary_dsn)},
          {"verdict", Word(JudgeSameness(checked.findings))},
          {"replicas", replicas},
          {"has_compared_data", checked.has_compared_data},
          {"tables", checked.progress.tables_done},
          {"rows", checked.progress.rows_done},
          {"seconds", static_cast<double>(checked.took.count()) / 1'000.0},
          {"differences", Differences(checked)},
          {"findings", findings},
          {"allowed", allowed}};
}

std::string Summary(const CheckedDatabase& checked) {
  // Also of a comparison that was ended before it was through.
  const bool has_rows = checked.has_compared_data || checked.progress.rows_done > 0;
  const std::string data =
      has_rows ? fmt::format("{} rows of {} tables compared", checked.progress.rows_done,
                             checked.progress.tables_done)
               : std::string("no data compared");
  switch (JudgeSameness(checked.findings)) {
    case Sameness::kSame:
      return fmt::format("same ({}, {})", data, FormatAge(checked.took));
    case Sameness::kDifferent:
      return fmt::format("DIFFERENT ({})", data);
    case Sameness::kUnknown:
      break;
  }
  return fmt::format("could not tell ({})", data);
}

Color ColorOf(Sameness sameness) {
  switch (sameness) {
    case Sameness::kSame:
      return Color::kGood;
    case Sameness::kDifferent:
      return Color::kBad;
    case Sameness::kUnknown:
      break;
  }
  return Color::kDoubtful;
}

}  // namespace

Sameness SamenessOf(const std::vector<CheckedDatabase>& databases) {
  std::vector<Finding> all;
  for (const CheckedDatabase& checked : databases) {
    all.insert(all.end(), checked.findings.begin(), checked.findings.end());
  }
  return JudgeSameness(all);
}

Lines DbcheckText(const std::vector<CheckedDatabase>& databases, bool has_color) {
  Lines lines;
  for (const CheckedDatabase& checked : databases) {
    for (const Finding& finding : checked.findings) {
      const Color color = finding.severity == Severity::kFailed ? Color::kBad : Color::kDoubtful;
      lines.push_back(fmt::format(
          "  {} {}", Paint(Fit(Word(finding.severity), 8), color, has_color), Clean(finding.text)));
    }
    for (const Finding& finding : checked.allowed) {
      lines.push_back(fmt::format("  {} {}", Fit("allowed", 8), Clean(finding.text)));
    }
    lines.push_back(
        fmt::format("{}: {}", checked.declared.inventory.name,
                    Paint(Summary(checked), ColorOf(JudgeSameness(checked.findings)), has_color)));
  }
  return lines;
}

std::string DbcheckJson(const std::vector<CheckedDatabase>& databases, int exit_code) {
  ordered_json told = ordered_json::array();
  for (const CheckedDatabase& checked : databases) told.push_back(ToJson(checked));
  const ordered_json document = {
      {"verdict", Word(SamenessOf(databases))}, {"exit", exit_code}, {"databases", told}};
  // A row's key may be any bytes.
  return document.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string ProgressText(const database::ComparisonProgress& progress, Duration since,
                         bool has_bar) {
  // After a restore the servers' statistics know of no rows, or of too few.
  if (progress.rows_done > 0 && progress.rows_done >= progress.rows_estimated &&
      !progress.table.empty()) {
    return fmt::format("{} rows, more than the primary's statistics know of  {}",
                       progress.rows_done, Clean(progress.table));
  }
  const double estimated = std::max(1.0, static_cast<double>(progress.rows_estimated));
  const double done = static_cast<double>(progress.rows_done) / estimated;
  const auto ppm = static_cast<std::uint32_t>(done * 1'000'000);
  std::string text = has_bar ? fmt::format("[{}] ", Bar(ppm, kBarWidth)) : "";
  text += fmt::format("{} %", ppm / 10'000);
  // Before what a narrow terminal cuts.
  if (done > 0.01 && since >= Duration(1'000)) {
    const double left = static_cast<double>(since.count()) * (1.0 - done) / done;
    text += fmt::format(", {} left", FormatAge(Duration(static_cast<std::int64_t>(left))));
  }
  return text + fmt::format("  {}  {} of about {} rows", Clean(progress.table), progress.rows_done,
                            progress.rows_estimated);
}

}  // namespace headgate::cli
