#include "controller/database/page_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "controller/database/observation.h"
#include "controller/database/schema.h"
#include "controller/database/words.h"

namespace headgate::database {
namespace {

// Ordinary tables and valid B-tree indexes, in the order of their names from $2 on, the first ones
// behind the last; the extension's schema and whether we may use it stand in every row. NULL in the
// schema: it is not installed. Sizes are asked of the file system: only of those that may be next.
constexpr const char* kRelationsSql = R"(
WITH amcheck AS (
  SELECT quote_ident(n.nspname) AS schema,
    coalesce(has_schema_privilege(n.oid, 'USAGE')
      AND (SELECT bool_and(has_function_privilege(p.oid, 'EXECUTE')) FROM pg_proc AS p
           WHERE p.pronamespace = n.oid
             AND (p.proname = 'verify_heapam'
                  OR p.proname = 'bt_index_check' AND p.pronargs = 1)), false) AS is_allowed
  FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace
  WHERE e.extname = 'amcheck'
), relations AS (
  SELECT c.oid, (n.nspname || '.' || c.relname) COLLATE "C" AS name,
    format('%I.%I', n.nspname, c.relname) AS quoted, c.relkind = 'i' AS is_index
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_index AS i ON i.indexrelid = c.oid
  WHERE c.relpersistence = 'p'
    AND (c.relkind = 'r' OR c.relkind = 'i' AND i.indisvalid AND i.indisready
         AND c.relam = (SELECT oid FROM pg_am WHERE amname = 'btree'))
    AND CASE WHEN $1::text[] = '{}' THEN n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
             ELSE n.nspname = ANY ($1::text[]) END
  ORDER BY (n.nspname || '.' || c.relname) COLLATE "C" < $2, 2 LIMIT $3::int
)
SELECT (SELECT schema FROM amcheck), (SELECT is_allowed FROM amcheck), name, quoted, is_index,
  pg_relation_size(oid) / current_setting('block_size')::int
FROM relations)";

std::uint64_t CountIn(const std::optional<std::string>& cell) {
  return ToPosition(cell).value_or(0);
}

std::string NameOf(const std::string& server) {
  return server == Servers::kPrimary ? kPrimaryName : server;
}

}  // namespace

std::string PageCheck::Piece::Place() const { return fmt::format("{} {}", name, from); }

std::vector<PageCheck::Piece> PageCheck::NextPieces(const Rows& relations, Progress& progress) {
  std::vector<Piece> pieces;
  std::uint64_t left = kBlocksPerRound;
  const bool is_same = relations.front()[2].value_or("") == progress.next;
  std::uint64_t block = is_same ? progress.block : 0;
  for (const Row& row : relations) {
    if (left == 0) break;
    const bool is_index = row[4] == "t";
    const std::uint64_t size = CountIn(row[5]);
    progress.next = row[2].value_or("");
    progress.block = std::exchange(block, 0);
    const std::uint64_t from = progress.block;
    if (size <= from || (is_index && size > kIndexBlocksMax)) continue;
    // Not even the rest of this round: it begins the next one.
    if (is_index && size > left && !pieces.empty()) return pieces;
    const std::uint64_t to = is_index ? size : std::min(size, from + left);
    pieces.push_back({.name = progress.next,
                      .quoted = row[3].value_or(""),
                      .is_index = is_index,
                      .from = from,
                      .to = to});
    left -= std::min(left, to - from);
    progress.block = to;
  }
  return pieces;
}

Statement PageCheck::StatementOf(const Piece& piece, const std::string& schema) {
  if (piece.is_index) {
    // A void answer is a row with an empty text: sound is no row, as for a table.
    return {.sql = fmt::format("SELECT 'never' FROM (SELECT {}.bt_index_check($1::regclass)::text "
                               "AS sound OFFSET 0) AS checked WHERE sound <> ''",
                               schema),
            .parameters = {piece.quoted}};
  }
  return {
      .sql = fmt::format("SELECT 'block ' || blkno || ': ' || msg FROM {}.verify_heapam("
                         "$1::regclass, startblock => $2::bigint, endblock => $3::bigint) "
                         "LIMIT 3",
                         schema),
      .parameters = {piece.quoted, fmt::format("{}", piece.from), fmt::format("{}", piece.to - 1)}};
}

std::string PageCheck::DamageIn(const absl::StatusOr<Rows>& answer) {
  // Anything else (a table that was dropped, a lock, a deadline) proves nothing.
  if (!answer.ok()) {
    return absl::IsDataLoss(answer.status()) ? std::string(answer.status().message()) : "";
  }
  return answer->empty() ? "" : answer->front().front().value_or("");
}

