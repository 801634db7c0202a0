#include "agents/endpoint/access_log.h"

#include <charconv>

namespace headgate::endpoint {
namespace {

constexpr std::string_view kTag = "headgate: ";

std::string_view TakeWord(std::string_view& rest) {
  const std::size_t space = rest.find(' ');
  const std::string_view word = rest.substr(0, space);
  rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
  return word;
}

template <typename Number>
std::optional<Number> ParseWhole(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "0.003", as nginx writes times: seconds with exactly three digits behind the point.
std::optional<std::uint32_t> ParseMilliseconds(std::string_view text) {
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos || text.size() != point + 4) return std::nullopt;
  const auto seconds = ParseWhole<std::uint32_t>(text.substr(0, point));
  const auto rest = ParseWhole<std::uint32_t>(text.substr(point + 1));
  if (!seconds || !rest || *seconds > kRequestMillisecondsMax / 1000 - 1) return std::nullopt;
  return *seconds * 1000 + *rest;
}

}  // namespace

std::optional<Answered> ParseLogLine(std::string_view gate, std::string_view datagram) {
  const std::size_t tag = datagram.find(kTag);
  if (datagram.size() > kDatagramBytesMax || tag == std::string_view::npos) return std::nullopt;
  std::string_view rest = datagram.substr(tag + kTag.size());
  if (TakeWord(rest) != gate) return std::nullopt;
  Answered answered;
  const std::string_view verdict = TakeWord(rest);
  answered.is_bypass = verdict == "bypass";
  if (!answered.is_bypass && verdict != "in") return std::nullopt;
  const auto status = ParseWhole<int>(TakeWord(rest));
  const auto ms = ParseMilliseconds(TakeWord(rest));
  if (!status || *status < 100 || *status > 599 || !ms) return std::nullopt;
  answered.status = *status;
  answered.ms = *ms;
  const bool is_gateways = *status == 502 || *status == 504;
  answered.is_unanswered = is_gateways && rest.find('-') != std::string_view::npos;
  return answered;
}

AnswerCounts::AnswerCounts(const std::vector<std::uint32_t>& slow_ms)
    : slow_ms_(slow_ms), slow_(slow_ms.size()) {}

void AnswerCounts::Take(std::string_view gate, std::string_view datagram) {
  if (const auto answered = ParseLogLine(gate, datagram)) {
    Count(*answered);
  } else {
    ++garbled_;
  }
}

void AnswerCounts::Count(const Answered& answered) {
  // First what it is part of: no reader may find more bad answers than answers.
  if (answered.is_bypass) ++bypassed_;
  if (answered.is_bypass && answered.status >= 500) ++bypassed_5xx_;
  ++answered_;
  if (answered.status >= 500) ++http_5xx_;
  if (answered.is_unanswered) ++connection_errors_;
  for (std::size_t i = 0; i < slow_ms_.size() && !answered.is_bypass; ++i) {
    if (answered.ms >= slow_ms_[i]) ++slow_[i];
  }
}

AnswerCounts::Values AnswerCounts::values() const {
  Values values;
  for (std::size_t i = 0; i < slow_ms_.size(); ++i) values.slow[slow_ms_[i]] = slow_[i];
  values.connection_errors = connection_errors_;
  values.http_5xx = http_5xx_;
  values.answered = answered_;
  values.bypassed_5xx = bypassed_5xx_;
  values.bypassed = bypassed_;
  values.garbled = garbled_;
  return values;
}

}  // namespace headgate::endpoint
