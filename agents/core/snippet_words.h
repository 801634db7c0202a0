// What the snippets of all load balancers share: names that may stand in a configuration, and
// bypass rules. Pure: any thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace headgate::agent {

inline constexpr std::size_t kGateNameBytesMax = 63;
inline constexpr std::size_t kBypassesMax = 32;
inline constexpr std::size_t kSlowThresholdsMax = 6;
inline constexpr char kProbePath[] = "/.headgate/probe";

// 1 to 63 characters of [a-z0-9-], starting with a letter: it becomes part of file and variable
// names. INVALID_ARGUMENT otherwise.
absl::Status CheckGateName(const std::string& name);
// Of paths and backends: nothing that a load balancer's configuration would read otherwise.
absl::Status CheckPlainWord(const std::string& what, const std::string& word);
// The same of a file or folder, which the agent and the load balancer must find from different
// places: it begins with '/'.
absl::Status CheckPath(const std::string& what, const std::string& path);
// "headgate_my_shop" of "my-shop".
std::string VariableOf(const std::string& gate);

// Requests that are always let through.
struct Bypass {
  enum class Kind { kPath, kNetwork };
  Kind kind = Kind::kPath;
  // A path, letter by letter; or an address with or without the length of its prefix.
  std::string text;
};
// "path=/healthz" or "cidr=203.0.113.0/24"; never the whole internet. INVALID_ARGUMENT otherwise.
absl::StatusOr<Bypass> ParseBypass(const std::string& text);
// At most kBypassesMax.
absl::StatusOr<std::vector<Bypass>> ParseBypasses(const std::vector<std::string>& texts);

// A comment for nginx's `http {}`, where variables named after so long a gate need it; else empty.
std::string LongNameNote(const std::string& gate);

// Sorted, each once. INVALID_ARGUMENT: more than kSlowThresholdsMax.
absl::StatusOr<std::vector<std::uint32_t>> ThresholdsOf(std::vector<std::uint32_t> slow_ms);

}  // namespace headgate::agent
