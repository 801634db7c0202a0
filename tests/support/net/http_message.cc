#include "tests/support/net/http_message.h"

#include <algorithm>
#include <charconv>

#include "absl/status/status.h"
#include "fmt/format.h"

namespace headgate::support {
namespace {

struct Head {
  std::string first_line;
  Headers headers;
  std::size_t bytes = 0;
  std::optional<std::size_t> content_length;
  bool keep_alive = true;
};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

absl::StatusOr<std::size_t> ParseLength(std::string_view text) {
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size() || length > kBodyBytesMax) {
    return absl::InvalidArgumentError(
        fmt::format("Content-Length {}: must be 0 to {}", text, kBodyBytesMax));
  }
  return length;
}

absl::Status AddHeader(std::string_view line, Head& head) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) {
    return absl::InvalidArgumentError(fmt::format("a header line without a name: {}", line));
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = Trim(line.substr(colon + 1));
  if (EqualsIgnoringCase(name, "Content-Length")) {
    auto length = ParseLength(value);
    if (!length.ok()) return length.status();
    head.content_length = *length;
  }
  if (EqualsIgnoringCase(name, "Transfer-Encoding")) {
    return absl::InvalidArgumentError("Transfer-Encoding is not spoken here");
  }
  if (EqualsIgnoringCase(name, "Connection") && EqualsIgnoringCase(value, "close")) {
    head.keep_alive = false;
  }
  head.headers.emplace_back(name, value);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Head>> ParseHead(std::string_view buffer) {
  const auto end = buffer.find("\r\n\r\n");
  if (std::min(end, buffer.size()) > kHeadBytesMax) {
    return absl::InvalidArgumentError(fmt::format("a head of over {} bytes", kHeadBytesMax));
  }
  if (end == std::string_view::npos) return std::nullopt;
  Head head;
  head.bytes = end + 4;
  std::string_view rest = buffer.substr(0, end);
  bool first = true;
  while (!rest.empty() || first) {
    const auto line_end = std::min(rest.find("\r\n"), rest.size());
    const std::string_view line = rest.substr(0, line_end);
    rest.remove_prefix(std::min(line_end + 2, rest.size()));
    if (first) {
      head.first_line = line;
      first = false;
      continue;
    }
    if (auto status = AddHeader(line, head); !status.ok()) return status;
  }
  return head;
}

void AppendHeaders(const Headers& headers, std::string& text) {
  for (const auto& [name, value] : headers) text += fmt::format("{}: {}\r\n", name, value);
}

const char* ReasonOf(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "Unknown";
  }
}

}  // namespace

std::optional<std::string_view> FindHeader(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (EqualsIgnoringCase(key, name)) return value;
  }
  return std::nullopt;
}

absl::StatusOr<std::optional<Request>> TakeRequest(std::string& buffer) {
  auto head = ParseHead(buffer);
  if (!head.ok()) return head.status();
  if (!head->has_value()) return std::nullopt;
  const Head& found = **head;
  const std::string_view line = found.first_line;
  const auto first_space = line.find(' ');
  const auto last_space = line.rfind(' ');
  if (first_space == std::string_view::npos || first_space == last_space ||
      !line.substr(last_space + 1).starts_with("HTTP/1.")) {
    return absl::InvalidArgumentError(fmt::format("no request line: {}", line));
  }
  const std::size_t whole = found.bytes + found.content_length.value_or(0);
  if (buffer.size() < whole) return std::nullopt;
  Request request{.method = std::string(line.substr(0, first_space)),
                  .target = std::string(line.substr(first_space + 1, last_space - first_space - 1)),
                  .headers = found.headers,
                  .keep_alive = found.keep_alive && line.ends_with("HTTP/1.1")};
  buffer.erase(0, whole);
  return request;
}

absl::StatusOr<std::optional<Response>> TakeResponse(std::string& buffer, bool at_end) {
  auto head = ParseHead(buffer);
  if (!head.ok()) return head.status();
  if (!head->has_value()) return std::nullopt;
  const Head& found = **head;
  const std::string_view line = found.first_line;
  int status = 0;
  if (line.size() < 12 || !line.starts_with("HTTP/1.") ||
      std::from_chars(line.data() + 9, line.data() + 12, status).ptr != line.data() + 12) {
    return absl::InvalidArgumentError(fmt::format("no status line: {}", line));
  }
  if (!found.content_length.has_value() && !at_end) return std::nullopt;
  const std::size_t length = found.content_length.value_or(buffer.size() - found.bytes);
  if (buffer.size() < found.bytes + length) return std::nullopt;
  Response response{.status = status,
                    .headers = found.headers,
                    .body = buffer.substr(found.bytes, length),
                    .keep_alive = found.keep_alive && found.content_length.has_value() &&
                                  line.starts_with("HTTP/1.1")};
  buffer.erase(0, found.bytes + length);
  return response;
}

std::string Serialise(const Request& request) {
  std::string text = fmt::format("{} {} HTTP/1.1\r\n", request.method, request.target);
  AppendHeaders(request.headers, text);
  text += request.keep_alive ? "\r\n" : "Connection: close\r\n\r\n";
  return text;
}

std::string Serialise(const Response& response) {
  std::string text = fmt::format("HTTP/1.1 {} {}\r\n", response.status, ReasonOf(response.status));
  AppendHeaders(response.headers, text);
  if (!response.keep_alive) text += "Connection: close\r\n";
  text += fmt::format("Content-Length: {}\r\n\r\n", response.body.size());
  text += response.body;
  return text;
}

}  // namespace headgate::support
