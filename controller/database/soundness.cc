#include "controller/database/soundness.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "controller/database/allowance.h"
#include "controller/database/schema.h"
#include "controller/database/words.h"

namespace headgate::database {
namespace {

// Of the database itself, and of collations that an index of it is sorted by; those that came with
// initdb and nobody uses change with every release of ICU. A standby has the primary's recorded
// version, so that one on another operating system is told too.
constexpr const char* kCollationsSql = R"(
SELECT 'the database''s collation', datcollversion, pg_database_collation_actual_version(oid)
FROM pg_database WHERE datname = current_database()
  AND datcollversion <> pg_database_collation_actual_version(oid)
UNION ALL
SELECT 'collation ' || n.nspname || '.' || c.collname, c.collversion,
  pg_collation_actual_version(c.oid)
FROM pg_collation AS c JOIN pg_namespace AS n ON n.oid = c.collnamespace
WHERE c.oid IN (SELECT DISTINCT unnest(indcollation::oid[]) FROM pg_index)
  AND c.collversion IS NOT NULL AND c.collversion <> pg_collation_actual_version(c.oid)
ORDER BY 1)";

// Columns with an ascending sequence of their own, and an index to find the largest value by.
// Tables with row security would be an error for us, and are another check's business.
constexpr const char* kSequencesSql = R"(
SELECT n.nspname, t.relname, a.attname, s.relname, format('%I.%I', n.nspname, t.relname),
  quote_ident(a.attname), format('%I.%I', sn.nspname, s.relname)
FROM pg_depend AS d
JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
JOIN pg_namespace AS sn ON sn.oid = s.relnamespace
JOIN pg_sequence AS q ON q.seqrelid = s.oid AND q.seqincrement > 0 AND NOT q.seqcycle
JOIN pg_class AS t ON t.oid = d.refobjid AND t.relkind IN ('r', 'p') AND NOT t.relrowsecurity
JOIN pg_namespace AS n ON n.oid = t.relnamespace
JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
  AND d.deptype IN ('a', 'i')
  AND (a.attidentity <> '' OR a.atthasdef)
  AND EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = t.oid AND i.indkey[0] = a.attnum
              AND i.indisvalid AND i.indpred IS NULL)
  AND CASE WHEN $1::text[] = '{}' THEN n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           ELSE n.nspname = ANY ($1::text[]) END
ORDER BY 1, 2, 3)";

std::string Cell(const Row& row, std::size_t column) {
  return column < row.size() ? row[column].value_or("") : "";
}

}  // namespace

void SoundnessRun::AddTo(Report& report) {
  // Whoever could not give its schema a moment ago is not asked: that is told already.
  std::set<std::string> silent;
  for (const Finding& finding : report.findings) {
    if (finding.kind == "schema_unread") silent.insert(finding.server);
  }
  // Without the primary, nobody's was read.
  if (silent.contains(kPrimaryName)) return;
  const std::string schemas = SchemaStatement(inventory_.schemas).parameters.front();
  Questions questions;
  questions[Servers::kPrimary] = {{.sql = kCollationsSql, .parameters = {}},
                                  {.sql = kSequencesSql, .parameters = {schemas}}};
  for (const Replica& replica : inventory_.replicas) {
    if (replica.out || silent.contains(replica.name)) continue;
    questions[replica.name] = {{.sql = kCollationsSql, .parameters = {}}};
  }
  const auto answers = servers_.Ask(questions, deadlines_, clock_);
  for (const auto& [server, given] : answers) {
    AddCollations(server == Servers::kPrimary ? kPrimaryName : server, given.front(), report);
  }
  AddSequences(answers.at(Servers::kPrimary).back(), report);
}

void SoundnessRun::AddCollations(const std::string& server, const absl::StatusOr<Rows>& answer,
                                 Report& report) const {
  if (!answer.ok()) return AddUnread(server, "collations", answer.status(), report);
  for (const Row& row : *answer) {
    report.findings.push_back(
        {.severity = Severity::kDegraded,
         .drains = false,
         .kind = "collation",
         .server = server,
         .text =
             fmt::format("{}: {} was made with version {}, and the operating system has {} now: "
                         "text may be sorted differently, and indexes miss rows; REINDEX, then "
                         "ALTER … REFRESH VERSION",
                         Called(server), Cell(row, 0), Cell(row, 1), Cell(row, 2))});
  }
}

void SoundnessRun::AddSequences(const absl::StatusOr<Rows>& listed, Report& report) {
  if (!listed.ok()) return AddUnread(kPrimaryName, "sequences", listed.status(), report);
  std::vector<Statement> statements;
  std::vector<const Row*> asked;
  for (const Row& row : *listed) {
    if (row.size() != 7 || IsAllowed(inventory_.allow, Cell(row, 0), Cell(row, 1), Cell(row, 2))) {
      continue;
    }
    if (asked.size() == kSequencesMax) {
      report.notes.push_back(
          fmt::format("the primary: {} sequences are more than {}: the others "
                      "are not compared with the largest id",
                      listed->size(), kSequencesMax));
      break;
    }
    asked.push_back(&row);
    // The largest id first: a sequence is ahead of every row that it gave an id to.
    statements.push_back(
        {.sql = fmt::format("WITH largest AS MATERIALIZED (SELECT max({})::numeric AS id FROM {}) "
                            "SELECT largest.id::text, s.last_value::text "
                            "FROM largest, LATERAL (SELECT CASE WHEN is_called THEN last_value "
                            "ELSE last_value - 1 END AS last_value FROM {} "
                            "WHERE largest.id IS NOT NULL) AS s WHERE largest.id > s.last_value",
                            Cell(row, 5), Cell(row, 4), Cell(row, 6)),
         .parameters = {}});
  }
  if (statements.empty()) return;
  Questions questions;
  questions[Servers::kPrimary] = std::move(statements);
  const auto given = servers_.Ask(std::move(questions), deadlines_, clock_).at(Servers::kPrimary);
  bool is_unread_told = false;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const Row& row = *asked[i];
    if (!given[i].ok()) {
      // A table that was dropped meanwhile, or a right that is missing: once is enough.
      if (!std::exchange(is_unread_told, true)) {
        AddUnread(kPrimaryName, fmt::format("sequence {}.{}", Cell(row, 0), Cell(row, 3)),
                  given[i].status(), report);
      }
      continue;
    }
    for (const Row& behind : *given[i]) {
      report.findings.push_back(
          {.severity = Severity::kDegraded,
           .drains = false,
           .kind = "sequence_behind",
           .server = kPrimaryName,
           .text = fmt::format("the primary: table {}.{}: its largest {} is {}, but sequence {} is "
                               "at {}: new rows will be refused as duplicates; run setval",
                               Cell(row, 0), Cell(row, 1), Cell(row, 2), Cell(behind, 0),
                               Cell(row, 3), Cell(behind, 1))});
    }
  }
}

void SoundnessRun::AddUnread(const std::string& server, const std::string& what,
                             const absl::Status& status, Report& report) const {
  report.findings.push_back({.severity = Severity::kUnknown,
                             .drains = false,
                             .kind = "soundness_unread",
                             .server = server,
                             .text = fmt::format("{}: its {} could not be read: {}", Called(server),
                                                 what, std::string(status.message()))});
}

}  // namespace headgate::database
