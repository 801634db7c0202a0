#include "controller/database/postgres_session.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "common/base/check.h"

namespace headgate::database {
namespace {

using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

// What libpq says when the far end proves that nobody serves there. "No route", "timed out" and the
// like prove only that we cannot reach it.
bool ProvesAbsence(std::string_view message) {
  constexpr std::array<std::string_view, 5> kProofs = {
      "Connection refused", "server closed the connection", "Connection reset by peer",
      "connection to server was lost", "No such file or directory\n\tIs the server running"};
  return std::any_of(kProofs.begin(), kProofs.end(), [&](std::string_view proof) {
    return message.find(proof) != std::string_view::npos;
  });
}

absl::Status StatusOf(std::string_view sqlstate, const std::string& text) {
  if (sqlstate.substr(0, 2) == "28" || sqlstate == "42501")
    return absl::PermissionDeniedError(text);
  if (sqlstate == "57014") return absl::DeadlineExceededError(text);
  // A page or an index that is broken on disk.
  if (sqlstate == "XX001" || sqlstate == "XX002") return absl::DataLossError(text);
  // Shutting down, crashed, starting up.
  if (sqlstate == "57P01" || sqlstate == "57P02" || sqlstate == "57P03") {
    return absl::UnavailableError(text);
  }
  return absl::UnknownError(text);
}

// "FATAL:  28P01: password authentication failed" (verbose) -> SQLSTATE, or "".
std::string_view SqlStateIn(std::string_view message) {
  for (std::string_view level : {"FATAL:  ", "ERROR:  "}) {
    const std::size_t at = message.find(level);
    if (at == std::string_view::npos) continue;
    const std::string_view rest = message.substr(at + level.size());
    if (rest.size() > 5 && rest[5] == ':') return rest.substr(0, 5);
  }
  return "";
}

// Without the parts that are for PostgreSQL's own developers, or for beginners.
std::string Plain(std::string text) {
  const std::size_t location = text.find("LOCATION:");
  if (location != std::string::npos) text.resize(location);
  const std::string_view sqlstate = SqlStateIn(text);
  if (!sqlstate.empty()) text = text.substr(text.find(std::string(sqlstate) + ":") + 7);
  // "\n\tIs the server running on that host and accepting TCP/IP connections?"
  for (std::size_t hint = text.find("\n\t"); hint != std::string::npos; hint = text.find("\n\t")) {
    const std::size_t end = text.find('\n', hint + 1);
    text.erase(hint, end == std::string::npos ? std::string::npos : end - hint);
  }
  return text;
}

Rows ToRows(const PGresult* result) {
  Rows rows(static_cast<std::size_t>(PQntuples(result)));
  const int columns = PQnfields(result);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].reserve(static_cast<std::size_t>(columns));
    for (int column = 0; column < columns; ++column) {
      const int row = static_cast<int>(i);
      if (PQgetisnull(result, row, column) == 1) {
        rows[i].emplace_back(std::nullopt);
        continue;
      }
      rows[i].emplace_back(std::string(PQgetvalue(result, row, column),
                                       static_cast<std::size_t>(PQgetlength(result, row, column))));
    }
  }
  return rows;
}

}  // namespace

PostgresSession::PostgresSession(const std::string& dsn) : options_(ParseDsn(dsn)) {}

PostgresSession::~PostgresSession() { Disconnect(); }

absl::StatusOr<std::string> PostgresSession::HostToLookUp() {
  if (!options_.ok()) return options_.status();
  const auto host = options_->find("host");
  const bool is_needed = host != options_->end() && !options_->contains("hostaddr") &&
                         Resolver::NeedsLookup(host->second);
  return is_needed ? host->second : "";
}

Session::Connecting PostgresSession::StartConnecting(const std::vector<std::string>& addresses,
                                                     const Deadlines& deadlines) {
  DsnOptions options = *options_;
  options["application_name"] = "headgate";
  options["fallback_application_name"] = "headgate";
  options["client_encoding"] = "UTF8";
  // Kerberos would be asked inside PQconnectPoll, blocking, unless somebody wants it.
  options.try_emplace("gssencmode", "disable");
  options.try_emplace("tcp_user_timeout", fmt::format("{}", deadlines.total.count()));
  if (!addresses.empty()) {
    // The name stays, for the check of certificates.
    const std::string name = options["host"];
    options["host"] = name;
    options["hostaddr"] = addresses.front();
    for (std::size_t i = 1; i < addresses.size(); ++i) {
      options["host"] += "," + name;
      options["hostaddr"] += "," + addresses[i];
    }
  }
  std::vector<const char*> keys;
  std::vector<const char*> values;
  for (const auto& [key, value] : options) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  connection_ = PQconnectStartParams(keys.data(), values.data(), 0);
  HEADGATE_CHECK(connection_ != nullptr);  // only without memory
  PQsetErrorVerbosity(connection_, PQERRORS_VERBOSE);
  PQsetNoticeProcessor(
      connection_, [](void*, const char*) {}, nullptr);
  if (PQstatus(connection_) == CONNECTION_BAD) return ContinueConnecting();
  PQsetnonblocking(connection_, 1);
  is_connecting_ = true;
  wants_write_ = true;
  return Waiting{};
}

