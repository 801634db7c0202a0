// What the waiting page says of a person's return: for each band of buckets the share at which it
// comes in, and about when, in words that a load balancer only has to put in. Made by the agent
// from the controller's outlook; good for kForecastFor, so that an agent that died leaves no
// promise behind. Pure but for the file's: any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/outlook.h"
#include "common/base/share.h"

namespace headgate::agent {

inline constexpr Duration kForecastFor{60'000};
// A row that says that it is good for longer was written by another clock: it says nothing. Also in
// waiting.lua.
inline constexpr Duration kForecastLeftMax{120'000};
inline constexpr char kTimeZoneDefault[] = "UTC";

struct ForecastRow {
  // Buckets, both inclusive.
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  // Whole percent, rounded up: "50".
  std::string percent;
  // "18:25" and "CEST"; "-" where it is not known.
  std::string time = "-";
  std::string zone = "-";
  // For programs: "0.5", and RFC 3339 or "-".
  std::string ratio;
  std::string instant = "-";
  // From here on the row says nothing. Never after `instant`.
  TimePoint until;

  bool has_time() const { return time != "-"; }
  friend bool operator==(const ForecastRow&, const ForecastRow&) = default;
};

struct Forecast {
  // Ascending, without gaps between them; empty: nothing is known.
  std::vector<ForecastRow> rows;

  // Null where nothing is known of that bucket at that time.
  const ForecastRow* Find(std::uint32_t bucket, TimePoint wall_now) const;
  friend bool operator==(const Forecast&, const Forecast&) = default;
};

// INVALID_ARGUMENT: this machine knows no such time zone.
absl::Status CheckTimeZone(const std::string& name);

// `enforced`: who is in needs no row. Times are rounded up to whole minutes; one that has passed is
// not known. `zone`: as CheckTimeZone takes it, else UTC.
Forecast ForecastOf(const Outlook& outlook, Share enforced, const std::string& zone,
                    TimePoint wall_now);

// Where no row says more: the share at which the bucket is certainly in, in whole percent.
std::uint32_t OwnPercent(std::uint32_t bucket);

// Beside the share file; a map of HAProxy's from ranges of integers, which the others read too:
//   0:104857 10|18:25|CEST|0.1|2024-08-14T16:25:00Z|1723652760
std::string ForecastFileOf(const std::string& share_file);
std::string ForecastText(const Forecast& forecast);
// What stands in a row behind its buckets.
std::string ForecastValue(const ForecastRow& row);

// Writes it for everybody to read, without waiting for the disk: it is no state.
absl::Status WriteForecast(const std::string& path, const Forecast& forecast);

}  // namespace headgate::agent
