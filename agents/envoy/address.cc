#include "agents/envoy/address.h"

#include <fmt/format.h>

#include <algorithm>

#include "agents/core/snippet_words.h"

namespace headgate::envoy {

absl::StatusOr<std::string> SocketAddress(const std::string& what, const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const bool has_port = colon != std::string::npos && colon > 0 && colon + 1 < text.size() &&
                        std::all_of(text.begin() + static_cast<std::ptrdiff_t>(colon) + 1,
                                    text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!has_port || !agent::CheckPlainWord(what, text).ok()) {
    return absl::InvalidArgumentError(
        fmt::format("{} '{}': write HOST:PORT, as in 127.0.0.1:8080", what, text));
  }
  return fmt::format("{{socket_address: {{address: {}, port_value: {}}}}}", text.substr(0, colon),
                     text.substr(colon + 1));
}

absl::StatusOr<std::string> AgentAddress(const std::string& what, const std::string& text) {
  constexpr std::string_view kUnix = "unix:";
  if (!text.starts_with(kUnix)) return SocketAddress(what, text);
  const std::string path = text.substr(kUnix.size());
  if (absl::Status status = agent::CheckPlainWord(what, path); !status.ok()) return status;
  return fmt::format("{{pipe: {{path: {}}}}}", path);
}

std::string ClusterOf(const std::string& name, const std::string& address) {
  return fmt::format(
      "- name: {0}\n"
      "  type: STRICT_DNS\n"
      "  connect_timeout: 1s\n"
      "  load_assignment:\n"
      "    cluster_name: {0}\n"
      "    endpoints: [{{lb_endpoints: [{{endpoint: {{address: {1}}}}}]}}]\n",
      name, address);
}

}  // namespace headgate::envoy
