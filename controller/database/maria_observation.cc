#include "controller/database/maria_observation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <string_view>

#include "controller/database/maria_grants.h"

namespace headgate::database {
namespace {

// What a link leaves out, or writes elsewhere.
constexpr std::array<const char*, 10> kFilters = {"Replicate_Do_DB",
                                                  "Replicate_Ignore_DB",
                                                  "Replicate_Do_Table",
                                                  "Replicate_Ignore_Table",
                                                  "Replicate_Wild_Do_Table",
                                                  "Replicate_Wild_Ignore_Table",
                                                  "Replicate_Rewrite_DB",
                                                  "Replicate_Do_Domain_Ids",
                                                  "Replicate_Ignore_Domain_Ids",
                                                  "Replicate_Ignore_Server_Ids"};

Statement IdentityStatement() {
  return {.sql =
              "SELECT @@version, @@server_id, CONCAT_WS(' ', @@hostname, @@port, @@datadir), "
              "CURRENT_USER(), @@global.read_only, @@log_bin, @@gtid_binlog_pos, "
              "@@gtid_slave_pos, @@gtid_current_pos, @@gtid_binlog_state, "
              "@@global.slave_type_conversions, @@global.slave_exec_mode, "
              "@@global.slave_skip_errors, @@global.slave_run_triggers_for_rbr"};
}

Statement LinksStatement() { return {.sql = "SHOW ALL SLAVES STATUS", .with_names = true}; }

template <typename Number>
std::optional<Number> ToNumber(const std::string& text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

// "10.11.6-MariaDB-log" -> 101106; 0: it is no MariaDB.
std::int64_t VersionOf(const std::string& name) {
  if (name.find("MariaDB") == std::string::npos) return 0;
  std::int64_t version = 0;
  const char* at = name.data();
  const char* end = name.data() + name.size();
  for (int part = 0; part < 3; ++part) {
    std::int64_t number = 0;
    const auto [stop, error] = std::from_chars(at, end, number);
    if (error != std::errc() || number > 99) return 0;
    version = version * 100 + number;
    at = stop == end ? stop : stop + 1;
  }
  return version;
}

absl::StatusOr<MariaIdentity> ReadIdentity(const absl::StatusOr<Rows>& rows) {
  if (!rows.ok()) return rows.status();
  const absl::Status unreadable =
      absl::UnknownError("its answer about its identity cannot be understood");
  if (rows->size() != 1 || rows->front().size() != 14) return unreadable;
  std::vector<std::string> cells;
  for (const auto& cell : rows->front()) cells.push_back(cell.value_or(""));
  const auto server_id = ToNumber<std::uint32_t>(cells[1]);
  const auto written = ParseGtidPosition(cells[6]);
  const auto replicated = ParseGtidPosition(cells[7]);
  const auto current = ParseGtidPosition(cells[8]);
  const auto state = ParseGtids(cells[9]);
  if (!server_id || !written || !replicated || !current || !state) return unreadable;
  return MariaIdentity{.version_name = cells[0],
                       .version = VersionOf(cells[0]),
                       .server_id = *server_id,
                       .instance = cells[2],
                       .user = MariaAccount(cells[3]),
                       .is_read_only = cells[4] != "0" && cells[4] != "OFF",
                       .has_binlog = cells[5] == "1" || cells[5] == "ON",
                       .written = *written,
                       .replicated = *replicated,
                       .current = *current,
                       .binlog_state = *state,
                       .type_conversions = cells[10],
                       .exec_mode = cells[11],
                       .skipped_errors = cells[12],
                       .run_triggers = cells[13]};
}

// By the columns' names.
using NamedRow = std::map<std::string, std::string, std::less<>>;

std::string Cell(const NamedRow& row, std::string_view name) {
  const auto found = row.find(name);
  return found == row.end() ? "" : found->second;
}

// The statement that an error stopped at may hold what is nobody's business.
std::string WithoutStatement(const std::string& error) {
  std::string text = error.substr(0, error.find(" Query: '"));
  while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
  return text;
}

absl::StatusOr<MariaLink> ReadLink(const NamedRow& row) {
  const auto primary_id = ToNumber<std::uint32_t>(Cell(row, "Master_Server_Id"));
  const auto receiver_errno = ToNumber<std::int64_t>(Cell(row, "Last_IO_Errno"));
  const auto applier_errno = ToNumber<std::int64_t>(Cell(row, "Last_SQL_Errno"));
  const auto offset = ToNumber<std::uint64_t>(Cell(row, "Exec_Master_Log_Pos"));
  if (!primary_id || !receiver_errno || !applier_errno || !offset ||
      Cell(row, "Slave_IO_Running").empty() || Cell(row, "Slave_SQL_Running").empty()) {
    return absl::UnknownError("its answer about its replication cannot be understood");
  }
  std::string filters;
  for (const char* name : kFilters) {
    const std::string value = Cell(row, name);
    if (value.empty()) continue;
    filters += fmt::format("{}{}={}", filters.empty() ? "" : ", ", name, value);
  }
  return MariaLink{.name = Cell(row, "Connection_name"),
                   .primary_id = *primary_id,
                   .receiver = Cell(row, "Slave_IO_Running"),
                   .applier = Cell(row, "Slave_SQL_Running"),
                   .receiver_errno = *receiver_errno,
                   .receiver_error = WithoutStatement(Cell(row, "Last_IO_Error")),
                   .applier_errno = *applier_errno,
                   .applier_error = WithoutStatement(Cell(row, "Last_SQL_Error")),
                   .file = Cell(row, "Relay_Master_Log_File"),
                   .offset = *offset,
                   .filters = filters};
}

absl::StatusOr<std::vector<MariaLink>> ReadLinks(const absl::StatusOr<Rows>& rows) {
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return absl::UnknownError("its answer has no columns");
  const Row& names = rows->front();
  std::vector<MariaLink> links;
  for (std::size_t i = 1; i < rows->size(); ++i) {
    NamedRow named;
    for (std::size_t column = 0; column < names.size(); ++column) {
      named[names[column].value_or("")] = (*rows)[i].at(column).value_or("");
    }
    auto link = ReadLink(named);
    if (!link.ok()) return link.status();
    links.push_back(*std::move(link));
  }
  return links;
}

absl::StatusOr<MariaLogEnd> ReadLogEnd(const absl::StatusOr<Rows>& rows) {
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return MariaLogEnd();
  const Row& row = rows->front();
  const auto offset = row.size() < 2 ? std::nullopt : ToNumber<std::uint64_t>(row[1].value_or(""));
  if (!offset) return absl::UnknownError("its answer about its binary log cannot be understood");
  return MariaLogEnd{.file = row[0].value_or(""), .offset = *offset};
}

}  // namespace

std::vector<Statement> MariaPrimaryStatements() {
  // The position first: what it feeds and where its log ends may be a little further.
  return {IdentityStatement(),
          LinksStatement(),
          {.sql = "SHOW MASTER STATUS"},
          {.sql = "SHOW GLOBAL STATUS LIKE 'Slaves_connected'"}};
}

std::vector<Statement> MariaReplicaStatements() { return {IdentityStatement(), LinksStatement()}; }

absl::StatusOr<MariaPrimary> ReadMariaPrimary(const Answers& answers) {
  if (answers.size() != 4) return absl::UnknownError("it was not asked");
  auto identity = ReadIdentity(answers[0]);
  if (!identity.ok()) return identity.status();
  MariaPrimary seen{.identity = *std::move(identity),
                    .links = ReadLinks(answers[1]),
                    .log_end = ReadLogEnd(answers[2])};
  if (!answers[3].ok()) return answers[3].status();
  if (answers[3]->empty() || answers[3]->front().size() != 2) {
    return absl::UnknownError("it does not say how many replicas it feeds");
  }
  const auto fed = ToNumber<std::int64_t>(answers[3]->front()[1].value_or(""));
  if (!fed) return absl::UnknownError("it does not say how many replicas it feeds");
  seen.fed = *fed;
  return seen;
}

absl::StatusOr<MariaReplica> ReadMariaReplica(const Answers& answers) {
  if (answers.size() != 2) return absl::UnknownError("it was not asked");
  auto identity = ReadIdentity(answers[0]);
  if (!identity.ok()) return identity.status();
  return MariaReplica{.identity = *std::move(identity), .links = ReadLinks(answers[1])};
}

}  // namespace headgate::database
