#include "agents/core/forecast.h"

#include <absl/time/time.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "agents/core/files.h"
#include "common/base/bucket.h"

namespace headgate::agent {
namespace {

constexpr std::uint32_t kPpmOfPercent = 10'000;

absl::TimeZone ZoneOf(const std::string& name) {
  absl::TimeZone zone;
  return absl::LoadTimeZone(name, &zone) ? zone : absl::UTCTimeZone();
}

// "0.5", "0.025".
std::string RatioOf(Share share) {
  if (share == Share::All()) return "1";
  std::string text = fmt::format("0.{:06}", share.ppm());
  while (text.back() == '0') text.pop_back();
  return text.back() == '.' ? "0" : text;
}

// Some zones are named by their offset alone ("-03"); a page needs letters or digits and no more.
std::string Plain(const std::string& text) {
  const bool is_plain = !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '+' || c == '-';
  });
  return is_plain ? text : "UTC";
}

void PutTime(ForecastRow& row, TimePoint at, const absl::TimeZone& zone) {
  const absl::Time time = absl::FromUnixMillis(UnixMillis(at));
  row.time = absl::FormatTime("%H:%M", time, zone);
  row.zone = Plain(absl::FormatTime("%Z", time, zone));
  row.instant = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
  row.until = std::min(row.until, at);
}

}  // namespace

const ForecastRow* Forecast::Find(std::uint32_t bucket, TimePoint wall_now) const {
  for (const ForecastRow& row : rows) {
    if (bucket < row.first || bucket > row.last) continue;
    const Duration left = row.until - wall_now;
    return left > Duration(0) && left <= kForecastLeftMax ? &row : nullptr;
  }
  return nullptr;
}

absl::Status CheckTimeZone(const std::string& name) {
  absl::TimeZone zone;
  if (absl::LoadTimeZone(name, &zone)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("'{}' is no time zone of this machine: write a name as in Europe/Berlin (of "
                  "Debian's package tzdata), or UTC",
                  name));
}

Forecast ForecastOf(const Outlook& outlook, Share enforced, const std::string& zone,
                    TimePoint wall_now) {
  const absl::TimeZone local = ZoneOf(zone);
  Forecast forecast;
  std::uint32_t first = enforced.Width();
  for (const Return& told : outlook.returns) {
    if (told.share.Width() <= first) continue;
    ForecastRow row{.first = first, .last = told.share.Width() - 1};
    row.percent = fmt::format("{}", (told.share.ppm() + kPpmOfPercent - 1) / kPpmOfPercent);
    row.ratio = RatioOf(told.share);
    row.until = wall_now + kForecastFor;
    if (told.at) {
      const TimePoint minute = std::chrono::ceil<std::chrono::minutes>(*told.at);
      if (minute > wall_now) PutTime(row, minute, local);
    }
    first = told.share.Width();
    forecast.rows.push_back(std::move(row));
  }
  return forecast;
}

std::uint32_t OwnPercent(std::uint32_t bucket) {
  return static_cast<std::uint32_t>(std::uint64_t{bucket} * 100 / kBuckets) + 1;
}

std::string ForecastFileOf(const std::string& share_file) { return share_file + ".forecast"; }

std::string ForecastValue(const ForecastRow& row) {
  return fmt::format("{}|{}|{}|{}|{}|{}", row.percent, row.time, row.zone, row.ratio, row.instant,
                     UnixMillis(row.until) / 1000);
}

std::string ForecastText(const Forecast& forecast) {
  std::string text = "# Written by headgate-agent: what people who wait are told. Do not edit.\n";
  for (const ForecastRow& row : forecast.rows) {
    text += fmt::format("{}:{} {}\n", row.first, row.last, ForecastValue(row));
  }
  return text;
}

absl::Status WriteForecast(const std::string& path, const Forecast& forecast) {
  if (absl::Status written = ReplaceFile(path, ForecastText(forecast)); !written.ok()) {
    return written;
  }
  // The load balancer reads it, maybe as another user; it holds no secret.
  chmod(path.c_str(), 0644);
  return absl::OkStatus();
}

}  // namespace headgate::agent
