#include "controller/database/postgres_session.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "common/base/check.h"
#include "common/base/duration.h"

namespace headgate::database {
namespace {

// How often a name lookup, which has no descriptor to poll, is looked at.
constexpr Duration kResolverPoll{10};

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

// The first thing that a session does. As set_config and not as `options=` of the connection,
// because poolers refuse those.
Statement Preparation(Duration statement_timeout) {
  return {.sql =
              "SELECT pg_catalog.set_config(name, value, false) FROM (VALUES "
              "('search_path', 'pg_catalog'), ('row_security', 'off'), "
              "('default_transaction_read_only', 'on'), ('client_encoding', 'UTF8'), "
              "('DateStyle', 'ISO'), ('statement_timeout', $1)) AS settings (name, value)",
          .parameters = {fmt::format("{}ms", statement_timeout.count())}};
}

}  // namespace

PostgresSession::PostgresSession(std::string dsn)
    : dsn_(std::move(dsn)), options_(ParseDsn(dsn_)) {}

PostgresSession::~PostgresSession() { Disconnect(); }

void PostgresSession::Begin(std::vector<Statement> statements, const Deadlines& deadlines,
                            TimePoint now) {
  HEADGATE_CHECK(IsDone());
  HEADGATE_CHECK(!statements.empty());
  statements_ = std::move(statements);
  answers_.clear();
  current_.reset();
  if (deadlines.statement != deadlines_.statement) is_prepared_ = false;
  deadlines_ = deadlines;
  total_deadline_ = now + deadlines.total;
  if (!options_.ok()) return Abandon(options_.status());
  is_reused_ = connection_ != nullptr;
  if (!is_reused_) return Connect(now);
  if (!is_prepared_) return Send(Preparation(deadlines_.statement), State::kPreparing, now);
  Send(statements_.front(), State::kAsking, now);
}

void PostgresSession::Connect(TimePoint now) {
  step_deadline_ = now + deadlines_.connect;
  is_prepared_ = false;
  const auto host = options_->find("host");
  if (host == options_->end() || options_->contains("hostaddr") ||
      !Resolver::NeedsLookup(host->second)) {
    return StartConnecting({}, now);
  }
  state_ = State::kResolving;
  resolver_.Begin(host->second);
}

void PostgresSession::StartConnecting(const std::vector<std::string>& addresses, TimePoint now) {
  DsnOptions options = *options_;
  options["application_name"] = "headgate";
  options["fallback_application_name"] = "headgate";
  options["client_encoding"] = "UTF8";
  // Kerberos would be asked inside PQconnectPoll, blocking, unless somebody wants it.
  options.try_emplace("gssencmode", "disable");
  options.try_emplace("tcp_user_timeout", fmt::format("{}", deadlines_.total.count()));
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
  if (PQstatus(connection_) == CONNECTION_BAD) return ContinueConnecting(now);
  PQsetnonblocking(connection_, 1);
  state_ = State::kConnecting;
  wants_write_ = true;
}

void PostgresSession::ContinueConnecting(TimePoint now) {
  const PostgresPollingStatusType polled =
      PQstatus(connection_) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PQconnectPoll(connection_);
  if (polled == PGRES_POLLING_READING || polled == PGRES_POLLING_WRITING) {
    wants_write_ = polled == PGRES_POLLING_WRITING;
    return;
  }
  if (polled == PGRES_POLLING_OK) {
    return Send(Preparation(deadlines_.statement), State::kPreparing, now);
  }
  const std::string message = PQerrorMessage(connection_);
  const std::string text = LastError();
  const std::string_view sqlstate = SqlStateIn(message);
  Abandon(sqlstate.empty() && ProvesAbsence(message) ? absl::UnavailableError(text)
                                                     : StatusOf(sqlstate, text));
}

void PostgresSession::Send(const Statement& statement, State state, TimePoint now) {
  state_ = state;
  current_.reset();
  step_deadline_ = now + deadlines_.statement;
  std::vector<const char*> parameters;
  parameters.reserve(statement.parameters.size());
  for (const std::string& parameter : statement.parameters) {
    parameters.push_back(parameter.c_str());
  }
  if (PQsendQueryParams(connection_, statement.sql.c_str(), static_cast<int>(parameters.size()),
                        nullptr, parameters.data(), nullptr, nullptr, 0) != 1) {
    return LoseConnection(absl::UnknownError(LastError()), now);
  }
  wants_write_ = PQflush(connection_) == 1;
}

void PostgresSession::ContinueAsking(TimePoint now) {
  if (PQconsumeInput(connection_) != 1) {
    const std::string message = PQerrorMessage(connection_);
    return LoseConnection(ProvesAbsence(message) ? absl::UnavailableError(LastError())
                                                 : absl::UnknownError(LastError()),
                          now);
  }
  wants_write_ = PQflush(connection_) == 1;
  while (PQisBusy(connection_) == 0) {
    const Result result(PQgetResult(connection_), &PQclear);
    if (result == nullptr) return FinishStatement(now);
    if (!TakeResult(result.get(), now)) return;
  }
}

bool PostgresSession::TakeResult(pg_result* result, TimePoint now) {
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_TUPLES_OK) {
    if (PQntuples(result) > kRowsMax) {
      current_ = absl::UnknownError(
          fmt::format("the answer has {} rows, more than {}", PQntuples(result), kRowsMax));
      return true;
    }
    current_ = ToRows(result);
    return true;
  }
  const char* sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string text = ScrubServerText(
      primary != nullptr ? primary : Plain(PQresultErrorMessage(result)), *options_);
  if (PQstatus(connection_) == CONNECTION_BAD) {
    const bool is_gone = sqlstate == nullptr && ProvesAbsence(PQresultErrorMessage(result));
    LoseConnection(is_gone ? absl::UnavailableError(text)
                           : StatusOf(sqlstate == nullptr ? "" : sqlstate, text),
                   now);
    return false;
  }
  current_ = StatusOf(sqlstate == nullptr ? "" : sqlstate, text);
  return true;
}

