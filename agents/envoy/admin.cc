#include "agents/envoy/admin.h"

#include <fmt/format.h>

#include <utility>

#include "agents/core/http_call.h"

namespace headgate::envoy {
namespace {

std::string Encoded(const std::string& text) {
  std::string encoded;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    encoded += is_plain
                   ? std::string(1, c)
                   : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return encoded;
}

}  // namespace

Admin::Admin(std::string address) : address_(std::move(address)) {}

absl::StatusOr<std::string> Admin::Ask(const std::string& path, bool is_post) const {
  const bool is_socket = address_.starts_with('/');
  agent::HttpCall call{.url = fmt::format("http://{}{}", is_socket ? "envoy" : address_, path),
                       .is_post = is_post,
                       .patience = kPatience,
                       .body_bytes_max = kAnswerBytesMax};
  if (is_socket) call.unix_socket = address_;
  const auto answer = agent::Call(call);
  if (!answer.ok()) {
    return absl::UnavailableError(fmt::format("Envoy's admin interface {} cannot be asked: {}",
                                              address_, std::string(answer.status().message())));
  }
  const std::string what = path.substr(0, path.find('?'));
  if (answer->status != 200) {
    return absl::UnavailableError(fmt::format("Envoy's admin interface {} answered {} to {}",
                                              address_, answer->status, what));
  }
  if (answer->is_cut) {
    return absl::OutOfRangeError(
        fmt::format("{} of {} has more than {} bytes", what, address_, kAnswerBytesMax));
  }
  return answer->body;
}

absl::StatusOr<Runtime> Admin::ReadRuntime() const {
  const auto body = Ask("/runtime", false);
  if (!body.ok()) return body.status();
  return ParseRuntime(*body);
}

absl::StatusOr<Stats> Admin::ReadStats(const std::string& filter) const {
  const auto body =
      Ask("/stats?format=json&histogram_buckets=cumulative&filter=" + Encoded(filter), false);
  if (!body.ok()) return body.status();
  return ParseStats(*body);
}

absl::StatusOr<std::string> Admin::ReadVersion() const {
  const auto body = Ask("/server_info", false);
  if (!body.ok()) return body.status();
  return ParseVersion(*body);
}

absl::StatusOr<std::string> Admin::ReadLayerFile(const std::string& layer) const {
  const auto body = Ask("/config_dump?mask=bootstrap.layered_runtime", false);
  if (!body.ok()) return body.status();
  return ParseLayerFile(*body, layer);
}

absl::Status Admin::Set(const Entries& entries) const {
  std::string query;
  for (const auto& [entry, value] : entries) {
    query += fmt::format("{}{}={}", query.empty() ? "?" : "&", Encoded(entry), Encoded(value));
  }
  return Ask("/runtime_modify" + query, true).status();
}

}  // namespace headgate::envoy
