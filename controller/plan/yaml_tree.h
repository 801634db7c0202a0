// YAML text as a tree that keeps what yaml-cpp's own nodes lose: every key of a map (so that
// duplicates are seen), whether a scalar was quoted, and where each node stands. The only place
// that touches yaml-cpp; its exceptions end here. Pure functions, callable from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "controller/plan/problems.h"

namespace headgate::plan {

inline constexpr std::size_t kPlanBytesMax = 64 * 1024;
inline constexpr std::size_t kPlanDepthMax = 32;
inline constexpr std::size_t kPlanNodesMax = 10'000;

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  Position at;
  // Of a scalar.
  std::string text;
  bool is_quoted = false;
  // Of a map; as many as values.
  std::vector<YamlNode> keys;
  // Of a list or map.
  std::vector<YamlNode> values;
};

// One document. Adds to `problems` and returns a null node when the text is larger than
// kPlanBytesMax, deeper or wider than the other two, not UTF-8, not YAML, empty, or uses anchors,
// aliases, tags or several documents.
YamlNode ReadYaml(std::string_view text, Problems& problems);

// "text", "a list", "a map", "nothing": for messages.
std::string_view NameOf(YamlNode::Kind kind);

}  // namespace headgate::plan
