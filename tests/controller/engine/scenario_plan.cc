#include "tests/controller/engine/scenario_plan.h"

#include <fmt/format.h>

#include <functional>
#include <map>

#include "absl/strings/str_split.h"
#include "common/base/duration.h"

namespace headgate::engine {
namespace {

// The parts of "a,b" or "a:b".
std::vector<std::string> Split(const std::string& text, char by) {
  return absl::StrSplit(text, by);
}

class PlanReader {
 public:
  PlanReader() {
    spec_.gate = "shop";
    spec_.ready_for = Duration(5'000);
    spec_.bake_min = Duration(10'000);
    spec_.watch = Duration(30'000);
  }

  absl::Status Read(const std::string& word) {
    const std::size_t equals = word.find('=');
    const std::string key = word.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
    if (key == "steps" && value == "adaptive") {
      spec_.adaptive.emplace();
      spec_.bake_min = kBakeLeastAdaptive;
      return absl::OkStatus();
    }
    if (key == "steps") return ReadShares(value, spec_.steps);
    if (key == "utilisation" && spec_.adaptive) {
      spec_.adaptive->utilisation = PrometheusValue{.query = "busy", .every = Duration(1'000)};
      return ReadPpm(value, spec_.adaptive->utilisation_limit_ppm);
    }
    if (key == "first" && spec_.adaptive) {
      std::vector<Share> first;
      absl::Status status = ReadShares(value, first);
      if (status.ok()) spec_.adaptive->first = first[0];
      return status;
    }
    if (key == "on_drift") {
      on_drift_ = value == "hold" ? OnDrift::kHold : OnDrift::kDrain;
      return absl::OkStatus();
    }
    if (key == "active_of") {
      active_of_ = static_cast<std::uint32_t>(std::stoul(value));
      return absl::OkStatus();
    }
    if (key == "approve") return ReadShares(value, spec_.approve_at);
    if (key == "check") return ReadCheck(Split(value, ':'));
    if (key == "agents") {
      spec_.agents = Split(value, ',');
      return absl::OkStatus();
    }
    if (key == "databases") return ReadDatabases(Split(value, ','));
    if (key == "on_unknown") {
      spec_.on_unknown = value == "retreat" ? OnUnknown::kRetreat : OnUnknown::kHold;
      return absl::OkStatus();
    }
    if (key == "retries") {
      spec_.retries = static_cast<std::uint32_t>(std::stoul(value));
      return absl::OkStatus();
    }
    if (key == "agent_count") {
      spec_.agent_count = static_cast<std::uint32_t>(std::stoul(value));
      return absl::OkStatus();
    }
    return ReadTime(key, value);
  }

  absl::StatusOr<Plan> Create() {
    if (spec_.steps.empty() && !spec_.adaptive) {
      if (absl::Status status = Read("steps=1%,10%,50%,100%"); !status.ok()) return status;
    }
    if (spec_.checks.empty()) {
      if (absl::Status status = Read("check=errors:ratio:1%"); !status.ok()) return status;
    }
    if (spec_.agents.empty() && spec_.agent_count == 0) spec_.agents = {"edge-1", "edge-2"};
    for (auto& [name, database] : spec_.databases) {
      database.on_drift = on_drift_;
      database.active_of = active_of_;
    }
    return Plan::Create(spec_);
  }

 private:
  absl::Status ReadTime(const std::string& key, const std::string& value) {
    const absl::StatusOr<Duration> duration = ParseDuration(value);
    if (!duration.ok()) return duration.status();
    const std::map<std::string, Duration*> fields = {{"ready", &spec_.ready_for},
                                                     {"bake", &spec_.bake_min},
                                                     {"patience", &spec_.patience},
                                                     {"backoff", &spec_.backoff},
                                                     {"watch", &spec_.watch}};
    const auto found = fields.find(key);
    if (found == fields.end()) {
      return absl::InvalidArgumentError(fmt::format("a plan has no '{}'", key));
    }
    *found->second = *duration;
    return absl::OkStatus();
  }

  absl::Status ReadShares(const std::string& text, std::vector<Share>& shares) {
    for (const std::string& part : Split(text, ',')) {
      const absl::StatusOr<Share> share = Share::Parse(part);
      if (!share.ok()) return share.status();
      shares.push_back(*share);
    }
    return absl::OkStatus();
  }

  static absl::Status ReadPpm(const std::string& text, std::uint32_t& ppm) {
    const absl::StatusOr<std::uint32_t> read = ParsePpm(text, Share::kPpmMax);
    if (read.ok()) ppm = *read;
    return read.status();
  }

  absl::Status ReadDatabases(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      spec_.preflight_databases.push_back(name);
      spec_.databases[name].primary = "host=db1";
    }
    return absl::OkStatus();
  }

  // NAME:ratio:LIMIT, NAME:slow:LIMIT, NAME:counts:LIMIT:EVERY, NAME:value:SOFT..HARD,
  // NAME:database; then any of hold, drain, fresh=5s, sample=50, window=30s, hysteresis=10%.
  absl::Status ReadCheck(const std::vector<std::string>& parts) {
    if (parts.size() < 2) return absl::InvalidArgumentError("a check is NAME:KIND:BOUND");
    CheckSpec check{.name = parts[0]};
    const std::string& kind = parts[1];
    std::size_t next = 3;
    if (kind == "database") {
      check.kind = DatabaseCheck{parts[0]};
      spec_.databases[parts[0]].primary = "host=db1";
      next = 2;
    } else if (kind == "value") {
      ValueCheck value{.source = {.query = "q", .every = Duration(1'000)}};
      const std::size_t dots = parts.at(2).find("..");
      value.soft = std::stod(parts[2].substr(0, dots));
      value.hard = std::stod(parts[2].substr(dots + 2));
      check.kind = value;
    } else {
      const absl::StatusOr<std::uint32_t> limit = ParsePpm(parts.at(2), Share::kPpmMax);
      if (!limit.ok()) return limit.status();
      RatioCheck ratio{.limit_ppm = *limit, .window = Duration(10'000)};
      if (kind == "slow") {
        ratio.source = AgentRatio{AgentRatio::Metric::kSlowerThan, Duration(500)};
      } else if (kind == "counts") {
        const absl::StatusOr<Duration> every = ParseDuration(parts.at(3));
        if (!every.ok()) return every.status();
        ratio.source = PrometheusRatio{.bad = "bad", .total = "total", .every = *every};
        ratio.window = *every * 3;
        check.fresh = *every * 2;
        next = 4;
      }
      check.kind = ratio;
    }
    for (; next < parts.size(); ++next) {
      if (absl::Status status = ReadOption(parts[next], check); !status.ok()) return status;
    }
    spec_.checks.push_back(std::move(check));
    return absl::OkStatus();
  }

  static absl::Status ReadOption(const std::string& option, CheckSpec& check) {
    const std::size_t equals = option.find('=');
    const std::string key = option.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : option.substr(equals + 1);
    auto* ratio = std::get_if<RatioCheck>(&check.kind);
    auto* bound = std::get_if<ValueCheck>(&check.kind);
    if (key == "hold") {
      check.on_failure = OnFailure::kHold;
    } else if (key == "drain") {
      check.on_failure = OnFailure::kDrain;
    } else if (key == "fresh" && ParseDuration(value).ok()) {
      check.fresh = *ParseDuration(value);
    } else if (key == "window" && ratio != nullptr && ParseDuration(value).ok()) {
      ratio->window = *ParseDuration(value);
    } else if (key == "sample" && ratio != nullptr) {
      ratio->min_sample = std::stoul(value);
    } else if (key == "hysteresis" && bound != nullptr && ParsePpm(value, Share::kPpmMax).ok()) {
      bound->hysteresis_ppm = *ParsePpm(value, Share::kPpmMax);
    } else {
      return absl::InvalidArgumentError(fmt::format("a check has no option '{}'", option));
    }
    return absl::OkStatus();
  }

  PlanSpec spec_;
  // Of every database.
  OnDrift on_drift_ = OnDrift::kDrain;
  std::uint32_t active_of_ = 0;
};

}  // namespace

absl::StatusOr<Plan> PlanOfWords(const std::vector<std::string>& words) {
  PlanReader reader;
  for (const std::string& word : words) {
    if (absl::Status status = reader.Read(word); !status.ok()) return status;
  }
  return reader.Create();
}

}  // namespace headgate::engine
