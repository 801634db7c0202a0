// Counts of the load generator, and the JSON lines that they become. Pure: time is given.
//   {"kind":"second", …}       one per second; "tenths" has [ok,errors,refused,failed] of each 100
//   ms
//   {"kind":"first_error", …}  an admitted request went wrong after at least a second without
//   {"kind":"taken_out", …}    somebody who had been admitted was refused
//   {"kind":"refused_lower", …} a customer was refused whose bucket is lower than those of all who
//                              were refused in this tenth of a second and the one before: the
//                              first refusal by a lowered share is among these
//   {"kind":"summary", …}      the last line
// ok and errors are answers to admitted requests (errors: a status of 500 or more), refused are the
// gate's own answers, failed had no answer at all. All times are Unix milliseconds.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bucket.h"
#include "tests/support/loadgen/user.h"

namespace headgate::loadgen {

// What the population looks like now.
struct Population {
  std::uint64_t users = 0;
  std::uint64_t seen = 0;
  // Distinct users who were admitted at least once.
  std::uint64_t admitted_ever = 0;
  // Users whose newest answer let them in.
  std::uint64_t admitted_now = 0;
};

class Tally {
 public:
  static constexpr std::int64_t kQuietBeforeFirstErrorMs = 1'000;
  static constexpr std::int64_t kTenthMs = 100;

  explicit Tally(std::int64_t started_ms) : started_ms_(started_ms), second_began_ms_(started_ms) {}

  void Sent() { ++second_.sent; }
  // A visit that was due and had to wait for a connection or for the rate's bound.
  void Late() { ++second_.late; }
  // The line to print, if this is a first error.
  std::optional<std::string> Answered(Answer answer, std::int64_t sent_ms, std::int64_t now_ms);
  void Failed(std::int64_t now_ms);
  std::string TakenOutLine(const TakenOut& taken_out, std::uint64_t user);
  // For each refusal; `cookie` is what was sent with it. The line to print, if it is a lower one.
  std::optional<std::string> Refused(const std::string& cookie, std::int64_t now_ms);

  // Call at each full second after the start: the line of the second that has just ended.
  std::string EndSecond(const Population& population);
  std::string Summary(const Population& population, std::int64_t now_ms) const;

 private:
  struct Tenth {
    std::uint64_t ok = 0;
    std::uint64_t errors = 0;
    std::uint64_t refused = 0;
    std::uint64_t failed = 0;
  };
  struct Counts {
    std::uint64_t sent = 0;
    std::uint64_t late = 0;
    std::uint64_t taken_out = 0;
    std::array<Tenth, 10> tenths{};
    // Milliseconds from request to answer, of admitted requests.
    std::vector<std::int64_t> took_ms;
  };

  Tenth& TenthOf(std::int64_t now_ms);
  static Tenth Sum(const Counts& counts);

  const std::int64_t started_ms_;
  std::int64_t second_began_ms_;
  std::optional<std::int64_t> last_error_ms_;
  // The lowest bucket refused in the newest tenth of a second and in the one before it.
  std::int64_t refused_tenth_ = 0;
  std::uint32_t lowest_refused_ = kBuckets;
  std::uint32_t lowest_refused_before_ = kBuckets;
  Counts second_;
  std::uint64_t sent_ = 0;
  std::uint64_t late_ = 0;
  std::uint64_t taken_out_ = 0;
  Tenth all_;
};

}  // namespace headgate::loadgen
