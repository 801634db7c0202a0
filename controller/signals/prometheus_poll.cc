#include "controller/signals/prometheus_poll.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "common/base/duration.h"
#include "controller/signals/prometheus.h"

namespace headgate::signals {
namespace {

// The questions of one poll, at one address, at one time, under one deadline.
class Questioner {
 public:
  Questioner(const std::string& url, TimePoint at, Duration every, HttpFetcher& fetcher,
             const Clock& clock)
      : url_(url),
        at_(at),
        every_(every),
        deadline_(clock.Now() + std::min(kPollMax, every)),
        fetcher_(fetcher),
        clock_(clock) {}

  // nullopt: no series. `what` is how the query is called in an error.
  absl::StatusOr<std::optional<double>> Ask(const char* what, const std::string& query) {
    if (url_.empty()) {
      return absl::InvalidArgumentError(
          "no Prometheus is known: write `prometheus:` in the plan or start headgated with "
          "--prometheus-url");
    }
    std::string base = url_;
    while (!base.empty() && base.back() == '/') base.pop_back();
    const Duration patience = std::max(Duration(1), deadline_ - clock_.Now());
    const auto answer =
        fetcher_.Post(base + "/api/v1/query", InstantQueryForm(query, at_), patience);
    if (!answer.ok()) return Told(what, answer.status());
    auto value = ParseInstantAnswer(*answer);
    if (!value.ok()) return Told(what, value.status());
    if (const absl::Status status = CheckClock(*answer, clock_.Now()); !status.ok()) {
      return Told(what, status);
    }
    return value;
  }

  // Exactly one number.
  absl::StatusOr<double> AskOne(const char* what, const std::string& query) {
    const auto value = Ask(what, query);
    if (!value.ok()) return value.status();
    if (!value->has_value()) {
      return Told(what, absl::NotFoundError(fmt::format("empty answer to {}", query)));
    }
    return **value;
  }

  // When the newest sample was taken; the time of the poll if nobody says by what to tell.
  absl::StatusOr<TimePoint> SampledAt(const std::string& selector) {
    if (selector.empty()) return at_;
    const auto seconds = AskOne("sampled_by", fmt::format("max(timestamp({}))", selector));
    if (!seconds.ok()) return seconds.status();
    // Dates far beyond any sensible one would not fit a TimePoint.
    if (*seconds < 0 || *seconds > 1e11) {
      return Told("sampled_by", absl::InvalidArgumentError("its time is nonsense"));
    }
    const TimePoint sampled = FromUnixMillis(std::llround(*seconds * 1'000));
    const Duration age = at_ - sampled;
    if (age > 2 * every_) {
      return Told("sampled_by", absl::UnavailableError(fmt::format(
                                    "its newest sample is {} old, over {} (twice `every`)",
                                    FormatDuration(age), FormatDuration(2 * every_))));
    }
    return std::min(sampled, at_);
  }

  absl::Status Told(const char* what, const absl::Status& status) const {
    return {status.code(), fmt::format("prometheus at {}: {}: {}", UrlForPeople(url_), what,
                                       std::string(status.message()))};
  }

 private:
  const std::string& url_;
  const TimePoint at_;
  const Duration every_;
  const TimePoint deadline_;
  HttpFetcher& fetcher_;
  const Clock& clock_;
};

Reading Nothing(const std::string& signal, TimePoint at, const absl::Status& why) {
  return {signal, at, NoReading{std::string(why.message())}};
}

absl::StatusOr<double> AskBad(const PrometheusRatioQuery& query, Questioner& questioner) {
  if (!query.bad_absent_is_zero) return questioner.AskOne("bad", query.bad);
  const auto bad = questioner.Ask("bad", query.bad);
  if (!bad.ok()) return bad.status();
  return bad->value_or(0);
}

// increase() extrapolates to the edges of its window, so counts come with fractions.
absl::StatusOr<std::uint64_t> ToCount(const char* what, double number,
                                      const Questioner& questioner) {
  if (number < 0 || number > kCountMax) {
    return questioner.Told(
        what, absl::InvalidArgumentError(fmt::format("{:g} is not a count of events", number)));
  }
  return static_cast<std::uint64_t>(std::llround(number));
}

}  // namespace

Reading Poll(const std::string& signal, const PrometheusRatioQuery& query, TimePoint at,
             HttpFetcher& fetcher, const Clock& clock) {
  Questioner questioner(query.url, at, query.every, fetcher, clock);
  const auto total = questioner.AskOne("total", query.total);
  if (!total.ok()) return Nothing(signal, at, total.status());
  const auto bad = AskBad(query, questioner);
  if (!bad.ok()) return Nothing(signal, at, bad.status());
  const auto sampled_at = questioner.SampledAt(query.sampled_by);
  if (!sampled_at.ok()) return Nothing(signal, at, sampled_at.status());
  const auto total_count = ToCount("total", *total, questioner);
  if (!total_count.ok()) return Nothing(signal, at, total_count.status());
  const auto bad_count = ToCount("bad", *bad, questioner);
  if (!bad_count.ok()) return Nothing(signal, at, bad_count.status());
  if (*bad_count > *total_count) {
    return Nothing(signal, at,
                   questioner.Told("bad", absl::InvalidArgumentError(fmt::format(
                                              "{} bad events of {} in total: the two queries do "
                                              "not count the same thing",
                                              *bad_count, *total_count))));
  }
  return {signal, *sampled_at, RatioReading{.bad = *bad_count, .total = *total_count}};
}

Reading Poll(const std::string& signal, const PrometheusValueQuery& query, TimePoint at,
             HttpFetcher& fetcher, const Clock& clock) {
  Questioner questioner(query.url, at, query.every, fetcher, clock);
  const auto value = questioner.AskOne("query", query.query);
  if (!value.ok()) return Nothing(signal, at, value.status());
  const auto sampled_at = questioner.SampledAt(query.sampled_by);
  if (!sampled_at.ok()) return Nothing(signal, at, sampled_at.status());
  return {signal, *sampled_at, ValueReading{.value = *value}};
}

}  // namespace headgate::signals
