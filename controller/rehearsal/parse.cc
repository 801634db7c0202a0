// ParseScenario: YAML text to a Scenario, by the table of parameters. The only place in this room
// that touches yaml-cpp; its exceptions end here.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/duration.h"
#include "common/base/nearest.h"
#include "common/base/share.h"
#include "controller/rehearsal/parameters.h"
#include "controller/rehearsal/scenario.h"

namespace headgate::rehearsal {
namespace {

constexpr std::size_t kScenarioBytesMax = 64 * 1024;
constexpr std::size_t kFaultsMax = 100;
constexpr std::size_t kProblemsMax = 20;

std::optional<double> NumberOf(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

absl::StatusOr<double> ValueOf(const std::string& text, Unit unit) {
  switch (unit) {
    case Unit::kPercent: {
      const absl::StatusOr<std::uint32_t> ppm = ParsePpm(text, 100 * Share::kPpmMax);
      // What is no percentage shall hear of 100 %; what is one, of the range of its parameter.
      if (!ppm.ok()) return ParsePpm(text, Share::kPpmMax).status();
      return double(*ppm) / Share::kPpmMax;
    }
    case Unit::kTime: {
      const absl::StatusOr<Duration> duration = ParseDuration(text);
      if (!duration.ok()) return duration.status();
      return double(duration->count()) / 1'000;
    }
    case Unit::kNumber: {
      const std::optional<double> number = NumberOf(text);
      if (number) return *number;
      return absl::InvalidArgumentError(
          fmt::format("'{}' is not a number: write for example 1.3", text));
    }
    case Unit::kFlag:
      if (text == "yes" || text == "no") return text == "yes" ? 1 : 0;
      return absl::InvalidArgumentError(fmt::format("'{}' is not yes or no", text));
  }
  return absl::InternalError("no such unit");
}

// Something by which the platform may get worse than a sound one.
bool HasTrouble(const Scenario& scenario) {
  const Scenario sound;
  const Scenario::Errors& errors = scenario.errors;
  const Scenario::Capacity& capacity = scenario.capacity;
  return !errors.faults.empty() || !capacity.faults.empty() || errors.base > sound.errors.base ||
         errors.burst_every_s > 0 || scenario.failing_users.part > 0 ||
         capacity.base < sound.capacity.base || capacity.cold > 0 || capacity.swing > 0 ||
         capacity.leak_per_hour > 0 || scenario.newcomers.cost > sound.newcomers.cost ||
         scenario.newcomers.surge > sound.newcomers.surge ||
         scenario.latency.p99_s > sound.latency.p99_s || scenario.agents.ignoring > 0;
}

class Reader {
 public:
  explicit Reader(std::string_view file_name) : file_name_(file_name) {}

  Scenario Read(const YAML::Node& root, Scenario scenario) {
    if (!root.IsMap()) {
      Refuse(root, "a scenario is a map: begin with `name: …`");
      return scenario;
    }
    ForEach(root, [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
      ReadTop(key, at, value, scenario);
    });
    CheckTogether(root, scenario);
    return scenario;
  }

  void Refuse(const YAML::Mark& mark, std::string_view text) {
    if (mark.is_null()) {
      problems_.push_back(fmt::format("{}: {}", file_name_, text));
      return;
    }
    problems_.push_back(
        fmt::format("{}:{}:{}: {}", file_name_, mark.line + 1, mark.column + 1, text));
  }

  absl::Status ToStatus() const {
    if (problems_.empty()) return absl::OkStatus();
    const std::size_t told = std::min(problems_.size(), kProblemsMax);
    std::string text = fmt::format(
        "{}", fmt::join(problems_.begin(), problems_.begin() + std::ptrdiff_t(told), "\n"));
    if (told < problems_.size()) text += fmt::format("\nand {} more", problems_.size() - told);
    return absl::InvalidArgumentError(text);
  }

 private:
  void Refuse(const YAML::Node& node, std::string_view text) { Refuse(node.Mark(), text); }

  // Every pair of a map; duplicates are refused.
  template <typename Visit>
  void ForEach(const YAML::Node& map, Visit visit) {
    std::set<std::string> seen;
    for (const auto& entry : map) {
      const YAML::Node& key = entry.first;
      if (!key.IsScalar()) {
        Refuse(key, "a key is a word");
        continue;
      }
      if (!seen.insert(key.Scalar()).second) {
        Refuse(key, fmt::format("'{}' is written twice: keep one", key.Scalar()));
        continue;
      }
      visit(key.Scalar(), key, entry.second);
    }
  }

  void ReadTop(const std::string& key, const YAML::Node& at, const YAML::Node& value,
               Scenario& scenario) {
    if (key == "name" || key == "what") {
      std::string& text = key == "name" ? scenario.name : scenario.what;
      if (value.IsScalar()) text = value.Scalar();
      if (text.empty()) Refuse(at, fmt::format("'{}' needs a text", key));
      return;
    }
    if (key == "kind") {
      ReadKind(value, scenario);
      return;
    }
    const std::span<const Parameter<Scenario>> all = ScenarioParameters();
    const bool is_section = std::any_of(all.begin(), all.end(),
                                        [&](const auto& known) { return known.section == key; });
    if (!is_section) {
      Refuse(at,
             fmt::format("'{}' is no part of a scenario{}", key, DidYouMeanOneOf(key, Sections())));
    } else if (!value.IsMap()) {
      Refuse(value, fmt::format("'{}' is a map: write its keys below it", key));
    } else {
      ReadSection(key, value, scenario);
    }
  }

  void ReadKind(const YAML::Node& value, Scenario& scenario) {
    for (const Kind kind : {Kind::kBearable, Kind::kBad, Kind::kMoving}) {
      if (value.IsScalar() && value.Scalar() == NameOf(kind)) {
        scenario.kind = kind;
        return;
      }
    }
    if (!value.IsScalar()) {
      Refuse(value, "'kind' is one of bearable, bad, moving");
      return;
    }
    Refuse(value, fmt::format("'{}' is no kind{}", value.Scalar(),
                              DidYouMeanOneOf(value.Scalar(), {"bearable", "bad", "moving"})));
  }

  void ReadSection(const std::string& section, const YAML::Node& map, Scenario& scenario) {
    ForEach(map, [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
      if (section == "errors" && key == "faults") {
        ReadList("errors.faults", value, ErrorFaultParameters(), scenario.errors.faults);
      } else if (section == "capacity" && key == "faults") {
        ReadList("capacity.faults", value, CapacityFaultParameters(), scenario.capacity.faults);
      } else if (section == "metrics" && key == "blackouts") {
        ReadList("metrics.blackouts", value, BlackoutParameters(), scenario.metrics.blackouts);
      } else {
        scenario.limits.are_said = scenario.limits.are_said || section == "limits";
        ReadParameter({section, key, section}, at, value, ScenarioParameters(), scenario);
      }
    });
  }

  template <typename Record>
  void ReadList(std::string_view name, const YAML::Node& list,
                std::span<const Parameter<Record>> parameters, std::vector<Record>& records) {
    if (!list.IsSequence() || list.size() > kFaultsMax) {
      Refuse(list, fmt::format("{} is a list of at most {} maps: write `- {{from: 60s}}`", name,
                               kFaultsMax));
      return;
    }
    for (const YAML::Node& entry : list) {
      if (!entry.IsMap()) {
        Refuse(entry, "an entry is a map: write for example `{from: 60s, until: 90s}`");
        continue;
      }
      Record record;
      ForEach(entry, [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
        ReadParameter({"", key, name}, at, value, parameters, record);
      });
      CheckStretch(entry, record);
      records.push_back(record);
    }
  }

  struct Place {
    std::string_view section;
    std::string_view key;
    // What the section is called in a message: an entry of a list has none.
    std::string_view shown;
  };

  template <typename Record>
  void ReadParameter(Place place, const YAML::Node& at, const YAML::Node& value,
                     std::span<const Parameter<Record>> parameters, Record& record) {
    const auto found = std::find_if(parameters.begin(), parameters.end(), [&](const auto& known) {
      return known.section == place.section && known.key == place.key;
    });
    if (found == parameters.end()) {
      const std::vector<std::string> keys = Keys(place.section, parameters);
      const std::string key(place.key);
      Refuse(at,
             fmt::format("'{}' is no key of {}{}", key, place.shown, DidYouMeanOneOf(key, keys)));
      return;
    }
    if (!value.IsScalar()) {
      Refuse(value, fmt::format("'{}' needs one value", place.key));
      return;
    }
    const absl::StatusOr<double> parsed = ValueOf(value.Scalar(), found->unit);
    if (!parsed.ok()) {
      Refuse(value, fmt::format("{}: {}", place.key, std::string(parsed.status().message())));
      return;
    }
    if (*parsed < found->least || *parsed > found->most) {
      Refuse(value,
             fmt::format("{} of {} is out of range: write {} to {}", place.key,
                         FormatValue(*parsed, found->unit), FormatValue(found->least, found->unit),
                         FormatValue(found->most, found->unit)));
      return;
    }
    found->at(record) = *parsed;
  }

  template <typename Record>
  static std::vector<std::string> Keys(std::string_view section,
                                       std::span<const Parameter<Record>> all) {
    std::vector<std::string> keys;
    for (const auto& known : all) {
      if (known.section == section) keys.emplace_back(known.key);
    }
    if (section == "errors" || section == "capacity") keys.emplace_back("faults");
    if (section == "metrics") keys.emplace_back("blackouts");
    return keys;
  }

  static std::vector<std::string> Sections() {
    std::vector<std::string> sections = {"name", "what", "kind"};
    for (const auto& known : ScenarioParameters()) {
      if (known.section != sections.back()) sections.emplace_back(known.section);
    }
    return sections;
  }

  static const Stretch& WhenOf(const Stretch& stretch) { return stretch; }
  template <typename Fault>
  static const Stretch& WhenOf(const Fault& fault) {
    return fault.when;
  }

  template <typename Record>
  void CheckStretch(const YAML::Node& entry, const Record& record) {
    const Stretch& when = WhenOf(record);
    if (when.until_s <= when.from_s) Refuse(entry, "it ends before it begins: until > from");
    if ((when.every_s > 0) != (when.lasts_s > 0) || when.lasts_s > when.every_s) {
      Refuse(entry, "'every' and 'lasts' come together, and lasts <= every");
    }
    if constexpr (requires { record.ratio; }) {
      if (record.ratio <= 0) Refuse(entry, "a fault of errors needs a 'ratio' above 0 %");
    }
    if constexpr (requires { record.capacity; }) {
      if (record.capacity <= 0) Refuse(entry, "a fault of the capacity needs a 'capacity'");
    }
  }

  // What no single value can be wrong about.
  void CheckTogether(const YAML::Node& root, const Scenario& scenario) {
    if (scenario.name.empty()) Refuse(root, "a scenario needs a name: write `name: …`");
    if (!root["kind"]) Refuse(root, "a scenario needs a kind: write bearable, bad or moving");
    if (scenario.kind != Kind::kBad && root["onset"]) {
      Refuse(root["onset"], "only a bad scenario has an onset: write `kind: bad`, or leave it out");
    }
    if (scenario.onset.above_share >= 1) {
      Refuse(root["onset"], "the onset can never begin: more than 100 % are never in; write less");
    }
    if (scenario.onset.at_s >= scenario.site.duration_s) {
      Refuse(root["onset"] ? root["onset"] : root, "the onset is after the end of the run");
    }
    const Scenario::FailingUsers& failing = scenario.failing_users;
    if (failing.part > 0 && failing.part > failing.to_share - failing.from_share) {
      Refuse(root["failing_users"], "more users fail than there are between 'from' and 'to'");
    }
    if (scenario.queue.gives_up_s <= scenario.queue.patience_s) {
      Refuse(root["queue"], "'gives_up' must be longer than 'patience'");
    }
    if (scenario.agents.ignoring_until_s <= scenario.agents.ignoring_from_s) {
      Refuse(root["agents"], "they obey before they ignore: ignoring_until > ignoring_from");
    }
    // Where a key was misspelt it is known already.
    if (problems_.empty() && scenario.kind == Kind::kBad && !HasTrouble(scenario)) {
      Refuse(root,
             "this bad scenario has no trouble: add errors.faults, capacity.faults, failing_users, "
             "a higher errors.base or a lower capacity.base, or write another kind");
    }
  }

  const std::string file_name_;
  std::vector<std::string> problems_;
};

}  // namespace

absl::StatusOr<Scenario> ParseScenario(std::string_view text, std::string_view file_name,
                                       const Scenario& unsaid) {
  Reader reader(file_name);
  if (text.size() > kScenarioBytesMax) {
    reader.Refuse(YAML::Mark::null_mark(),
                  fmt::format("a scenario of {} bytes is above {}: shorten it", text.size(),
                              kScenarioBytesMax));
    return reader.ToStatus();
  }
  if (text.find('\0') != std::string_view::npos) {
    reader.Refuse(YAML::Mark::null_mark(),
                  "the scenario holds a NUL byte: save the file as UTF-8 text");
    return reader.ToStatus();
  }
  Scenario scenario;
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.size() == 1) {
      scenario = reader.Read(documents.front(), unsaid);
    } else {
      reader.Refuse(YAML::Mark::null_mark(),
                    fmt::format("{} documents in one file: write one", documents.size()));
    }
  } catch (const YAML::Exception& problem) {
    reader.Refuse(problem.mark, fmt::format("not YAML: {}", problem.msg));
  }
  const absl::Status status = reader.ToStatus();
  if (!status.ok()) return status;
  return scenario;
}

}  // namespace headgate::rehearsal
