#include "agents/envoy/answers.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

namespace headgate::envoy {
namespace {

using Json = nlohmann::json;

constexpr int kMajorMin = 1;
constexpr int kMinorMin = 36;

absl::Status NotEnvoys(const char* path) {
  return absl::UnavailableError(
      fmt::format("{} answered with something else than an Envoy says: `admin` does not name "
                  "Envoy's admin interface",
                  path));
}

// An object, or nothing.
std::optional<Json> Object(const std::string& body) {
  Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  return json;
}

const Json* Find(const Json& json, const char* name, Json::value_t type) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(name);
  return found != json.end() && found->type() == type ? &*found : nullptr;
}

std::string Text(const Json* json) { return json == nullptr ? "" : json->get<std::string>(); }

std::vector<std::string> Texts(const Json& json) {
  std::vector<std::string> texts;
  for (const Json& text : json) texts.push_back(text.is_string() ? text.get<std::string>() : "");
  return texts;
}

std::optional<std::uint64_t> Count(const Json& json, const char* name) {
  const Json* found = Find(json, name, Json::value_t::number_unsigned);
  if (found == nullptr) return std::nullopt;
  return found->get<std::uint64_t>();
}

void TakeHistograms(const Json& histograms, Stats& stats) {
  for (const Json& histogram : histograms) {
    const std::string name = Text(Find(histogram, "name", Json::value_t::string));
    const Json* buckets = Find(histogram, "buckets", Json::value_t::array);
    if (name.empty() || buckets == nullptr) continue;
    auto& below = stats.below[name];
    for (const Json& bucket : *buckets) {
      const auto bound = Count(bucket, "upper_bound");
      const auto count = Count(bucket, "cumulative");
      if (bound && count && *bound <= UINT32_MAX) {
        below[static_cast<std::uint32_t>(*bound)] = *count;
      }
    }
  }
}

}  // namespace

absl::StatusOr<Runtime> ParseRuntime(const std::string& body) {
  const std::optional<Json> json = Object(body);
  const Json* layers = json ? Find(*json, "layers", Json::value_t::array) : nullptr;
  const Json* entries = json ? Find(*json, "entries", Json::value_t::object) : nullptr;
  if (layers == nullptr || entries == nullptr) return NotEnvoys("/runtime");
  Runtime runtime;
  runtime.layers = Texts(*layers);
  for (const auto& [name, entry] : entries->items()) {
    Runtime::Entry& taken = runtime.entries[name];
    taken.in_force = Text(Find(entry, "final_value", Json::value_t::string));
    const Json* by_layer = Find(entry, "layer_values", Json::value_t::array);
    if (by_layer != nullptr) taken.by_layer = Texts(*by_layer);
    taken.by_layer.resize(runtime.layers.size());
  }
  return runtime;
}

absl::StatusOr<Stats> ParseStats(const std::string& body) {
  const std::optional<Json> json = Object(body);
  const Json* list = json ? Find(*json, "stats", Json::value_t::array) : nullptr;
  if (list == nullptr) return NotEnvoys("/stats");
  Stats stats;
  for (const Json& one : *list) {
    const Json* histograms = Find(one, "histograms", Json::value_t::array);
    if (histograms != nullptr) TakeHistograms(*histograms, stats);
    const std::string name = Text(Find(one, "name", Json::value_t::string));
    const auto value = Count(one, "value");
    if (!name.empty() && value) stats.counts[name] = *value;
  }
  return stats;
}

std::string ParseLayerFile(const std::string& body, const std::string& layer) {
  const Json json = Json::parse(body, nullptr, false);
  const Json::json_pointer layers("/configs/0/bootstrap/layered_runtime/layers");
  const Json::json_pointer file("/rtds_layer/rtds_config/path_config_source/path");
  if (json.is_discarded() || !json.contains(layers)) return "";
  for (const Json& one : json.at(layers)) {
    if (Text(Find(one, "name", Json::value_t::string)) != layer || !one.contains(file)) continue;
    const Json& path = one.at(file);
    return path.is_string() ? path.get<std::string>() : "";
  }
  return "";
}

absl::StatusOr<std::string> ParseVersion(const std::string& body) {
  const std::optional<Json> json = Object(body);
  // "<commit>/1.40.0/Clean/RELEASE/BoringSSL".
  const std::string text = json ? Text(Find(*json, "version", Json::value_t::string)) : "";
  const std::size_t from = text.find('/');
  if (from == std::string::npos) return NotEnvoys("/server_info");
  return text.substr(from + 1, text.find('/', from + 1) - from - 1);
}

bool CanHash(const std::string& version) {
  int major = 0;
  int minor = 0;
  const char* const end = version.data() + version.size();
  const auto [dot, error] = std::from_chars(version.data(), end, major);
  if (error != std::errc() || dot == end || *dot != '.') return false;
  if (std::from_chars(dot + 1, end, minor).ec != std::errc()) return false;
  return major > kMajorMin || (major == kMajorMin && minor >= kMinorMin);
}

}  // namespace headgate::envoy
