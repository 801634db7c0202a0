// HTTP/1.1 messages as the test programs speak them: heads with Content-Length bodies, no chunks,
// no continuation lines. Pure values and parsers, without sockets or threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace headgate::support {

// A message whose head is longer is malformed.
inline constexpr std::size_t kHeadBytesMax = 16 * 1024;
inline constexpr std::size_t kBodyBytesMax = 256 * 1024;

using Headers = std::vector<std::pair<std::string, std::string>>;

// The first header of that name, whatever its case.
std::optional<std::string_view> FindHeader(const Headers& headers, std::string_view name);

struct Request {
  std::string method = "GET";
  std::string target = "/";
  Headers headers;
  bool keep_alive = true;
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  bool keep_alive = true;
};

// Takes one whole message from the front of `buffer`. Nothing yet: more bytes are needed.
// INVALID_ARGUMENT: what came is no message, or is beyond a limit; close the connection.
absl::StatusOr<std::optional<Request>> TakeRequest(std::string& buffer);
// `at_end`: the peer has closed, so a body without a length is complete.
absl::StatusOr<std::optional<Response>> TakeResponse(std::string& buffer, bool at_end);

std::string Serialise(const Request& request);
std::string Serialise(const Response& response);

}  // namespace headgate::support