PageCheck::Work PageCheck::WorkFor(const std::string& server, const Rows& relations,
                                   Report& report) {
  if (relations.empty()) return {};
  if (!relations.front()[0].has_value()) {
    Note(server, "amcheck is not installed there: damaged pages are found only when they are read",
         report);
    return {};
  }
  if (relations.front()[1] != "t") {
    Note(server,
         "amcheck may not be used there: run GRANT EXECUTE on bt_index_check and verify_heapam",
         report);
    return {};
  }
  Progress& progress = progress_[server];
  Work work{.schema = *relations.front()[0], .pieces = {}};
  // What was damaged is looked at again in each round.
  for (const auto& [place, known] : progress.damaged) work.pieces.push_back(known.first);
  for (Piece& piece : NextPieces(relations, progress)) work.pieces.push_back(std::move(piece));
  return work;
}

std::map<std::string, Answers> PageCheck::Read(const std::map<std::string, Work>& works,
                                               const Asker& asker) {
  Questions questions;
  for (const auto& [server, work] : works) {
    for (const Piece& piece : work.pieces) {
      questions[server].push_back(StatementOf(piece, work.schema));
    }
  }
  return asker(questions);
}

void PageCheck::AddTo(Report& report, const Session::Deadlines& deadlines, Servers& servers,
                      const Clock& clock) {
  std::set<std::string> silent;
  for (const Finding& finding : report.findings) {
    if (finding.kind == "schema_unread") silent.insert(finding.server);
  }
  const Asker asker = [&](const Questions& questions) {
    return servers.Ask(questions, deadlines, clock);
  };
  const std::string schemas = SchemaStatement(inventory_.schemas).parameters.front();
  const auto list = [&](const std::string& server) {
    return Statement{
        .sql = kRelationsSql,
        .parameters = {schemas, progress_[server].next, fmt::format("{}", kRelationsPerRound)}};
  };
  Questions questions;
  // Without the primary, nobody's schema was read.
  const bool has_primary = !silent.contains(kPrimaryName);
  if (has_primary) questions[Servers::kPrimary] = {list(kPrimaryName)};
  for (const Replica& replica : inventory_.replicas) {
    const bool is_asked = has_primary && !replica.out && !silent.contains(replica.name);
    if (is_asked) questions[replica.name] = {list(replica.name)};
  }
  std::map<std::string, Work> works;
  for (const auto& [server, given] : asker(questions)) {
    if (!given.front().ok()) continue;
    Work work = WorkFor(NameOf(server), *given.front(), report);
    if (!work.pieces.empty()) works.emplace(server, std::move(work));
  }
  // Twice, so that nothing that was only just being written drains anybody.
  std::map<std::string, Work> suspects;
  for (const auto& [server, given] : Read(works, asker)) {
    const Work& work = works.at(server);
    for (std::size_t i = 0; i < given.size(); ++i) {
      const Piece& piece = work.pieces[i];
      // Mended, or dropped.
      const bool is_over = given[i].ok() ? given[i]->empty() : absl::IsUnknown(given[i].status());
      if (is_over) progress_[NameOf(server)].damaged.erase(piece.Place());
      if (DamageIn(given[i]).empty()) continue;
      Work& suspect = suspects[server];
      suspect.schema = work.schema;
      suspect.pieces.push_back(piece);
    }
  }
  for (const auto& [server, given] : Read(suspects, asker)) {
    for (std::size_t i = 0; i < given.size(); ++i) {
      const Piece& piece = suspects.at(server).pieces[i];
      const std::string damage = DamageIn(given[i]);
      if (!damage.empty()) progress_[NameOf(server)].damaged[piece.Place()] = {piece, damage};
    }
  }
  for (const auto& [server, progress] : progress_) Tell(server, progress, report);
}

void PageCheck::Note(const std::string& server, const std::string& text, Report& report) {
  report.notes.push_back(fmt::format("{}: {}", Called(server), text));
}

void PageCheck::Tell(const std::string& server, const Progress& progress, Report& report) {
  for (const auto& [place, known] : progress.damaged) {
    report.findings.push_back({.severity = Severity::kFailed,
                               .drains = true,
                               .kind = "page_corrupt",
                               .server = server,
                               .text = fmt::format("{}: {} {} is damaged: {}", Called(server),
                                                   known.first.is_index ? "index" : "table",
                                                   known.first.name, known.second)});
  }
}

}  // namespace headgate::database
