#include "agents/haproxy/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "agents/core/files.h"
#include "agents/core/forecast.h"
#include "agents/core/share_store.h"
#include "agents/haproxy/answers.h"
#include "agents/haproxy/stats_socket.h"
#include "agents/haproxy/tracking.h"

namespace headgate::haproxy {
namespace {

std::string Words(const absl::Status& status) { return std::string(status.message()); }

// The last part of a path.
std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// The paths in `show map`, each in parentheses.
std::vector<std::string> LoadedMaps(const std::string& answer) {
  std::vector<std::string> maps;
  std::istringstream lines(answer);
  std::string line;
  while (std::getline(lines, line)) {
    const std::size_t from = line.find('(');
    const std::size_t to = line.find(')');
    if (line.front() == '#' || from == std::string::npos || to == std::string::npos) continue;
    maps.push_back(line.substr(from + 1, to - from - 1));
  }
  return maps;
}

class GateCheck {
 public:
  explicit GateCheck(const Settings& settings) : settings_(settings), socket_(settings.socket) {}

  std::vector<std::string> Run() {
    CheckFile();
    if (!CheckSocket() || !CheckMap()) return std::move(findings_);
    CheckCounters();
    CheckProbe();
    return std::move(findings_);
  }

 private:
  void Find(std::string words) { findings_.push_back(settings_.gate + ": " + std::move(words)); }

  void CheckFile() {
    const char make_it[] = "headgate-agent snippet haproxy … --write-map";
    for (std::string& words : agent::CheckShareFile(settings_.map, make_it)) {
      Find(std::move(words));
    }
    const std::string forecast = agent::ForecastFileOf(settings_.map);
    const auto text = agent::ReadSmallFile(forecast);
    if (text.ok() && *text == agent::ForecastText({})) return;
    Find(
        fmt::format("{} is missing or says what HAProxy may not start with: a running agent mends "
                    "this within a second, and so does `{}`",
                    forecast, make_it));
  }

  bool CheckSocket() {
    const auto info = socket_.Ask({"show info"});
    if (!info.ok()) {
      Find(
          fmt::format("{}: does HAProxy run? If it does, write `stats socket {} mode 660 level "
                      "admin` into its `global`, and let the agent's user reach it",
                      Words(info.status()), settings_.socket));
      return false;
    }
    if (const auto process = ParseInfo(*info); !process.ok()) {
      Find(fmt::format("{} is not HAProxy's stats socket: {}", settings_.socket,
                       Words(process.status())));
      return false;
    }
    const auto level = socket_.Ask({"show cli level"});
    if (level.ok() && level->find("admin") != std::string::npos) return true;
    Find(
        fmt::format("the stats socket {} is not of level admin, so no share can be set: write "
                    "`stats socket {} mode 660 level admin`",
                    settings_.socket, settings_.socket));
    return false;
  }

  bool CheckMap() {
    const auto answer = socket_.Ask({"show map"});
    const std::vector<std::string> maps = LoadedMaps(answer.ok() ? *answer : "");
    const auto has = [&](const std::string& map) {
      return std::find(maps.begin(), maps.end(), map) != maps.end();
    };
    if (has(settings_.map)) {
      if (const std::string forecast = agent::ForecastFileOf(settings_.map); !has(forecast)) {
        Find(fmt::format(
            "HAProxy has not loaded the map {}, so that nobody who waits is told when they return: "
            "print the snippet again with --write-map, paste it and reload",
            forecast));
      }
      return true;
    }
    for (const std::string& map : maps) {
      if (NameOf(map) != NameOf(settings_.map)) continue;
      Find(
          fmt::format("HAProxy's configuration reads the map {}, the agent's writes {}: write the "
                      "same path, letter by letter, in both",
                      map, settings_.map));
      return false;
    }
    Find(
        fmt::format("HAProxy has not loaded the map {}: paste the gate's snippet "
                    "(`headgate-agent snippet haproxy …`) and reload",
                    settings_.map));
    return false;
  }

  void CheckCounters() {
    for (const std::string& name : {settings_.app_backend, settings_.wait_backend}) {
      // All of them: by its name HAProxy finds a frontend of that name first.
      const auto answer = socket_.Ask({"show stat -1 2 -1"});
      if (!answer.ok()) continue;
      if (const auto row = ParseBackend(name, *answer); !row.ok()) {
        Find(Words(row.status()) + ": the names in both configurations must be the same");
      }
    }
    const auto answer = socket_.Ask({fmt::format("show table {}", settings_.wait_backend)});
    if (!answer.ok()) return;
    if (const auto counts = ParseCounts(settings_.wait_backend, *answer); !counts.ok()) {
      Find(
          fmt::format("{}: slow and bypassed requests are not counted; paste part 3 of the "
                      "snippet again",
                      Words(counts.status())));
    }
  }

  void CheckProbe() {
    Haproxy haproxy(settings_);
    const agent::Reading reading = haproxy.Read();
    if (!reading.in_force) return Find(reading.trouble);
    if (const absl::Status status = haproxy.Try(*reading.in_force); !status.ok()) {
      Find(Words(status));
    } else if (!IsAnsweredByHaproxy(settings_)) {
      Find(fmt::format(
          "the probe {} is answered by another load balancer's rule of this gate, or by "
          "a snippet of an older headgate-agent: point probe_url at this HAProxy, or "
          "print and paste its snippet again",
          settings_.probe_url));
    }
    if (const absl::Status status = haproxy.TryWaitPage(); !status.ok()) Find(Words(status));
    // Once more: the probe's answer has told which thresholds HAProxy really counts.
    haproxy.Read();
    if (const std::string missing = haproxy.MissingSlow(); !missing.empty()) Find(missing);
    const std::string other = agent::OtherAtNextStart("HAProxy", "map file", "reload", reading);
    if (!other.empty()) Find(other);
  }

  const Settings& settings_;
  const StatsSocket socket_;
  std::vector<std::string> findings_;
};

}  // namespace

std::vector<std::string> Check(const Settings& settings) { return GateCheck(settings).Run(); }

}  // namespace headgate::haproxy
