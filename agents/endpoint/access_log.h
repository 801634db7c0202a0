// What nginx's access log tells, line by line: status and time of the answers to users who were
// admitted. Each line is a datagram by itself: one that is lost or garbled is one answer that is
// not counted, and nothing else. Parsing is pure; the counts are thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headgate::endpoint {

inline constexpr std::size_t kDatagramBytesMax = 512;
// Longer is no request's time, but somebody's mistake.
inline constexpr std::uint32_t kRequestMillisecondsMax = 24 * 3600 * 1000;

struct Answered {
  bool is_bypass = false;
  int status = 0;
  std::uint32_t ms = 0;
  // No header came from the application: nobody answered, or too late.
  bool is_unanswered = false;
};

// "<190>Nov 26 04:47:27 headgate: shop in 200 0.003 0.002", as the snippet's log_format has it:
// gate, verdict, status, request time, and the times to the application's header (several of
// retries).
std::optional<Answered> ParseLogLine(std::string_view gate, std::string_view datagram);

class AnswerCounts {
 public:
  // Ascending.
  explicit AnswerCounts(const std::vector<std::uint32_t>& slow_ms);

  void Take(std::string_view gate, std::string_view datagram);

  struct Values {
    std::uint64_t answered = 0;
    std::uint64_t http_5xx = 0;
    std::uint64_t connection_errors = 0;
    std::uint64_t bypassed = 0;
    std::uint64_t bypassed_5xx = 0;
    // Datagrams that were no line of this gate's.
    std::uint64_t garbled = 0;
    std::map<std::uint32_t, std::uint64_t> slow;
  };
  Values values() const;

 private:
  void Count(const Answered& answered);

  const std::vector<std::uint32_t> slow_ms_;
  std::atomic<std::uint64_t> answered_{0};
  std::atomic<std::uint64_t> http_5xx_{0};
  std::atomic<std::uint64_t> connection_errors_{0};
  std::atomic<std::uint64_t> bypassed_{0};
  std::atomic<std::uint64_t> bypassed_5xx_{0};
  std::atomic<std::uint64_t> garbled_{0};
  std::vector<std::atomic<std::uint64_t>> slow_;
};

}  // namespace headgate::endpoint
