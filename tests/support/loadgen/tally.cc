#include "tests/support/loadgen/tally.h"

#include <algorithm>

#include "fmt/format.h"

namespace headgate::loadgen {
namespace {

std::int64_t Quantile(std::vector<std::int64_t>& values, std::size_t percent) {
  if (values.empty()) return 0;
  const std::size_t index = std::min(values.size() * percent / 100, values.size() - 1);
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(index),
                   values.end());
  return values[index];
}

std::uint32_t BucketOfCookie(const std::string& cookie) {
  // The key is the cookie's whole raw value.
  return BucketOf(cookie.substr(cookie.find('=') + 1));
}

}  // namespace

std::optional<std::string> Tally::Answered(Answer answer, std::int64_t sent_ms,
                                           std::int64_t now_ms) {
  Tenth& tenth = TenthOf(now_ms);
  if (answer == Answer::kRefused) {
    ++tenth.refused;
    return std::nullopt;
  }
  second_.took_ms.push_back(now_ms - sent_ms);
  if (answer == Answer::kPage) {
    ++tenth.ok;
    return std::nullopt;
  }
  ++tenth.errors;
  const bool is_first = now_ms - last_error_ms_.value_or(0) >= kQuietBeforeFirstErrorMs;
  last_error_ms_ = now_ms;
  if (!is_first) return std::nullopt;
  return fmt::format("{{\"kind\":\"first_error\",\"at_ms\":{}}}", now_ms);
}

void Tally::Failed(std::int64_t now_ms) { ++TenthOf(now_ms).failed; }

std::string Tally::TakenOutLine(const TakenOut& taken_out, std::uint64_t user) {
  ++second_.taken_out;
  return fmt::format(
      "{{\"kind\":\"taken_out\",\"user\":{},\"bucket\":{},\"admitted_sent_ms\":{},"
      "\"refused_sent_ms\":{},\"refused_ms\":{}}}",
      user, BucketOfCookie(taken_out.cookie), taken_out.admitted_sent_ms, taken_out.refused_sent_ms,
      taken_out.refused_ms);
}

std::optional<std::string> Tally::Refused(const std::string& cookie, std::int64_t now_ms) {
  if (cookie.empty()) return std::nullopt;
  if (const std::int64_t tenth = now_ms / kTenthMs; tenth != refused_tenth_) {
    lowest_refused_before_ = tenth == refused_tenth_ + 1 ? lowest_refused_ : kBuckets;
    lowest_refused_ = kBuckets;
    refused_tenth_ = tenth;
  }
  const std::uint32_t bucket = BucketOfCookie(cookie);
  const bool is_lower = bucket < std::min(lowest_refused_, lowest_refused_before_);
  lowest_refused_ = std::min(lowest_refused_, bucket);
  if (!is_lower) return std::nullopt;
  return fmt::format("{{\"kind\":\"refused_lower\",\"at_ms\":{},\"bucket\":{}}}", now_ms, bucket);
}

std::string Tally::EndSecond(const Population& population) {
  const Tenth sum = Sum(second_);
  std::string tenths;
  for (const Tenth& tenth : second_.tenths) {
    tenths += fmt::format("{}[{},{},{},{}]", tenths.empty() ? "" : ",", tenth.ok, tenth.errors,
                          tenth.refused, tenth.failed);
  }
  std::string line = fmt::format(
      "{{\"kind\":\"second\",\"at_ms\":{},\"second\":{},\"sent\":{},\"ok\":{},\"errors\":{},"
      "\"refused\":{},\"failed\":{},\"late\":{},\"taken_out\":{},\"p50_ms\":{},\"p99_ms\":{},"
      "\"users_seen\":{},\"admitted_ever\":{},\"admitted_now\":{},\"tenths\":[{}]}}",
      second_began_ms_, (second_began_ms_ - started_ms_) / 1000, second_.sent, sum.ok, sum.errors,
      sum.refused, sum.failed, second_.late, second_.taken_out, Quantile(second_.took_ms, 50),
      Quantile(second_.took_ms, 99), population.seen, population.admitted_ever,
      population.admitted_now, tenths);
  sent_ += second_.sent;
  late_ += second_.late;
  taken_out_ += second_.taken_out;
  all_ = {.ok = all_.ok + sum.ok,
          .errors = all_.errors + sum.errors,
          .refused = all_.refused + sum.refused,
          .failed = all_.failed + sum.failed};
  second_ = Counts{};
  second_began_ms_ += 1000;
  return line;
}

std::string Tally::Summary(const Population& population, std::int64_t now_ms) const {
  return fmt::format(
      "{{\"kind\":\"summary\",\"at_ms\":{},\"seconds\":{},\"users\":{},\"users_seen\":{},"
      "\"admitted_ever\":{},\"admitted_now\":{},\"sent\":{},\"ok\":{},\"errors\":{},"
      "\"refused\":{},\"failed\":{},\"late\":{},\"taken_out\":{}}}",
      now_ms, (now_ms - started_ms_) / 1000, population.users, population.seen,
      population.admitted_ever, population.admitted_now, sent_, all_.ok, all_.errors, all_.refused,
      all_.failed, late_, taken_out_);
}

Tally::Tenth& Tally::TenthOf(std::int64_t now_ms) {
  // The second's line may be written a little late: what came meanwhile is the last tenth's.
  const std::int64_t index = (now_ms - second_began_ms_) / kTenthMs;
  return second_.tenths[static_cast<std::size_t>(std::clamp<std::int64_t>(index, 0, 9))];
}

Tally::Tenth Tally::Sum(const Counts& counts) {
  Tenth sum;
  for (const Tenth& tenth : counts.tenths) {
    sum.ok += tenth.ok;
    sum.errors += tenth.errors;
    sum.refused += tenth.refused;
    sum.failed += tenth.failed;
  }
  return sum;
}

}  // namespace headgate::loadgen
