#include "agents/nginx/control.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <sstream>
#include <utility>

#include "agents/core/files.h"
#include "agents/core/http_call.h"

namespace headgate::nginx {
namespace {

// "http://127.0.0.1:80" of "http://127.0.0.1:80/.headgate/probe".
std::string OriginOf(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t path = url.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  return url.substr(0, path);
}

std::optional<std::uint64_t> ParseCount(const std::string& text) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return count;
}

absl::Status NotOurs(const std::string& what) {
  return absl::UnavailableError(
      fmt::format("the control path answered {}: it is not the gate's Lua, or an older "
                  "headgate-agent printed it: print the snippet again",
                  what));
}

}  // namespace

absl::StatusOr<Told> ParseTold(const std::string& gate, const std::string& body) {
  Told told;
  std::map<std::string, std::string> words;
  std::istringstream lines(body);
  std::string line;
  while (std::getline(lines, line)) {
    const std::size_t space = line.find(' ');
    if (space == std::string::npos) return NotOurs("with something else");
    words[line.substr(0, space)] = line.substr(space + 1);
  }
  if (words["gate"] != gate) return NotOurs(fmt::format("for gate '{}'", words["gate"]));
  if (const auto trouble = words.find("trouble"); trouble != words.end()) {
    return absl::FailedPreconditionError("nginx: " + trouble->second);
  }
  told.version = words["nginx"];
  told.instance = words["instance"];
  for (const char* text : {"nginx", "gate", "instance"}) words.erase(text);
  if (const auto keys = words.find("cookie_keys"); keys != words.end()) {
    told.cookie_keys = ParseCount(keys->second);
    words.erase(keys);
  }
  if (const auto file = words.find("share_file"); file != words.end()) {
    told.share_file = ParseCount(file->second);
    words.erase(file);
  }
  for (const auto& [name, value] : words) {
    const std::optional<std::uint64_t> count = ParseCount(value);
    if (!count) return NotOurs(fmt::format("with {} '{}'", name, value));
    told.counts[name] = *count;
  }
  for (const char* name : {"width", "retry_after", "answered", "refused"}) {
    if (told.counts.count(name) == 0) return NotOurs(fmt::format("without {}", name));
  }
  told.share.width = static_cast<std::uint32_t>(told.counts["width"]);
  told.share.retry_after_s = static_cast<std::uint32_t>(told.counts["retry_after"]);
  return told;
}

Control::Control(std::string gate, const std::string& probe_url, std::string token)
    : gate_(std::move(gate)),
      url_(OriginOf(probe_url) + kControlPath + gate_),
      token_(std::move(token)) {}

absl::StatusOr<Told> Control::Ask() const { return Send("", false); }

absl::StatusOr<Told> Control::Set(const agent::ShareFile& share) const {
  return Send(fmt::format("?{}={}&{}={}", agent::kWidthEntry, share.width, agent::kRetryAfterEntry,
                          share.retry_after_s),
              true);
}

absl::StatusOr<Told> Control::Send(const std::string& query, bool is_post) const {
  absl::StatusOr<std::string> token = agent::ReadSmallFile(token_);
  if (!token.ok()) return token.status();
  while (!token->empty() && token->back() == '\n') token->pop_back();
  const auto answer = agent::Call({.url = url_ + query,
                                   .headers = {fmt::format("{}: {}", kTokenHeader, *token)},
                                   .is_post = is_post,
                                   .patience = kPatience});
  if (!answer.ok()) return answer.status();
  if (answer->gate != gate_) {
    return absl::FailedPreconditionError(
        fmt::format("{} answered {} and is not the gate's Lua: paste the gate's snippet "
                    "(`headgate-agent snippet nginx …`) into that server and reload",
                    url_, answer->status));
  }
  if (answer->status == 403) {
    return absl::FailedPreconditionError(
        fmt::format("{} does not take the token of {}: nginx must be able to read that file, and "
                    "reads it at its start and reload",
                    url_, token_));
  }
  if (answer->status != 200) return NotOurs(fmt::format("{}", answer->status));
  return ParseTold(gate_, answer->body);
}

}  // namespace headgate::nginx