void PostgresSession::FinishStatement(TimePoint now) {
  if (!current_.has_value()) current_ = absl::UnknownError("the server ended without an answer");
  if (state_ == State::kPreparing) {
    if (!current_->ok()) return Abandon(current_->status());
    is_prepared_ = true;
    return Send(statements_[answers_.size()], State::kAsking, now);
  }
  answers_.push_back(*std::move(current_));
  if (answers_.size() == statements_.size()) {
    state_ = State::kIdle;
    return;
  }
  Send(statements_[answers_.size()], State::kAsking, now);
}

void PostgresSession::LoseConnection(const absl::Status& why, TimePoint now) {
  if (!is_reused_) return Abandon(why);
  is_reused_ = false;
  Disconnect();
  answers_.clear();
  Connect(now);
}

void PostgresSession::Abandon(const absl::Status& why) {
  Disconnect();
  while (answers_.size() < statements_.size()) answers_.emplace_back(why);
}

void PostgresSession::Disconnect() {
  if (connection_ != nullptr) PQfinish(std::exchange(connection_, nullptr));
  state_ = State::kIdle;
  is_prepared_ = false;
}

std::string PostgresSession::LastError() const {
  return ScrubServerText(Plain(PQerrorMessage(connection_)), *options_);
}

int PostgresSession::Fd() const {
  if (state_ == State::kResolving || connection_ == nullptr) return -1;
  return PQsocket(connection_);
}

short PostgresSession::PollEvents() const {
  if (state_ == State::kConnecting) return wants_write_ ? POLLOUT : POLLIN;
  return static_cast<short>(wants_write_ ? (POLLIN | POLLOUT) : POLLIN);
}

TimePoint PostgresSession::WakeAt(TimePoint now) const {
  const TimePoint deadline = std::min(step_deadline_, total_deadline_);
  return state_ == State::kResolving ? std::min(deadline, now + kResolverPoll) : deadline;
}

void PostgresSession::Advance(bool is_ready, TimePoint now) {
  if (IsDone()) return;
  if (state_ == State::kResolving && resolver_.IsDone()) {
    const auto addresses = resolver_.Take();
    if (!addresses.ok())
      return Abandon(absl::UnknownError(std::string(addresses.status().message())));
    return StartConnecting(*addresses, now);
  }
  if (is_ready && state_ == State::kConnecting)
    ContinueConnecting(now);
  else if (is_ready && state_ != State::kResolving)
    ContinueAsking(now);
  if (IsDone() || now < std::min(step_deadline_, total_deadline_)) return;
  switch (state_) {
    case State::kIdle:
      return;
    case State::kResolving:
      return Abandon(absl::DeadlineExceededError(
          fmt::format("its name was not resolved within {}", FormatDuration(deadlines_.connect))));
    case State::kConnecting:
      return Abandon(absl::DeadlineExceededError(
          fmt::format("no connection within {}", FormatDuration(deadlines_.connect))));
    case State::kPreparing:
    case State::kAsking:
      return Abandon(absl::DeadlineExceededError(fmt::format(
          "no answer within {}",
          FormatDuration(now < total_deadline_ ? deadlines_.statement : deadlines_.total))));
  }
}

void RunSessions(const std::vector<PostgresSession*>& sessions, const Clock& clock, int wake_fd) {
  std::vector<pollfd> polled;
  std::vector<PostgresSession*> waiting;
  while (true) {
    const TimePoint now = clock.Now();
    TimePoint wake_at = TimePoint::max();
    polled.assign({{.fd = wake_fd, .events = POLLIN, .revents = 0}});
    waiting.clear();
    for (PostgresSession* session : sessions) {
      if (session->IsDone()) continue;
      polled.push_back({.fd = session->Fd(), .events = session->PollEvents(), .revents = 0});
      waiting.push_back(session);
      wake_at = std::min(wake_at, session->WakeAt(now));
    }
    if (waiting.empty()) return;
    const auto patience = std::clamp(wake_at - now, Duration(0), Duration(60'000));
    poll(polled.data(), polled.size(), static_cast<int>(patience.count()));
    if (polled.front().revents != 0) {
      for (PostgresSession* session : waiting)
        session->Abandon(absl::CancelledError("interrupted"));
      return;
    }
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      waiting[i]->Advance(polled[i + 1].revents != 0, clock.Now());
    }
  }
}

}  // namespace headgate::database
