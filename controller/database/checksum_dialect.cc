#include "controller/database/checksum_dialect.h"

#include <utility>

#include "controller/database/observation.h"

namespace headgate::database {
namespace {

absl::Status NotUnderstood() {
  return absl::UnknownError("its answer about rows cannot be understood");
}

// The first cells of a row; nullopt if one of them is NULL.
std::optional<Key> KeyOf(const Row& row, std::size_t columns) {
  Key key;
  for (std::size_t i = 0; i < columns; ++i) {
    if (!row[i].has_value()) return std::nullopt;
    key.push_back(*row[i]);
  }
  return key;
}

}  // namespace

absl::StatusOr<Sum> ReadSum(const absl::StatusOr<Rows>& answer,
                            std::optional<std::size_t> rows_max) {
  if (!answer.ok()) return answer.status();
  if (answer->size() != 1 || answer->front().size() != 3) return NotUnderstood();
  const Row& row = answer->front();
  const auto rows = ToPosition(row[0]);
  const auto busy = ToPosition(row[2]);
  if (!rows.has_value() || !row[1].has_value() || !busy.has_value()) return NotUnderstood();
  return Sum{.rows = *rows,
             .hash = *row[1],
             .busy = Microseconds(static_cast<std::int64_t>(*busy)),
             .is_cut = rows_max.has_value() && *rows >= *rows_max};
}

absl::StatusOr<Bound> ReadBound(const absl::StatusOr<Rows>& answer, const TablePlan& table) {
  if (!answer.ok()) return answer.status();
  if (answer->empty()) return Bound();
  const std::size_t columns = table.key.size();
  if (answer->size() != 1 || answer->front().size() != columns + 1) return NotUnderstood();
  Bound bound{.key = KeyOf(answer->front(), columns), .busy = Microseconds(0)};
  const auto busy = ToPosition(answer->front()[columns]);
  if (!bound.key.has_value() || !busy.has_value()) return NotUnderstood();
  bound.busy = Microseconds(static_cast<std::int64_t>(*busy));
  return bound;
}

absl::StatusOr<std::vector<ListedRow>> ReadListed(const absl::StatusOr<Rows>& answer,
                                                  const TablePlan& table) {
  if (!answer.ok()) return answer.status();
  const std::size_t columns = table.key.size();
  std::vector<ListedRow> listed;
  listed.reserve(answer->size());
  for (const Row& row : *answer) {
    if (row.size() != columns + 2) return NotUnderstood();
    std::optional<Key> key = KeyOf(row, columns);
    if (!key.has_value() || !row[columns].has_value()) return NotUnderstood();
    listed.push_back(
        {.key = *std::move(key), .hash = *row[columns], .version = row[columns + 1].value_or("")});
  }
  return listed;
}

absl::StatusOr<std::map<Key, ColumnHashes>> ReadColumns(const absl::StatusOr<Rows>& answer,
                                                        const TablePlan& table) {
  if (!answer.ok()) return answer.status();
  std::map<Key, ColumnHashes> rows;
  for (const Row& row : *answer) {
    if (row.size() != table.key.size() + table.columns.size()) return NotUnderstood();
    std::optional<Key> key = KeyOf(row, table.key.size());
    if (!key.has_value()) return NotUnderstood();
    ColumnHashes& hashes = rows[*key];
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      hashes[table.columns[i].name] = row[table.key.size() + i].value_or("");
    }
  }
  return rows;
}

}  // namespace headgate::database
