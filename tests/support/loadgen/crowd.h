// All customers: who comes when, over which load balancer, and what became of it. It lives on its
// event loop's thread. Visits are open-loop: nobody waits for somebody else's answer. Two bounds
// protect the machine, both told as "late": connections per load balancer, and requests per second.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/loadgen/tally.h"
#include "tests/support/loadgen/user.h"
#include "tests/support/net/event_loop.h"
#include "tests/support/net/http_client.h"

namespace headgate::loadgen {

class Crowd {
 public:
  struct Options {
    // On 127.0.0.1. A customer's visits go to them in turn, so that all see the same customers.
    std::vector<std::uint16_t> ports;
    std::size_t users = 20'000;
    std::uint32_t requests_per_second_max = 2'000;
    std::size_t connections_per_port = 1'000;
    std::chrono::milliseconds timeout{5'000};
    int order_percent = 10;
    std::uint32_t products = 500;
    std::uint32_t seed = 1;
    Habits habits;
  };
  static constexpr std::chrono::milliseconds kTick{2};
  static constexpr std::chrono::milliseconds kTryAgain{50};

  // `print` takes each JSON line, without its newline.
  Crowd(support::EventLoop& loop, Options options, std::function<void(const std::string&)> print);

  // The first visits are spread over one mean think time, and second ones come after it: so the
  // rate is the same from the start, and everybody has been there once by then.
  void Start();
  // No further visits; `then` is called when all answers are in, and the summary is printed.
  void End(std::function<void()> then);

 private:
  using Due = std::pair<support::EventLoop::Instant, std::size_t>;

  void Tick();
  bool Visit(std::size_t index);
  void OnAnswer(std::size_t index, std::int64_t sent_ms,
                const absl::StatusOr<support::Response>& answer);
  Millis UntilAllHaveCome() const;
  void ComeBack(std::size_t index, std::chrono::milliseconds wait);
  support::Request RequestOf(const User& user);
  Population Count() const;
  void EndSecond();
  void Finish();

  support::EventLoop& loop_;
  const Options options_;
  const std::function<void(const std::string&)> print_;
  std::mt19937 random_;
  std::vector<std::unique_ptr<support::HttpClient>> clients_;
  std::vector<User> users_;
  std::vector<std::uint32_t> visits_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  support::EventLoop::Instant next_second_;
  support::EventLoop::Instant last_tick_;
  support::EventLoop::Instant first_visits_end_;
  double allowance_ = 0;
  std::size_t outstanding_ = 0;
  std::function<void()> ended_;
  Tally tally_;
};

}  // namespace headgate::loadgen
