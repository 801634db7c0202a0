// The HAProxy configuration that makes a gate, for people to paste, and the map file that it reads.
// Pure: any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agents/haproxy/key.h"

namespace headgate::haproxy {

inline constexpr std::size_t kGateNameBytesMax = 63;
inline constexpr std::size_t kBypassesMax = 32;

// 1 to 63 characters of [a-z0-9-], starting with a letter: it becomes part of file and variable
// names. INVALID_ARGUMENT otherwise.
absl::Status CheckGateName(const std::string& name);
// Of paths and backends: nothing that HAProxy's configuration or socket would read otherwise.
absl::Status CheckPlainWord(const std::string& what, const std::string& word);
std::string WaitBackendOf(const std::string& gate);

struct SnippetOptions {
  std::string gate;
  std::string app_backend;
  UserKey key;
  std::vector<std::uint32_t> slow_ms;
  std::string map;
  std::string socket;
  // "path=/healthz" or "cidr=203.0.113.0/24"; never the whole internet.
  std::vector<std::string> bypass;
  std::string probe_path = "/.headgate/probe";
  // Empty: the page is part of the snippet. Else a template in HAProxy's log format.
  std::string page_file{};
  // Which of HAProxy's tracking slots (sc0 to sc2) the gate may use.
  int track_slot = 2;
};

// INVALID_ARGUMENT says which option, its value, and what to write.
absl::StatusOr<std::string> Snippet(const SnippetOptions& options);

}  // namespace headgate::haproxy