Session::Connecting PostgresSession::ContinueConnecting() {
  const PostgresPollingStatusType polled =
      PQstatus(connection_) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PQconnectPoll(connection_);
  if (polled == PGRES_POLLING_READING || polled == PGRES_POLLING_WRITING) {
    wants_write_ = polled == PGRES_POLLING_WRITING;
    return Waiting{};
  }
  if (polled == PGRES_POLLING_OK) {
    is_connecting_ = false;
    return Connected{};
  }
  const std::string message = PQerrorMessage(connection_);
  const std::string text = LastError();
  const std::string_view sqlstate = SqlStateIn(message);
  return Lost{sqlstate.empty() && ProvesAbsence(message) ? absl::UnavailableError(text)
                                                         : StatusOf(sqlstate, text)};
}

// As set_config and not as `options=` of the connection, because poolers refuse those. Constants in
// definitions are written in the session's zone, styles and quotes: one server's own settings must
// not look like drift.
Statement PostgresSession::Preparation(Duration statement_timeout) const {
  return {.sql =
              "SELECT pg_catalog.set_config(name, value, false) FROM (VALUES "
              "('search_path', 'pg_catalog'), ('row_security', 'off'), "
              "('default_transaction_read_only', 'on'), ('client_encoding', 'UTF8'), "
              "('DateStyle', 'ISO, MDY'), ('TimeZone', 'UTC'), ('IntervalStyle', 'postgres'), "
              "('extra_float_digits', '1'), ('bytea_output', 'hex'), ('lc_monetary', 'C'), "
              "('quote_all_identifiers', 'off'), "
              "('default_transaction_isolation', 'read committed'), ('statement_timeout', $1)) "
              "AS settings (name, value)",
          .parameters = {fmt::format("{}ms", statement_timeout.count())}};
}

Session::Asking PostgresSession::StartAsking(const Statement& statement) {
  current_.reset();
  std::vector<const char*> parameters;
  parameters.reserve(statement.parameters.size());
  for (const std::string& parameter : statement.parameters) {
    parameters.push_back(parameter.c_str());
  }
  if (PQsendQueryParams(connection_, statement.sql.c_str(), static_cast<int>(parameters.size()),
                        nullptr, parameters.data(), nullptr, nullptr, 0) != 1) {
    return Lost{absl::UnknownError(LastError())};
  }
  wants_write_ = PQflush(connection_) == 1;
  return Waiting{};
}

Session::Asking PostgresSession::ContinueAsking() {
  if (PQconsumeInput(connection_) != 1) {
    const std::string message = PQerrorMessage(connection_);
    return Lost{ProvesAbsence(message) ? absl::UnavailableError(LastError())
                                       : absl::UnknownError(LastError())};
  }
  wants_write_ = PQflush(connection_) == 1;
  while (PQisBusy(connection_) == 0) {
    const Result result(PQgetResult(connection_), &PQclear);
    if (result == nullptr) {
      if (current_.has_value()) return *std::exchange(current_, std::nullopt);
      return absl::StatusOr<Rows>(absl::UnknownError("the server ended without an answer"));
    }
    if (absl::Status lost = TakeResult(result.get()); !lost.ok()) return Lost{std::move(lost)};
  }
  return Waiting{};
}

absl::Status PostgresSession::TakeResult(pg_result* result) {
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_TUPLES_OK) {
    if (PQntuples(result) > kRowsMax) {
      current_ = absl::UnknownError(
          fmt::format("the answer has {} rows, more than {}", PQntuples(result), kRowsMax));
      return absl::OkStatus();
    }
    current_ = ToRows(result);
    return absl::OkStatus();
  }
  const char* sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string text = ScrubServerText(
      primary != nullptr ? primary : Plain(PQresultErrorMessage(result)), *options_);
  const absl::Status failure = StatusOf(sqlstate == nullptr ? "" : sqlstate, text);
  if (PQstatus(connection_) != CONNECTION_BAD) {
    current_ = failure;
    return absl::OkStatus();
  }
  const bool is_gone = sqlstate == nullptr && ProvesAbsence(PQresultErrorMessage(result));
  return is_gone ? absl::UnavailableError(text) : failure;
}

void PostgresSession::Disconnect() {
  if (connection_ != nullptr) PQfinish(std::exchange(connection_, nullptr));
  is_connecting_ = false;
}

std::string PostgresSession::LastError() const {
  return ScrubServerText(Plain(PQerrorMessage(connection_)), *options_);
}

int PostgresSession::Socket() const { return connection_ == nullptr ? -1 : PQsocket(connection_); }

short PostgresSession::EventsAwaited() const {
  if (is_connecting_) return wants_write_ ? POLLOUT : POLLIN;
  return static_cast<short>(wants_write_ ? (POLLIN | POLLOUT) : POLLIN);
}

}  // namespace headgate::database
