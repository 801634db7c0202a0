// What a source of measurements posts. Signals fetch and post; they judge nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/clock.h"
#include "controller/database/data_rounds.h"
#include "controller/database/inventory.h"

namespace headgate::signals {

// Two PromQL instant queries; see PrometheusRatio in plan.proto.
struct PrometheusRatioQuery {
  std::string url;
  std::string bad;
  std::string total;
  Duration every{30'000};
  bool bad_absent_is_zero = false;
  std::string sampled_by;
  friend bool operator==(const PrometheusRatioQuery&, const PrometheusRatioQuery&) = default;
};

struct PrometheusValueQuery {
  std::string url;
  std::string query;
  Duration every{5'000};
  std::string sampled_by;
  friend bool operator==(const PrometheusValueQuery&, const PrometheusValueQuery&) = default;
};

struct DatabaseWatch {
  database::Inventory inventory;
  Duration look_every{1'000};
  Duration fingerprint_every{30'000};
  // Unset: rows are not compared.
  std::optional<database::RollingOptions> data{};
  friend bool operator==(const DatabaseWatch&, const DatabaseWatch&) = default;
};

// A signal is followed under a name that its readings carry, e.g. "shop/payments".
struct SignalSpec {
  std::string name;
  std::variant<PrometheusRatioQuery, PrometheusValueQuery, DatabaseWatch> source;
  friend bool operator==(const SignalSpec&, const SignalSpec&) = default;
};

// Counts over one window, disjoint from the window of the reading before.
struct RatioReading {
  std::uint64_t bad = 0;
  std::uint64_t total = 0;
};
struct ValueReading {
  double value = 0;
};
struct DatabaseReading {
  database::Report report;
};
// The source is silent or answers nonsense. Never good data.
struct NoReading {
  // For people: "prometheus at http://…: 503 Service Unavailable", "NaN", "3 series where one was
  // expected", "empty answer", "newest sample is 95 s old".
  std::string why;
};

struct Reading {
  std::string signal;
  // When the measurement was true, not when it arrived.
  TimePoint observed_at;
  std::variant<RatioReading, ValueReading, DatabaseReading, NoReading> value;
};

}  // namespace headgate::signals
