#include "cli/database_tables.h"

#include <fmt/format.h>

#include "cli/words.h"
#include "common/base/clock.h"

namespace headgate::cli {
namespace {

// "since 2026-11-26 12:00:03 UTC (3 min)".
std::string SinceText(const google::protobuf::Timestamp& at, TimePoint now) {
  return fmt::format("since {} ({})", FormatTime(ToTimePoint(at)), FormatSince(at, now));
}

void AddDatabase(const v1::WatchedDatabase& database, TimePoint now, Lines& lines) {
  std::string line = fmt::format("{}: {}", Clean(database.name()), WordOf(database.verdict()));
  if (!database.has_last_look()) {
    lines.push_back(line + ", not looked at yet");
    return;
  }
  if (database.has_since()) line += " " + SinceText(database.since(), now);
  line += fmt::format(", lag {}, looked at {} ago", FormatAge(ToDuration(database.lag())),
                      FormatSince(database.last_look(), now));
  lines.push_back(line);
  if (!database.has_last_success()) {
    lines.push_back("  something of it has been UNKNOWN since the start");
  } else if (ToTimePoint(database.last_success()) < ToTimePoint(database.last_look())) {
    lines.push_back(
        fmt::format("  something of it is UNKNOWN; the last look with nothing UNKNOWN was {} ago",
                    FormatSince(database.last_success(), now)));
  }
  for (const v1::WatchedCheck& check : database.checks()) {
    lines.push_back("  " + Fit(Clean(check.name()), 12) + " " +
                    Fit(std::string(WordOf(check.verdict())), 9) + " " +
                    SinceText(check.since(), now));
  }
  for (const v1::WatchedFinding& finding : database.findings()) {
    lines.push_back(fmt::format("  - {} {}: {}", WordOf(finding.verdict()),
                                SinceText(finding.since(), now), Clean(finding.text())));
  }
  for (const std::string& note : database.notes()) lines.push_back("  (" + Clean(note) + ")");
}

}  // namespace

Lines DatabaseTable(const v1::ListDatabasesResponse& databases, TimePoint now) {
  Lines lines;
  for (const v1::WatchedDatabase& database : databases.databases()) {
    AddDatabase(database, now, lines);
  }
  if (databases.changes().empty()) return lines;
  lines.emplace_back("Changes, oldest first:");
  for (const v1::VerdictChange& change : databases.changes()) {
    const bool is_first = change.from() == v1::VERDICT_UNSPECIFIED;
    std::string line =
        fmt::format("  {} {} {}: {} -> {}", FormatTime(ToTimePoint(change.at())),
                    Clean(change.database()), Clean(change.check()),
                    is_first ? "not watched" : WordOf(change.from()), WordOf(change.to()));
    if (!change.why().empty()) line += ": " + Clean(change.why());
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace headgate::cli
