#include "controller/signals/prometheus.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "common/base/duration.h"
#include "controller/database/dsn.h"

namespace headgate::signals {
namespace {

using nlohmann::json;

// What a server wrote, fit to be shown.
std::string Shown(std::string text) { return database::ScrubServerText(std::move(text), {}); }

std::string TextAt(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

absl::Status NotUnderstood() {
  return absl::InvalidArgumentError("its JSON is not that of an instant query");
}

absl::Status RefuseNonJson(const HttpAnswer& answer) {
  const std::size_t first = answer.body.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return absl::InvalidArgumentError("its answer has no body");
  if (answer.body[first] == '<') {
    return absl::InvalidArgumentError(
        "it answered with HTML instead of JSON: is that a login page or a proxy?");
  }
  return absl::InvalidArgumentError(
      fmt::format("its answer of {} bytes is not JSON, or was cut off", answer.body.size()));
}

absl::StatusOr<double> ReadNumber(const std::string& text) {
  if (text == "NaN") return absl::InvalidArgumentError("the value is NaN (0/0?)");
  if (text == "+Inf" || text == "-Inf" || text == "Inf") {
    return absl::InvalidArgumentError(fmt::format("the value is {} (divided by 0?)", text));
  }
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
    return absl::InvalidArgumentError(fmt::format("the value '{}' is not a number", Shown(text)));
  }
  return number;
}

// [time, "number"].
absl::StatusOr<std::optional<double>> ReadSample(const json& sample) {
  if (!sample.is_array() || sample.size() != 2 || !sample[1].is_string()) return NotUnderstood();
  const auto number = ReadNumber(sample[1].get<std::string>());
  if (!number.ok()) return number.status();
  return *number;
}

}  // namespace

absl::StatusOr<std::optional<double>> ParseInstantAnswer(const HttpAnswer& answer) {
  const json parsed = json::parse(answer.body, nullptr, /*allow_exceptions=*/false);
  if (answer.status >= 300 && answer.status < 400) {
    return absl::InvalidArgumentError(fmt::format(
        "it redirects ({}): write the address that it redirects to", Shown(answer.status_line)));
  }
  if (answer.status != 200) {
    const std::string reason = parsed.is_object() ? TextAt(parsed, "error") : "";
    return absl::UnavailableError(fmt::format("{}{}{}", Shown(answer.status_line),
                                              reason.empty() ? "" : ": ", Shown(reason)));
  }
  if (parsed.is_discarded()) return RefuseNonJson(answer);
  if (!parsed.is_object()) return NotUnderstood();
  if (TextAt(parsed, "status") != "success") {
    return absl::UnavailableError(fmt::format("it reports status '{}': {}",
                                              Shown(TextAt(parsed, "status")),
                                              Shown(TextAt(parsed, "error"))));
  }
  const auto warnings = parsed.find("warnings");
  if (warnings != parsed.end() && !warnings->empty()) {
    return absl::UnavailableError(
        fmt::format("its answer may be partial: {}",
                    Shown(warnings->dump(-1, ' ', false, json::error_handler_t::replace))));
  }
  const auto data = parsed.find("data");
  if (data == parsed.end() || !data->is_object()) return NotUnderstood();
  const auto result = data->find("result");
  if (result == data->end() || !result->is_array()) return NotUnderstood();
  const std::string type = TextAt(*data, "resultType");
  if (type == "scalar") return ReadSample(*result);
  if (type != "vector") {
    return absl::InvalidArgumentError(fmt::format(
        "the query gives a {}, not one number: is a function such as sum(increase(…)) missing?",
        Shown(type)));
  }
  if (result->empty()) return std::optional<double>();
  if (result->size() > 1) {
    return absl::InvalidArgumentError(fmt::format(
        "{} series where one was expected: aggregate them, as in sum(…)", result->size()));
  }
  const json& series = result->front();
  if (!series.is_object() || !series.contains("value")) return NotUnderstood();
  return ReadSample(series["value"]);
}

absl::Status CheckClock(const HttpAnswer& answer, TimePoint now) {
  if (!answer.date.has_value()) return absl::OkStatus();
  const Duration skew = *answer.date - now;
  if (std::chrono::abs(skew) <= kClockSkewMax) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "its clock is {} {} ours, over {}: synchronise them", FormatDuration(std::chrono::abs(skew)),
      skew > Duration(0) ? "ahead of" : "behind", FormatDuration(kClockSkewMax)));
}

std::string InstantQueryForm(const std::string& query, TimePoint at) {
  const std::int64_t millis = UnixMillis(at);
  return fmt::format("query={}&time={}.{:03}", HttpFetcher::Escape(query), millis / 1'000,
                     millis % 1'000);
}

}  // namespace headgate::signals
