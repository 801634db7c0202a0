#include "agents/core/snippet_words.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace headgate::agent {
namespace {

bool IsPlain(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '/' || c == ':' || c == '~' || c == '@' || c == '+';
  });
}

bool IsNetwork(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::string address = text.substr(0, slash);
  unsigned char bytes[sizeof(in6_addr)];
  const bool is_v4 = inet_pton(AF_INET, address.c_str(), bytes) == 1;
  const bool is_v6 = !is_v4 && inet_pton(AF_INET6, address.c_str(), bytes) == 1;
  if (!is_v4 && !is_v6) return false;
  if (slash == std::string::npos) return true;
  const std::string bits = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), length);
  // A length of 0 is everybody, and a gate that lets everybody through is none.
  return error == std::errc() && end == bits.data() + bits.size() && length >= 1 &&
         length <= (is_v4 ? 32U : 128U);
}

}  // namespace

absl::Status CheckGateName(const std::string& name) {
  const bool fits = !name.empty() && name.size() <= kGateNameBytesMax && name.front() >= 'a' &&
                    name.front() <= 'z' && std::all_of(name.begin(), name.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
                    });
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("'{}' is no gate's name: 1 to {} characters of [a-z0-9-], starting with a "
                  "letter, as in 'shop'",
                  name, kGateNameBytesMax));
}

absl::Status CheckPlainWord(const std::string& what, const std::string& word) {
  if (IsPlain(word)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{} '{}': write letters, digits and -_./:~@+ only, because the load balancer's "
                  "configuration reads others in its own way",
                  what, word));
}

absl::Status CheckPath(const std::string& what, const std::string& path) {
  if (!path.starts_with('/')) {
    return absl::InvalidArgumentError(
        fmt::format("{} '{}': write the whole path, from / on: the agent and the load balancer "
                    "look for it from "
                    "different folders",
                    what, path));
  }
  return CheckPlainWord(what, path);
}

std::string VariableOf(const std::string& gate) {
  std::string word = gate;
  std::replace(word.begin(), word.end(), '-', '_');
  return "headgate_" + word;
}

absl::StatusOr<Bypass> ParseBypass(const std::string& text) {
  const std::string value = text.substr(std::min<std::size_t>(text.size(), 5));
  if (text.starts_with("path=/") && IsPlain(value)) return Bypass{Bypass::Kind::kPath, value};
  if (text.starts_with("cidr=") && IsNetwork(value)) return Bypass{Bypass::Kind::kNetwork, value};
  return absl::InvalidArgumentError(
      fmt::format("--bypass '{}' is neither: write path=/healthz or cidr=203.0.113.0/24 (a prefix "
                  "of at least 1 bit: /0 would let everybody through)",
                  text));
}

absl::StatusOr<std::vector<Bypass>> ParseBypasses(const std::vector<std::string>& texts) {
  if (texts.size() > kBypassesMax) {
    return absl::InvalidArgumentError(
        fmt::format("{} bypass rules: at most {}", texts.size(), kBypassesMax));
  }
  std::vector<Bypass> rules;
  for (const std::string& text : texts) {
    absl::StatusOr<Bypass> rule = ParseBypass(text);
    if (!rule.ok()) return rule.status();
    rules.push_back(*std::move(rule));
  }
  return rules;
}

std::string LongNameNote(const std::string& gate) {
  // nginx 1.22 starts with one of 25.
  constexpr std::size_t kShort = 25;
  if (gate.size() <= kShort) return "";
  return "# Of a name this long nginx's variables need a line in `http {}`, unless it is there:\n"
         "#   variables_hash_bucket_size 128;\n";
}

absl::StatusOr<std::vector<std::uint32_t>> ThresholdsOf(std::vector<std::uint32_t> slow_ms) {
  if (slow_ms.size() > kSlowThresholdsMax) {
    return absl::InvalidArgumentError(fmt::format("{} thresholds of slow answers: at most {}",
                                                  slow_ms.size(), kSlowThresholdsMax));
  }
  std::sort(slow_ms.begin(), slow_ms.end());
  slow_ms.erase(std::unique(slow_ms.begin(), slow_ms.end()), slow_ms.end());
  return slow_ms;
}

}  // namespace headgate::agent
