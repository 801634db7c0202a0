#include "controller/signals/prometheus_follower.h"

#include <algorithm>
#include <utility>

#include "controller/signals/prometheus_poll.h"

namespace headgate::signals {
namespace {

// `every` is a plan's, and was checked there; a poll per millisecond would still be an attack.
constexpr Duration kEveryMin{1'000};

}  // namespace

TimePoint NextPoll(TimePoint last, Duration every, TimePoint now) {
  const std::int64_t missed = std::max<std::int64_t>(0, (now - last) / every - 1);
  return last + every * (missed + 1);
}

PrometheusFollower::PrometheusFollower(std::string signal, Query query, Sink sink,
                                       const Clock& clock)
    : signal_(std::move(signal)),
      query_(std::move(query)),
      sink_(std::move(sink)),
      clock_(clock),
      thread_([this] { Run(); }) {}

PrometheusFollower::~PrometheusFollower() {
  Stop();
  thread_.join();
}

void PrometheusFollower::Stop() {
  pause_.Stop();
  fetcher_.Interrupt();
}

void PrometheusFollower::Run() {
  const Duration every =
      std::max(kEveryMin, std::visit([](const auto& query) { return query.every; }, query_));
  TimePoint at = clock_.Now();
  do {
    Reading reading = std::visit(
        [&](const auto& query) { return Poll(signal_, query, at, fetcher_, clock_); }, query_);
    if (pause_.IsStopped()) break;
    sink_(std::move(reading));
    at = NextPoll(at, every, clock_.Now());
  } while (pause_.Until(at, clock_));
  has_ended_ = true;
}

}  // namespace headgate::signals
