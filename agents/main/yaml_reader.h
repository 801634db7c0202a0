// One mapping of a YAML file, read key by key; what is none of its keys is refused first of all.
// The first error stands, with file, line and column. One thread; exceptions of yaml-cpp do not
// leave it. Include in .cc files only.
#pragma once

#include <yaml-cpp/yaml.h>

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace headgate::agent {

// The first error of a file.
class YamlErrors {
 public:
  explicit YamlErrors(std::string file) : file_(std::move(file)) {}
  void Add(const YAML::Mark& mark, const std::string& words);
  void Add(const YAML::Node& node, const std::string& words) { Add(node.Mark(), words); }
  const absl::Status& status() const { return status_; }

 private:
  const std::string file_;
  absl::Status status_;
};

class YamlMapping {
 public:
  // `where`: for errors, as in "gates[0].haproxy". `keys`: all that it may have.
  YamlMapping(const YAML::Node& node, std::string where, YamlErrors& errors,
              std::vector<std::string> keys);

  bool Has(const std::string& key);
  // The key's value; an undefined node, and an error if it is required, when it is missing.
  YAML::Node Find(const std::string& key);
  YAML::Node Require(const std::string& key);
  // Empty if it is missing (or, required, an error).
  std::string Text(const std::string& key);
  std::string RequiredText(const std::string& key);
  // Of a file or folder: from / on, for whoever starts the agent may stand anywhere. Empty where it
  // is missing.
  std::string RequiredPath(const std::string& key);
  std::string Path(const std::string& key);
  bool Flag(const std::string& key);
  std::vector<YAML::Node> List(const std::string& key, std::size_t max);

  YamlErrors& errors() { return errors_; }
  const YAML::Node& node() const { return node_; }
  std::string Name(const std::string& key) const {
    return where_.empty() ? key : where_ + "." + key;
  }

 private:
  void CheckKeys();
  std::string Scalar(const YAML::Node& node, const std::string& name);

  const YAML::Node node_;
  const std::string where_;
  YamlErrors& errors_;
  const std::vector<std::string> keys_;
};

}  // namespace headgate::agent
