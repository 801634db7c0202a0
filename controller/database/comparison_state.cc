#include "controller/database/comparison_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace headgate::database {
namespace {

constexpr std::string_view kFirstLine = "headgate dbcheck state 1";
constexpr std::string_view kLastLine = "end";

using Cells = std::vector<std::string>;

// Cells are separated by tabs; what would disturb that is escaped.
void AddLine(std::string& out, const Cells& cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out += '\t';
    for (const char letter : cells[i]) {
      switch (letter) {
        case '\\':
          out += "\\\\";
          break;
        case '\t':
          out += "\\t";
          break;
        case '\n':
          out += "\\n";
          break;
        default:
          out += letter;
      }
    }
  }
  out += '\n';
}

Cells SplitLine(std::string_view line) {
  Cells cells(1);
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\t') {
      cells.emplace_back();
    } else if (line[i] == '\\' && i + 1 < line.size()) {
      ++i;
      cells.back() += line[i] == 't' ? '\t' : (line[i] == 'n' ? '\n' : line[i]);
    } else {
      cells.back() += line[i];
    }
  }
  return cells;
}

std::string Number(std::uint64_t number) { return fmt::format("{}", number); }

bool ReadNumber(const std::string& cell, std::uint64_t& out) {
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), out);
  return error == std::errc() && end == cell.data() + cell.size() && !cell.empty();
}

bool ReadTally(const Cells& cells, ComparisonState& state) {
  if (cells.size() != 9) return false;
  TableTally& tally = state.tallies[cells[1]];
  tally.why_unsettled = cells[8];
  return ReadNumber(cells[2], tally.confirmed) && ReadNumber(cells[3], tally.told) &&
         ReadNumber(cells[4], tally.unsettled) && ReadNumber(cells[5], tally.chunks_left) &&
         ReadNumber(cells[6], tally.rows_left_on_primary) &&
         ReadNumber(cells[7], tally.rows_left_here);
}

bool ReadFinding(const Cells& cells, ComparisonState& state) {
  std::uint64_t severity = 0;
  if (cells.size() != 7 || !ReadNumber(cells[1], severity) || severity > 2) return false;
  state.findings.push_back({.severity = static_cast<Severity>(severity),
                            .drains = cells[2] == "drains",
                            .kind = cells[3],
                            .server = cells[4],
                            .table = cells[5],
                            .text = cells[6]});
  return true;
}

bool ReadRow(const Cells& cells, ComparisonState& state) {
  std::uint64_t kind = 0;
  std::uint64_t columns = 0;
  if (cells.size() < 5 || !ReadNumber(cells[3], kind) || kind > 2 ||
      !ReadNumber(cells[4], columns) || cells.size() < 5 + columns ||
      (cells.size() - 5 - columns) % 2 != 0) {
    return false;
  }
  RowDifference row{.server = cells[1],
                    .table = cells[2],
                    .kind = static_cast<RowDifferenceKind>(kind),
                    .key = {},
                    .columns = {}};
  const auto first_column = cells.begin() + 5;
  row.columns.assign(first_column, first_column + std::ptrdiff_t(columns));
  for (std::size_t i = 5 + columns; i < cells.size(); i += 2) {
    row.key.emplace_back(cells[i], cells[i + 1]);
  }
  state.differences.push_back(std::move(row));
  return true;
}

bool ReadFact(const Cells& cells, ComparisonState& state) {
  const std::string& what = cells[0];
  if (what == "tally") return ReadTally(cells, state);
  if (what == "finding") return ReadFinding(cells, state);
  if (what == "row") return ReadRow(cells, state);
  if (cells.size() < 2) return false;
  const Key rest(cells.begin() + 1, cells.end());
  if (what == "server") {
    state.servers.push_back(cells[1]);
  } else if (what == "done") {
    state.done.insert(cells[1]);
  } else if (what == "table") {
    state.current = cells[1];
  } else if (what == "after") {
    state.after = rest;
  } else if (what == "rows") {
    return ReadNumber(cells[1], state.rows_done);
  } else if (what == "suspect" && cells.size() > 2) {
    state.suspects[cells[1]].emplace_back(cells.begin() + 2, cells.end());
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::string WriteComparisonState(const ComparisonState& state) {
  std::string out = fmt::format("{}\n", kFirstLine);
  for (const std::string& server : state.servers) AddLine(out, {"server", server});
  AddLine(out, {"rows", Number(state.rows_done)});
  for (const std::string& plan : state.done) AddLine(out, {"done", plan});
  if (!state.current.empty()) AddLine(out, {"table", state.current});
  if (state.after.has_value()) {
    Cells cells = {"after"};
    cells.insert(cells.end(), state.after->begin(), state.after->end());
    AddLine(out, cells);
  }
  for (const auto& [replica, tally] : state.tallies) {
    AddLine(out,
            {"tally", replica, Number(tally.confirmed), Number(tally.told), Number(tally.unsettled),
             Number(tally.chunks_left), Number(tally.rows_left_on_primary),
             Number(tally.rows_left_here), tally.why_unsettled});
  }
  for (const auto& [replica, keys] : state.suspects) {
    for (const Key& key : keys) {
      Cells cells = {"suspect", replica};
      cells.insert(cells.end(), key.begin(), key.end());
      AddLine(out, cells);
    }
  }
  for (const RowDifference& row : state.differences) {
    Cells cells = {"row", row.server, row.table, Number(static_cast<std::uint64_t>(row.kind)),
                   Number(row.columns.size())};
    cells.insert(cells.end(), row.columns.begin(), row.columns.end());
    for (const auto& [name, value] : row.key) {
      cells.push_back(name);
      cells.push_back(value);
    }
    AddLine(out, cells);
  }
  for (const Finding& finding : state.findings) {
    AddLine(out, {"finding", Number(static_cast<std::uint64_t>(finding.severity)),
                  finding.drains ? "drains" : "", finding.kind, finding.server, finding.table,
                  finding.text});
  }
  return out + std::string(kLastLine) + "\n";
}

absl::StatusOr<ComparisonState> ReadComparisonState(const std::string& text) {
  ComparisonState state;
  std::size_t line_number = 0;
  bool has_ended = false;
  for (std::size_t from = 0; from < text.size() && !has_ended; ++line_number) {
    const std::size_t to = std::min(text.find('\n', from), text.size());
    const std::string_view line = std::string_view(text).substr(from, to - from);
    from = to + 1;
    if (line_number == 0 && line != kFirstLine) {
      return absl::InvalidArgumentError("it is no state of a comparison");
    }
    has_ended = line == kLastLine;
    if (line_number == 0 || has_ended) continue;
    if (!ReadFact(SplitLine(line), state)) {
      return absl::InvalidArgumentError(
          fmt::format("its line {} cannot be understood", line_number + 1));
    }
  }
  if (!has_ended) return absl::InvalidArgumentError("its end is missing: it was not fully written");
  return state;
}

}  // namespace headgate::database
