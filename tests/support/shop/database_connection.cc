#include "tests/support/shop/database_connection.h"

#include <libpq-fe.h>
#include <sys/epoll.h>

#include <string_view>
#include <utility>

#include "common/base/check.h"

namespace headgate::shop {
namespace {

std::string FirstLine(const char* text) {
  const std::string_view whole(text == nullptr ? "" : text);
  return std::string(whole.substr(0, whole.find('\n')));
}

absl::StatusOr<Rows> RowsOf(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    return absl::InternalError(FirstLine(PQresultErrorMessage(result)));
  }
  Rows rows(static_cast<std::size_t>(PQntuples(result)));
  for (int row = 0; row < PQntuples(result); ++row) {
    for (int column = 0; column < PQnfields(result); ++column) {
      rows[static_cast<std::size_t>(row)].emplace_back(PQgetvalue(result, row, column));
    }
  }
  return rows;
}

}  // namespace

DatabaseConnection::DatabaseConnection(support::EventLoop& loop, const std::string& dsn,
                                       Events events)
    : loop_(loop), events_(std::move(events)), connection_(PQconnectStart(dsn.c_str())) {
  HEADGATE_CHECK(connection_ != nullptr);
  deadline_ = loop_.After(kAnswerMax, [this] { Lose("no connection in time"); });
  if (PQstatus(connection_) == CONNECTION_BAD) {
    // Told on the next turn: the owner has not got this object yet.
    loop_.Cancel(*deadline_);
    deadline_ =
        loop_.After(support::EventLoop::Micros(0), [this] { Lose(PQerrorMessage(connection_)); });
    return;
  }
  Await(EPOLLOUT);
}

DatabaseConnection::~DatabaseConnection() {
  if (deadline_.has_value()) loop_.Cancel(*deadline_);
  if (watched_fd_ >= 0) loop_.Forget(watched_fd_);
  PQfinish(connection_);
}

void DatabaseConnection::Ask(const Query& query, Done done) {
  HEADGATE_CHECK(state_ == State::kIdle);
  state_ = State::kAsking;
  done_ = std::move(done);
  answer_.reset();
  deadline_ = loop_.After(kAnswerMax, [this] { Lose("no answer in time"); });
  std::vector<const char*> values;
  for (const std::string& parameter : query.parameters) values.push_back(parameter.c_str());
  // Not prepared: a prepared statement would fail once on each connection when a column changes
  // its type, and the shop would err for another reason than the replica's schema.
  PQsendQueryParams(connection_, query.sql.c_str(), static_cast<int>(values.size()), nullptr,
                    values.data(), nullptr, nullptr, 0);
  // What went wrong with sending is found, and told, when the socket is read.
  Await(PQflush(connection_) == 0 ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

void DatabaseConnection::Step(std::uint32_t events) {
  switch (state_) {
    case State::kConnecting:
      StepConnecting();
      return;
    case State::kAsking:
      if ((events & EPOLLOUT) != 0 && PQflush(connection_) == 0) Await(EPOLLIN);
      if ((events & ~std::uint32_t{EPOLLOUT}) != 0) StepAsking();
      return;
    case State::kIdle:
      if (PQconsumeInput(connection_) == 0) Lose(FirstLine(PQerrorMessage(connection_)));
      return;
    case State::kLost:
      return;
  }
}

void DatabaseConnection::StepConnecting() {
  switch (PQconnectPoll(connection_)) {
    case PGRES_POLLING_READING:
      Await(EPOLLIN);
      return;
    case PGRES_POLLING_WRITING:
    case PGRES_POLLING_ACTIVE:
      Await(EPOLLOUT);
      return;
    case PGRES_POLLING_FAILED:
      Lose(FirstLine(PQerrorMessage(connection_)));
      return;
    case PGRES_POLLING_OK:
      break;
  }
  loop_.Cancel(*deadline_);
  deadline_.reset();
  PQsetnonblocking(connection_, 1);
  Await(EPOLLIN);
  state_ = State::kIdle;
  events_.ready();
}

void DatabaseConnection::StepAsking() {
  if (PQconsumeInput(connection_) == 0) {
    Lose(FirstLine(PQerrorMessage(connection_)));
    return;
  }
  while (PQisBusy(connection_) == 0) {
    PGresult* result = PQgetResult(connection_);
    if (result != nullptr) {
      if (!answer_.has_value()) answer_ = RowsOf(result);
      PQclear(result);
      continue;
    }
    if (!answer_.has_value() || PQstatus(connection_) == CONNECTION_BAD) {
      Lose(FirstLine(PQerrorMessage(connection_)));
      return;
    }
    loop_.Cancel(*deadline_);
    deadline_.reset();
    state_ = State::kIdle;
    // Last, because it may destroy this object.
    std::exchange(done_, nullptr)(*std::exchange(answer_, std::nullopt));
    return;
  }
}

void DatabaseConnection::Await(std::uint32_t events) {
  // libpq may take another descriptor while it connects.
  const int fd = PQsocket(connection_);
  if (fd == watched_fd_ && state_ != State::kConnecting) {
    if (events != watched_events_) loop_.Change(fd, events);
    watched_events_ = events;
    return;
  }
  if (watched_fd_ >= 0) loop_.Forget(watched_fd_);
  watched_fd_ = fd;
  watched_events_ = events;
  loop_.Watch(fd, events, [this](std::uint32_t happened) { Step(happened); });
}

void DatabaseConnection::Lose(const std::string& why) {
  state_ = State::kLost;
  if (deadline_.has_value()) loop_.Cancel(*deadline_);
  deadline_.reset();
  if (watched_fd_ >= 0) loop_.Forget(watched_fd_);
  watched_fd_ = -1;
  const Done done = std::exchange(done_, nullptr);
  // Copied: either callback may destroy this object.
  const auto lost = events_.lost;
  const std::string reason = why.empty() ? "the connection was closed" : why;
  if (done) {
    done(absl::UnavailableError(reason));
    return;
  }
  lost(reason);
}

}  // namespace headgate::shop
