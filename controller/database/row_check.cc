#include "controller/database/row_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "common/base/duration.h"

namespace headgate::database {
namespace {

constexpr Duration kReplayPoll{20};
// Readings in a glance.
constexpr std::size_t kGlances = 16;
// Rows whose columns are named.
constexpr std::size_t kNamedMax = 20;

SeenRow Find(const std::map<Key, RowState>& rows, const Key& key) {
  const auto found = rows.find(key);
  return found == rows.end() ? std::nullopt : std::optional(found->second);
}

bool IsSame(const SeenRow& a, const SeenRow& b) {
  if (!a.has_value() || !b.has_value()) return a.has_value() == b.has_value();
  return a->hash == b->hash;
}

}  // namespace

RowVerdict JudgeRow(const RowLook& look) {
  if (IsSame(look.replica, look.before) || IsSame(look.replica, look.after)) {
    return RowVerdict::kSame;
  }
  if (look.before != look.after || look.is_held_back) return RowVerdict::kMoved;
  return RowVerdict::kDiffers;
}

RowDifferenceKind KindOf(const RowLook& look) {
  if (!look.replica.has_value()) return RowDifferenceKind::kMissing;
  return look.before.has_value() ? RowDifferenceKind::kDifferent : RowDifferenceKind::kExtra;
}

std::vector<Key> DifferentRows(const std::vector<ListedRow>& primary,
                               const std::vector<ListedRow>& replica) {
  std::map<Key, std::string> here;
  for (const ListedRow& row : replica) here[row.key] = row.hash;
  std::vector<Key> different;
  for (const ListedRow& row : primary) {
    const auto found = here.find(row.key);
    if (found == here.end() || found->second != row.hash) different.push_back(row.key);
    if (found != here.end()) here.erase(found);
  }
  for (const auto& [key, hash] : here) different.push_back(key);
  return different;
}

std::map<std::string, RowFindings> RowCheck::Check(
    const TablePlan& table, const std::map<std::string, std::vector<Key>>& suspects,
    const std::map<std::string, ServerRole>& roles) {
  table_ = &table;
  roles_ = &roles;
  open_.clear();
  findings_.clear();
  for (const auto& [replica, keys] : suspects) {
    for (const Key& key : keys) open_[replica].try_emplace(key);
  }
  const TimePoint give_up = clock_.Now() + patience_.rest;
  for (int look = 1; !OpenKeys().empty(); ++look) {
    // The second half of the patience is for those that do not stand still; without versions they
    // might be taken for such as do.
    if (look > (dialect_.HasRowVersions() ? dialect_.LooksToConfirm() : 1)) Glance();
    if (!Look() || OpenKeys().empty() || clock_.Now() >= give_up) break;
    if (!servers_.Pause(patience_.apart)) break;
  }
  for (const auto& [replica, rows] : open_) {
    if (rows.empty()) continue;
    findings_[replica].unsettled = rows.size();
    findings_[replica].why_unsettled = rows.begin()->second.why;
  }
  for (auto& [replica, findings] : findings_) NameColumns(findings, replica);
  return std::move(findings_);
}

std::vector<Key> RowCheck::OpenKeys() const {
  std::set<Key> keys;
  for (const auto& [replica, rows] : open_) {
    for (const auto& [key, open] : rows) keys.insert(key);
  }
  return {keys.begin(), keys.end()};
}

std::vector<Statement> RowCheck::RowsStatements(const std::vector<Key>& keys) const {
  std::vector<Statement> statements;
  for (std::size_t from = 0; from < keys.size(); from += kKeysMax) {
    const std::size_t to = std::min(keys.size(), from + kKeysMax);
    statements.push_back(dialect_.RowsStatement(
        *table_, {keys.begin() + std::ptrdiff_t(from), keys.begin() + std::ptrdiff_t(to)}));
  }
  return statements;
}

absl::StatusOr<RowCheck::SeenRows> RowCheck::ReadRows(const Answers& answers, std::size_t from,
                                                      std::size_t statements) const {
  SeenRows seen;
  for (std::size_t i = from; i < from + statements; ++i) {
    auto rows = ReadListed(answers.at(i), *table_);
    if (!rows.ok()) return rows.status();
    for (ListedRow& row : *rows) {
      seen[std::move(row.key)] = {.hash = std::move(row.hash), .version = std::move(row.version)};
    }
  }
  return seen;
}

bool RowCheck::Look() {
  const std::vector<Key> keys = OpenKeys();
  const std::vector<Statement> rows = RowsStatements(keys);
  std::vector<Statement> of_primary = {dialect_.Settings()};
  of_primary.insert(of_primary.end(), rows.begin(), rows.end());
  const std::vector<Statement> of_replica = of_primary;
  of_primary.push_back(dialect_.PositionStatement());
  of_primary.push_back(dialect_.HeldBackStatement());
  const auto ask_primary = [&] {
    return servers_.Ask({{Servers::kPrimary, of_primary}}, deadlines_, clock_)
        .at(Servers::kPrimary);
  };
  const Answers first = ask_primary();
  const auto before = ReadRows(first, 1, rows.size());
  const absl::StatusOr<Rows>& position = first.at(rows.size() + 1);
  if (!before.ok() || !position.ok() || position->empty() || !position->front().front()) {
    const absl::Status& status = before.ok() ? position.status() : before.status();
    for (const auto& [replica, open] : open_) {
      Excuse(replica, "the primary could not be asked: " + std::string(status.message()));
    }
    return false;
  }
  Questions questions;
  for (const std::string& replica : WaitForReplay(*position->front().front())) {
    questions[replica] = of_replica;
  }
  if (questions.empty()) return false;
  const auto answers = servers_.Ask(questions, deadlines_, clock_);
  const Answers second = ask_primary();
  const auto after = ReadRows(second, 1, rows.size());
  if (!after.ok()) return false;
  const auto held_back = [&](const Answers& said) {
    const absl::StatusOr<Rows>& answer = said.at(rows.size() + 2);
    return !answer.ok() || answer->size() != 1 || answer->front().front() != "0";
  };
  const bool is_held_back = held_back(first) || held_back(second);
  for (const auto& [replica, answered] : answers) {
    const auto here = ReadRows(answered, 1, rows.size());
    if (here.ok()) {
      Weigh(replica, *before, *here, *after, is_held_back);
    } else {
      Excuse(replica, "it could not be asked: " + std::string(here.status().message()));
    }
  }
  return true;
}

void RowCheck::Glance() {
  std::vector<Key> keys = OpenKeys();
  keys.resize(std::min(keys.size(), kKeysMax));
  std::vector<Statement> statements = {dialect_.Settings()};
  statements.insert(statements.end(), kGlances, dialect_.RowsStatement(*table_, keys));
  Questions questions = {{Servers::kPrimary, statements}};
  for (const auto& [replica, rows] : open_) {
    if (!rows.empty()) questions[replica] = statements;
  }
  const auto answers = servers_.Ask(questions, deadlines_, clock_);
  // By key, every hash that the server showed; "" for none.
  const auto shown = [&](const std::string& server) {
    std::map<Key, std::set<std::string>> hashes;
    for (std::size_t i = 1; i <= kGlances; ++i) {
      const auto rows = ReadRows(answers.at(server), i, 1);
      if (!rows.ok()) continue;
      for (const Key& key : keys) {
        const SeenRow row = Find(*rows, key);
        hashes[key].insert(row.has_value() ? row->hash : "");
      }
    }
    return hashes;
  };
  const auto on_primary = shown(Servers::kPrimary);
  for (auto& [replica, rows] : open_) {
    if (rows.empty()) continue;
    for (const auto& [key, hashes] : shown(replica)) {
      const auto there = on_primary.find(key);
      if (there == on_primary.end()) continue;
      const bool is_shown_by_both = std::ranges::any_of(
          hashes, [&](const std::string& hash) { return there->second.contains(hash); });
      if (is_shown_by_both) rows.erase(key);
    }
  }
}

void RowCheck::Weigh(const std::string& replica, const SeenRows& before, const SeenRows& here,
                     const SeenRows& after, bool is_held_back) {
  OpenRows& rows = open_.at(replica);
  for (auto row = rows.begin(); row != rows.end();) {
    const auto& [key, open] = *row;
    const RowLook look{.before = Find(before, key),
                       .replica = Find(here, key),
                       .after = Find(after, key),
                       .is_held_back = is_held_back};
    const RowVerdict verdict = JudgeRow(look);
    if (verdict == RowVerdict::kSame) {
      row = rows.erase(row);
      continue;
    }
    const bool is_as_before = row->second.looks > 0 && row->second.last == look;
    row->second.looks = verdict == RowVerdict::kMoved ? 0 : (is_as_before ? open.looks + 1 : 1);
    row->second.last = look;
    row->second.why = is_held_back ? "commits wait for a synchronous standby" : "it kept changing";
    if (row->second.looks < dialect_.LooksToConfirm()) {
      ++row;
      continue;
    }
    RowDifference difference{
        .server = replica, .table = table_->Label(), .kind = KindOf(look), .key = {}};
    for (std::size_t i = 0; i < key.size(); ++i) {
      difference.key.emplace_back(table_->key[i].name, key[i]);
    }
    findings_[replica].confirmed.push_back(std::move(difference));
    row = rows.erase(row);
  }
}

std::vector<std::string> RowCheck::WaitForReplay(const std::string& position) {
  const TimePoint give_up = clock_.Now() + patience_.replay;
  std::vector<std::string> arrived;
  std::set<std::string> awaited;
  for (const auto& [replica, rows] : open_) {
    if (!rows.empty()) awaited.insert(replica);
  }
  while (true) {
    Questions questions = {{Servers::kPrimary, dialect_.ReplayStatements(ServerRole::kPrimary)}};
    for (const std::string& replica : awaited) {
      questions[replica] = dialect_.ReplayStatements(roles_->at(replica));
    }
    const auto answers = servers_.Ask(questions, deadlines_, clock_);
    std::erase_if(awaited, [&](const std::string& replica) {
      const Answers& says = answers.at(replica);
      const bool has_replayed =
          dialect_.HasReplayed(roles_->at(replica), position, answers.at(Servers::kPrimary), says);
      if (has_replayed) arrived.push_back(replica);
      const bool is_gone = absl::IsUnavailable(says.front().status());
      if (is_gone) Excuse(replica, std::string(says.front().status().message()));
      return has_replayed || is_gone;
    });
    if (awaited.empty() || clock_.Now() >= give_up || !servers_.Pause(kReplayPoll)) break;
  }
  for (const std::string& replica : awaited) {
    Excuse(replica, fmt::format("it did not replay the primary's position within {}",
                                FormatDuration(patience_.replay)));
  }
  return arrived;
}

void RowCheck::Excuse(const std::string& replica, const std::string& why) {
  for (auto& [key, open] : open_.at(replica)) open.why = why;
}

void RowCheck::NameColumns(RowFindings& findings, const std::string& replica) {
  std::vector<Key> keys;
  std::vector<RowDifference*> rows;
  for (RowDifference& row : findings.confirmed) {
    if (row.kind != RowDifferenceKind::kDifferent || keys.size() == kNamedMax) continue;
    Key& key = keys.emplace_back();
    for (const auto& [name, value] : row.key) key.push_back(value);
    rows.push_back(&row);
  }
  if (keys.empty()) return;
  const std::vector<Statement> statements = {dialect_.Settings(),
                                             dialect_.ColumnsStatement(*table_, keys)};
  const auto answers =
      servers_.Ask({{Servers::kPrimary, statements}, {replica, statements}}, deadlines_, clock_);
  const auto there = ReadColumns(answers.at(Servers::kPrimary).at(1), *table_);
  const auto here = ReadColumns(answers.at(replica).at(1), *table_);
  if (!there.ok() || !here.ok()) return;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto mine = here->find(keys[i]);
    const auto theirs = there->find(keys[i]);
    if (mine == here->end() || theirs == there->end()) continue;
    for (const auto& [column, hash] : theirs->second) {
      const auto found = mine->second.find(column);
      if (found != mine->second.end() && found->second != hash) rows[i]->columns.push_back(column);
    }
  }
}

}  // namespace headgate::database
