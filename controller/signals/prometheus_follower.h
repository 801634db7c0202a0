// Follows one Prometheus signal: polls once per `every`, at times that stay aligned to the first,
// so that the windows of a ratio never overlap; a poll that is missed is left out, never made up
// for. As Follower says.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <variant>

#include "common/base/clock.h"
#include "controller/signals/follower.h"
#include "controller/signals/http_fetcher.h"
#include "controller/signals/pause.h"

namespace headgate::signals {

class PrometheusFollower final : public Follower {
 public:
  using Query = std::variant<PrometheusRatioQuery, PrometheusValueQuery>;

  // `clock` must outlive it.
  PrometheusFollower(std::string signal, Query query, Sink sink, const Clock& clock);
  ~PrometheusFollower() override;

  // Nothing: a window that is not over cannot be counted earlier.
  void Refresh() override {}
  void Stop() override;
  bool HasEnded() const override { return has_ended_; }

 private:
  void Run();

  const std::string signal_;
  const Query query_;
  const Sink sink_;
  const Clock& clock_;
  HttpFetcher fetcher_;
  Pause pause_;
  std::atomic<bool> has_ended_ = false;
  std::thread thread_;
};

// The next of the times first, first + every, … that lies after both `last` and `now` - `every`: a
// late poll is made up for while its window is the newest, and skipped when it is not.
TimePoint NextPoll(TimePoint last, Duration every, TimePoint now);

}  // namespace headgate::signals
