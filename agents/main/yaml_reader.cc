#include "agents/main/yaml_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "common/base/check.h"
#include "common/base/nearest.h"

namespace headgate::agent {

void YamlErrors::Add(const YAML::Mark& mark, const std::string& words) {
  if (!status_.ok()) return;
  status_ = absl::InvalidArgumentError(
      fmt::format("{}:{}:{}: {}", file_, mark.line + 1, mark.column + 1, words));
}

YamlMapping::YamlMapping(const YAML::Node& node, std::string where, YamlErrors& errors,
                         std::vector<std::string> keys)
    : node_(node), where_(std::move(where)), errors_(errors), keys_(std::move(keys)) {
  if (node_.IsMap()) {
    CheckKeys();
    return;
  }
  errors_.Add(node_, fmt::format("{} must be a mapping (key: value)",
                                 where_.empty() ? "the configuration" : where_));
}

void YamlMapping::CheckKeys() {
  std::set<std::string> seen;
  for (const auto& entry : node_) {
    const std::string key = Scalar(entry.first, where_);
    // yaml-cpp would keep the last one and say nothing.
    if (!seen.insert(key).second) {
      errors_.Add(entry.first, fmt::format("'{}' is there twice: keep one", Name(key)));
    }
    // Before anything else is found missing, because it is what was meant.
    if (std::find(keys_.begin(), keys_.end(), key) == keys_.end()) {
      errors_.Add(entry.first,
                  fmt::format("unknown key '{}'{}", Name(key), DidYouMeanOneOf(key, keys_)));
    }
  }
}

YAML::Node YamlMapping::Find(const std::string& key) {
  HEADGATE_CHECK(std::find(keys_.begin(), keys_.end(), key) != keys_.end());
  if (!node_.IsMap()) return YAML::Node(YAML::NodeType::Undefined);
  return node_[key];
}

bool YamlMapping::Has(const std::string& key) { return Find(key).IsDefined(); }

YAML::Node YamlMapping::Require(const std::string& key) {
  YAML::Node found = Find(key);
  if (!found.IsDefined()) errors_.Add(node_, fmt::format("'{}' is missing", Name(key)));
  return found;
}

std::string YamlMapping::Scalar(const YAML::Node& node, const std::string& name) {
  if (node.IsDefined() && node.IsScalar()) return node.Scalar();
  errors_.Add(node, fmt::format("'{}' must be a single value", name));
  return "";
}

std::string YamlMapping::Text(const std::string& key) {
  const YAML::Node found = Find(key);
  return found.IsDefined() ? Scalar(found, Name(key)) : "";
}

std::string YamlMapping::RequiredText(const std::string& key) {
  const YAML::Node found = Require(key);
  if (!found.IsDefined()) return "";
  std::string text = Scalar(found, Name(key));
  if (text.empty()) errors_.Add(found, fmt::format("'{}' is empty", Name(key)));
  return text;
}

std::string YamlMapping::RequiredPath(const std::string& key) {
  return RequiredText(key).empty() ? "" : Path(key);
}

std::string YamlMapping::Path(const std::string& key) {
  std::string path = Text(key);
  if (!path.empty() && !path.starts_with('/')) {
    errors_.Add(Find(key), fmt::format("'{}' is '{}': write the whole path, from / on: else it "
                                       "depends on where the agent is started",
                                       Name(key), path));
  }
  return path;
}

bool YamlMapping::Flag(const std::string& key) {
  const YAML::Node found = Find(key);
  if (!found.IsDefined()) return false;
  const std::string text = Scalar(found, Name(key));
  if (text == "true") return true;
  if (text != "false") {
    errors_.Add(found, fmt::format("'{}' is '{}': write true or false", Name(key), text));
  }
  return false;
}

std::vector<YAML::Node> YamlMapping::List(const std::string& key, std::size_t max) {
  const YAML::Node found = Find(key);
  std::vector<YAML::Node> items;
  if (!found.IsDefined()) return items;
  if (!found.IsSequence()) {
    errors_.Add(found, fmt::format("'{}' must be a list", Name(key)));
    return items;
  }
  if (found.size() > max) {
    errors_.Add(found,
                fmt::format("'{}' has {} entries: at most {}", Name(key), found.size(), max));
    return items;
  }
  for (const auto& item : found) items.push_back(item);
  return items;
}

}  // namespace headgate::agent
