#include "agents/haproxy/forecast_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "agents/core/files.h"

namespace headgate::haproxy {
namespace {

constexpr std::string_view kCreated = "New version created: ";

std::string Row(const agent::ForecastRow& row) {
  return fmt::format("{}:{} {}", row.first, row.last, agent::ForecastValue(row));
}

}  // namespace

ForecastMap::ForecastMap(std::string path, const StatsSocket& socket)
    : path_(std::move(path)), socket_(socket) {}

absl::Status ForecastMap::Put(const agent::Forecast& forecast) const {
  const auto created = socket_.Ask({"prepare map " + path_});
  if (!created.ok()) return created.status();
  const std::size_t at = created->find(kCreated);
  if (at == std::string::npos) {
    return absl::NotFoundError(fmt::format(
        "HAProxy does not tell who waits when they return: it has not loaded the map {}; "
        "print the snippet again and paste it",
        path_));
  }
  const std::string version = created->substr(
      at + kCreated.size(),
      created->find_first_not_of("0123456789", at + kCreated.size()) - at - kCreated.size());
  std::vector<std::string> commands;
  for (const agent::ForecastRow& row : forecast.rows) {
    commands.push_back(fmt::format("add map @{} {} {}", version, path_, Row(row)));
  }
  commands.push_back(fmt::format("commit map @{} {}", version, path_));
  commands.push_back("show map " + path_);
  const auto answer = socket_.Ask(commands);
  if (!answer.ok()) return answer.status();
  const bool has_all =
      std::all_of(forecast.rows.begin(), forecast.rows.end(), [&](const agent::ForecastRow& row) {
        return answer->find(" " + Row(row) + "\n") != std::string::npos;
      });
  if (!has_all) {
    return absl::FailedPreconditionError(
        fmt::format("HAProxy did not take the forecast into its map {}", path_));
  }
  return absl::OkStatus();
}

absl::Status ForecastMap::MendFile() const {
  const absl::StatusOr<std::string> text = agent::ReadSmallFile(path_);
  if (text.ok() && *text == agent::ForecastText({})) return absl::OkStatus();
  return agent::WriteForecast(path_, {});
}

}  // namespace headgate::haproxy
