#include "tests/support/shop/shop_config.h"

#include <charconv>
#include <sstream>

#include "fmt/format.h"

namespace headgate::shop {
namespace {

absl::StatusOr<int> ParseNumber(const std::string& name, const std::string& value, int min,
                                int max) {
  int number = 0;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc() || stop != end || number < min || number > max) {
    return absl::InvalidArgumentError(
        fmt::format("{} {}: must be a number from {} to {}", name, value, min, max));
  }
  return number;
}

// One number of the file and where it goes.
struct NumberField {
  const char* name;
  int min;
  int max;
  void (*set)(ShopConfig& config, int number);
};

constexpr NumberField kNumberFields[] = {
    {"pool", 1, ShopConfig::kPoolMax, [](ShopConfig& config, int n) { config.pool = n; }},
    {"hold_ms", 0, ShopConfig::kMillisMax,
     [](ShopConfig& config, int n) { config.hold = std::chrono::milliseconds(n); }},
    {"queue", 0, ShopConfig::kQueueMax, [](ShopConfig& config, int n) { config.queue = n; }},
    {"queue_timeout_ms", 1, ShopConfig::kMillisMax,
     [](ShopConfig& config, int n) { config.queue_timeout = std::chrono::milliseconds(n); }},
    {"release", 1, 2, [](ShopConfig& config, int n) { config.release = n; }},
    {"fail_percent", 0, 100, [](ShopConfig& config, int n) { config.fail_percent = n; }},
};

absl::Status ParseReplica(const std::string& value, ShopConfig& config) {
  const auto space = value.find(' ');
  if (space == std::string::npos || space == 0) {
    return absl::InvalidArgumentError(
        fmt::format("replica {}: write `replica NAME CONNECTION_STRING`", value));
  }
  if (config.replicas.size() == ShopConfig::kReplicasMax) {
    return absl::InvalidArgumentError(fmt::format(
        "replica {}: at most {} replicas", value.substr(0, space), ShopConfig::kReplicasMax));
  }
  config.replicas.push_back({.name = value.substr(0, space), .dsn = value.substr(space + 1)});
  return absl::OkStatus();
}

absl::Status ParseLine(const std::string& line, ShopConfig& config) {
  const auto space = line.find(' ');
  const std::string name = line.substr(0, space);
  const std::string value = space == std::string::npos ? "" : line.substr(space + 1);
  if (name == "replica") return ParseReplica(value, config);
  if (name == "orders") {
    config.orders_dsn = value;
    return absl::OkStatus();
  }
  for (const NumberField& field : kNumberFields) {
    if (name != field.name) continue;
    auto number = ParseNumber(name, value, field.min, field.max);
    if (!number.ok()) return number.status();
    field.set(config, *number);
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(fmt::format("unknown setting {}", name));
}

}  // namespace

absl::StatusOr<ShopConfig> ShopConfig::Parse(std::string_view text) {
  ShopConfig config;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.empty() || line.front() == '#') continue;
    if (auto status = ParseLine(line, config); !status.ok()) {
      return absl::InvalidArgumentError(
          fmt::format("line {}: {}", number, std::string(status.message())));
    }
  }
  if (config.replicas.empty()) return absl::InvalidArgumentError("no replica: at least one");
  if (config.orders_dsn.empty()) {
    return absl::InvalidArgumentError("no `orders CONNECTION_STRING` line");
  }
  return config;
}

}  // namespace headgate::shop
