#include "controller/database/session.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "common/base/duration.h"

namespace headgate::database {
namespace {

// How often a name lookup, which has no descriptor to poll, is looked at.
constexpr Duration kResolverPoll{10};

}  // namespace

void Session::Begin(std::vector<Statement> statements, const Deadlines& deadlines, TimePoint now) {
  HEADGATE_CHECK(IsDone());
  HEADGATE_CHECK(!statements.empty());
  statements_ = std::move(statements);
  answers_.clear();
  if (deadlines.statement != deadlines_.statement) is_prepared_ = false;
  deadlines_ = deadlines;
  total_deadline_ = now + deadlines.total;
  is_reused_ = HasConnection();
  if (!is_reused_) return Connect(now);
  if (!is_prepared_) return Ask(Preparation(deadlines_.statement), State::kPreparing, now);
  Ask(statements_.front(), State::kAsking, now);
}

void Session::Connect(TimePoint now) {
  step_deadline_ = now + deadlines_.connect;
  is_prepared_ = false;
  const absl::StatusOr<std::string> host = HostToLookUp();
  if (!host.ok()) return Abandon(host.status());
  if (!host->empty()) {
    state_ = State::kResolving;
    return resolver_.Begin(*host);
  }
  state_ = State::kConnecting;
  Take(StartConnecting({}, deadlines_), now);
}

void Session::Take(const Connecting& step, TimePoint now) {
  if (const auto* lost = std::get_if<Lost>(&step)) return Abandon(lost->why);
  if (!std::holds_alternative<Connected>(step)) return;
  Ask(Preparation(deadlines_.statement), State::kPreparing, now);
}

void Session::Ask(const Statement& statement, State state, TimePoint now) {
  state_ = state;
  step_deadline_ = now + deadlines_.statement;
  Take(StartAsking(statement), now);
}

void Session::Take(Asking step, TimePoint now) {
  if (const auto* lost = std::get_if<Lost>(&step)) return LoseConnection(lost->why, now);
  if (auto* answer = std::get_if<absl::StatusOr<Rows>>(&step)) TakeAnswer(std::move(*answer), now);
}

void Session::TakeAnswer(absl::StatusOr<Rows> answer, TimePoint now) {
  if (state_ == State::kPreparing) {
    if (!answer.ok()) return Abandon(answer.status());
    is_prepared_ = true;
    return Ask(statements_[answers_.size()], State::kAsking, now);
  }
  answers_.push_back(std::move(answer));
  if (answers_.size() == statements_.size()) {
    state_ = State::kIdle;
    return;
  }
  Ask(statements_[answers_.size()], State::kAsking, now);
}

void Session::LoseConnection(const absl::Status& why, TimePoint now) {
  if (!is_reused_) return Abandon(why);
  is_reused_ = false;
  Close();
  answers_.clear();
  Connect(now);
}

void Session::Abandon(const absl::Status& why) {
  Close();
  while (answers_.size() < statements_.size()) answers_.emplace_back(why);
}

void Session::Close() {
  Disconnect();
  state_ = State::kIdle;
  is_prepared_ = false;
}

TimePoint Session::WakeAt(TimePoint now) const {
  const TimePoint deadline = std::min(step_deadline_, total_deadline_);
  return state_ == State::kResolving ? std::min(deadline, now + kResolverPoll) : deadline;
}

void Session::Advance(bool is_ready, TimePoint now) {
  if (IsDone()) return;
  if (state_ == State::kResolving && resolver_.IsDone()) {
    const auto addresses = resolver_.Take();
    if (!addresses.ok())
      return Abandon(absl::UnknownError(std::string(addresses.status().message())));
    state_ = State::kConnecting;
    return Take(StartConnecting(*addresses, deadlines_), now);
  }
  if (is_ready && state_ == State::kConnecting)
    Take(ContinueConnecting(), now);
  else if (is_ready && state_ != State::kResolving)
    Take(ContinueAsking(), now);
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

void RunSessions(const std::vector<Session*>& sessions, const Clock& clock, int wake_fd) {
  std::vector<pollfd> polled;
  std::vector<Session*> waiting;
  while (true) {
    const TimePoint now = clock.Now();
    TimePoint wake_at = TimePoint::max();
    polled.assign({{.fd = wake_fd, .events = POLLIN, .revents = 0}});
    waiting.clear();
    for (Session* session : sessions) {
      if (session->IsDone()) continue;
      polled.push_back({.fd = session->Fd(), .events = session->PollEvents(), .revents = 0});
      waiting.push_back(session);
      wake_at = std::min(wake_at, session->WakeAt(now));
    }
    if (waiting.empty()) return;
    const auto patience = std::clamp(wake_at - now, Duration(0), Duration(60'000));
    poll(polled.data(), polled.size(), static_cast<int>(patience.count()));
    if (polled.front().revents != 0) {
      for (Session* session : waiting) session->Abandon(absl::CancelledError("interrupted"));
      return;
    }
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      waiting[i]->Advance(polled[i + 1].revents != 0, clock.Now());
    }
  }
}

}  // namespace headgate::database
