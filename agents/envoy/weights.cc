#include "agents/envoy/weights.h"

#include <fmt/format.h>

#include <charconv>
#include <sstream>
#include <string_view>

#include "agents/core/snippet_words.h"
#include "common/base/bucket.h"

namespace headgate::envoy {
namespace {

constexpr char kRetryAfter[] = ".retry_after";
constexpr std::uint32_t kRetryAfterMax = 3600;

std::optional<std::uint32_t> ParseWeight(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  std::uint32_t weight = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), weight);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return weight;
}

std::string TextOf(const Gate& gate, const agent::ShareFile& share) {
  std::string text = fmt::format(
      "# Written by headgate-agent: do not edit. `headgate-agent lower` lowers by hand.\n"
      "version_info: \"{}-{}\"\n"
      "resources:\n"
      "- \"@type\": type.googleapis.com/envoy.service.runtime.v3.Runtime\n"
      "  name: {}\n"
      "  layer:\n",
      share.width, share.retry_after_s, LayerOf(gate.name));
  // As text, because Envoy keeps six digits of a number.
  for (const auto& [entry, value] : EntriesOf(gate, share)) {
    text += fmt::format("    {}: \"{}\"\n", entry, value);
  }
  return text;
}

absl::StatusOr<agent::ShareFile> Parse(const Gate& gate, const std::string& text) {
  Entries entries;
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    const std::size_t colon = line.find(": \"");
    if (!line.starts_with("    ") || colon == std::string::npos || line.back() != '"') continue;
    entries[line.substr(4, colon - 4)] = line.substr(colon + 3, line.size() - colon - 4);
  }
  const Found found = FoundIn(gate, [&](const std::string& name) -> std::optional<std::string> {
    const auto entry = entries.find(name);
    if (entry == entries.end()) return std::nullopt;
    return entry->second;
  });
  // Whatever else Envoy would make of it, it is not what was written; but for the empty lines that
  // one on a full disk has.
  const std::string written = TextOf(gate, found.share);
  if (text.starts_with(written) &&
      text.find_first_not_of('\n', written.size()) == std::string::npos) {
    return found.share;
  }
  return absl::InvalidArgumentError(
      "this is not as the agent writes it: Envoy would admit nobody after a restart, or others");
}

}  // namespace

std::string PrefixOf(const std::string& gate) { return "headgate." + gate; }
std::string NewPrefixOf(const std::string& gate) { return PrefixOf(gate) + ".new"; }
std::string LayerOf(const std::string& gate) { return agent::VariableOf(gate); }
std::string WaitClusterOf(const std::string& gate) { return agent::VariableOf(gate) + "_wait"; }

Entries EntriesOf(const Gate& gate, const agent::ShareFile& share) {
  const std::string prefix = PrefixOf(gate.name) + ".";
  const std::string new_prefix = NewPrefixOf(gate.name) + ".";
  const std::uint32_t new_width = share.width == kBuckets ? kBuckets : 0;
  Entries entries;
  for (const std::string& app : gate.app_clusters) {
    entries[prefix + app] = std::to_string(share.width);
    entries[new_prefix + app] = std::to_string(new_width);
  }
  entries[prefix + WaitClusterOf(gate.name)] = std::to_string(kBuckets - share.width);
  entries[new_prefix + WaitClusterOf(gate.name)] = std::to_string(kBuckets - new_width);
  entries[PrefixOf(gate.name) + kRetryAfter] = std::to_string(share.retry_after_s);
  return entries;
}

Found FoundIn(const Gate& gate,
              const std::function<std::optional<std::string>(const std::string&)>& entry) {
  const auto weight = [&](const std::string& name, std::uint32_t otherwise) {
    return ParseWeight(entry(name)).value_or(otherwise);
  };
  Found found;
  found.share.width = weight(PrefixOf(gate.name) + "." + gate.app_clusters.front(), 0);
  found.share.retry_after_s =
      std::min(weight(PrefixOf(gate.name) + kRetryAfter, 0), kRetryAfterMax);
  found.fits = found.share.width <= kBuckets;
  const agent::ShareFile wanted{std::min(found.share.width, kBuckets), found.share.retry_after_s};
  for (const auto& [name, value] : EntriesOf(gate, wanted)) {
    if (name.ends_with(kRetryAfter)) continue;
    const std::uint32_t otherwise = name.ends_with("." + WaitClusterOf(gate.name)) ? kBuckets : 0;
    found.fits = found.fits && weight(name, otherwise) == ParseWeight(value);
  }
  found.share = wanted;
  return found;
}

agent::ShareForm FormOf(const Gate& gate) {
  return {[gate](const agent::ShareFile& share) { return TextOf(gate, share); },
          [gate](const std::string& text) { return Parse(gate, text); }};
}

}  // namespace headgate::envoy
