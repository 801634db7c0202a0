// One HTTP request to the load balancer beside the agent. Any thread. Promises: returns within the
// patience; never follows a redirect, never reuses a connection (an old worker might be behind it),
// never takes a proxy, and takes no more of an answer than the limit.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"

namespace headgate::agent {

inline constexpr std::size_t kHttpBodyBytesMax = 4096;

struct HttpCall {
  std::string url;
  // "Name: value" each.
  std::vector<std::string> headers{};
  bool is_post = false;
  Duration patience{500};
  // Of a Unix socket to connect to in place of the URL's host.
  std::string unix_socket{};
  std::size_t body_bytes_max = kHttpBodyBytesMax;
};

struct HttpAnswer {
  long status = 0;
  // Of kGateHeader; empty if there was none.
  std::string gate;
  // Its first body_bytes_max bytes.
  std::string body;
  // There were more.
  bool is_cut = false;
};

// Every answer of a gate's own rules carries it, with the gate's name.
inline constexpr char kGateHeader[] = "X-Headgate-Gate";

// UNAVAILABLE says why there is no answer.
absl::StatusOr<HttpAnswer> Call(const HttpCall& call);

}  // namespace headgate::agent
