#include "tests/support/loadgen/crowd.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "fmt/format.h"

namespace headgate::loadgen {
namespace {

std::optional<int> RetryAfterOf(const support::Response& response) {
  const auto text = support::FindHeader(response.headers, "Retry-After");
  if (!text.has_value()) return std::nullopt;
  int seconds = 0;
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, seconds);
  if (error != std::errc() || stop != end || seconds < 0) return std::nullopt;
  return seconds;
}

}  // namespace

Crowd::Crowd(support::EventLoop& loop, Options options,
             std::function<void(const std::string&)> print)
    : loop_(loop),
      options_(std::move(options)),
      print_(std::move(print)),
      random_(options_.seed),
      users_(options_.users),
      visits_(options_.users, 0),
      tally_(loop.UnixMillisNow()) {
  for (std::uint16_t port : options_.ports) {
    clients_.push_back(std::make_unique<support::HttpClient>(
        loop_, port,
        support::HttpClient::Limits{.connections = options_.connections_per_port,
                                    .timeout = options_.timeout}));
  }
}

void Crowd::Start() {
  const auto think_us = std::chrono::microseconds(options_.habits.think).count();
  first_visits_end_ = loop_.Now() + options_.habits.think;
  std::uniform_int_distribution<std::int64_t> first(0, think_us);
  for (std::size_t i = 0; i < users_.size(); ++i) {
    due_.emplace(loop_.Now() + std::chrono::microseconds(first(random_)), i);
  }
  next_second_ = loop_.Now() + std::chrono::seconds(1);
  last_tick_ = loop_.Now();
  loop_.After(kTick, [this] { Tick(); });
}

void Crowd::End(std::function<void()> then) {
  if (ended_) return;
  ended_ = std::move(then);
  if (outstanding_ == 0) Finish();
}

void Crowd::Tick() {
  while (loop_.Now() >= next_second_) EndSecond();
  if (ended_) return;
  const std::chrono::duration<double> passed = loop_.Now() - last_tick_;
  last_tick_ = loop_.Now();
  const double per_second = options_.requests_per_second_max;
  // At most 50 ms' worth at once, after the generator itself was held up.
  allowance_ = std::min(allowance_ + passed.count() * per_second, 0.05 * per_second);
  while (!due_.empty() && due_.top().first <= loop_.Now() && allowance_ >= 1.0) {
    const std::size_t index = due_.top().second;
    due_.pop();
    allowance_ -= 1.0;
    if (Visit(index)) continue;
    tally_.Late();
    ComeBack(index, kTryAgain);
  }
  loop_.After(kTick, [this] { Tick(); });
}

bool Crowd::Visit(std::size_t index) {
  const std::int64_t sent_ms = loop_.UnixMillisNow();
  support::HttpClient& client = *clients_[(index + visits_[index]) % clients_.size()];
  const bool taken = client.Send(
      RequestOf(users_[index]), [this, index, sent_ms](const absl::StatusOr<support::Response>& r) {
        OnAnswer(index, sent_ms, r);
      });
  if (!taken) return false;
  ++visits_[index];
  ++outstanding_;
  tally_.Sent();
  return true;
}

void Crowd::OnAnswer(std::size_t index, std::int64_t sent_ms,
                     const absl::StatusOr<support::Response>& answer) {
  User& user = users_[index];
  const std::int64_t now_ms = loop_.UnixMillisNow();
  --outstanding_;
  if (answer.ok()) {
    const Answer kind = User::Classify(*answer);
    const std::string sent_cookie = user.cookie();
    const auto taken_out = user.Take(*answer, {.sent_ms = sent_ms, .answered_ms = now_ms});
    if (const auto line = tally_.Answered(kind, sent_ms, now_ms)) print_(*line);
    if (kind == Answer::kRefused) {
      if (const auto line = tally_.Refused(sent_cookie, now_ms)) print_(*line);
    }
    if (taken_out.has_value()) print_(tally_.TakenOutLine(*taken_out, index));
    const Millis wait = user.NextVisit(kind, RetryAfterOf(*answer), options_.habits, random_);
    ComeBack(index, kind == Answer::kPage ? wait + UntilAllHaveCome() : wait);
  } else {
    tally_.Failed(now_ms);
    ComeBack(index, user.NextVisit(Answer::kError, std::nullopt, options_.habits, random_));
  }
  if (ended_ && outstanding_ == 0) Finish();
}

Millis Crowd::UntilAllHaveCome() const {
  const auto left = first_visits_end_ - loop_.Now();
  return std::max(Millis(0), std::chrono::duration_cast<Millis>(left));
}

void Crowd::ComeBack(std::size_t index, std::chrono::milliseconds wait) {
  due_.emplace(loop_.Now() + wait, index);
}

support::Request Crowd::RequestOf(const User& user) {
  const std::uint32_t dice = static_cast<std::uint32_t>(random_()) % 100;
  const std::uint32_t product = 1 + static_cast<std::uint32_t>(random_()) % options_.products;
  support::Request request{.method = "GET",
                           .target = "/",
                           .headers = {{"Host", "shop.example"},
                                       {"User-Agent", "Mozilla/5.0 (loadgen)"},
                                       {"Accept", "text/html"},
                                       {"Sec-Fetch-Mode", "navigate"},
                                       {"Sec-Fetch-Dest", "document"}}};
  if (dice < static_cast<std::uint32_t>(options_.order_percent)) {
    request.target = fmt::format("/order?n={}", product);
  } else if (dice < 60) {
    request.target = fmt::format("/product/{}", product);
  }
  if (!user.cookie().empty()) request.headers.emplace_back("Cookie", user.cookie());
  return request;
}

Population Crowd::Count() const {
  Population population{.users = users_.size()};
  for (std::size_t i = 0; i < users_.size(); ++i) {
    population.seen += visits_[i] > 0 ? 1U : 0U;
    population.admitted_ever += users_[i].has_been_admitted() ? 1U : 0U;
    population.admitted_now += users_[i].is_admitted() ? 1U : 0U;
  }
  return population;
}

void Crowd::EndSecond() {
  print_(tally_.EndSecond(Count()));
  next_second_ += std::chrono::seconds(1);
}

void Crowd::Finish() {
  // The second that is not over yet counts too.
  print_(tally_.EndSecond(Count()));
  print_(tally_.Summary(Count(), loop_.UnixMillisNow()));
  ended_();
}

}  // namespace headgate::loadgen
