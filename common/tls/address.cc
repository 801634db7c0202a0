#include "common/tls/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <string>
#include <system_error>

namespace headgate::tls {
namespace {

// The host of "host", "host:port", "[v6]" and "[v6]:port".
std::string HostOf(std::string_view address) {
  if (address.starts_with('[')) {
    const std::size_t end = address.find(']');
    return std::string(end == std::string_view::npos ? "" : address.substr(1, end - 1));
  }
  const std::size_t colon = address.find(':');
  const bool is_bare_v6 = colon != std::string_view::npos && address.rfind(':') != colon;
  return std::string(is_bare_v6 ? address : address.substr(0, colon));
}

}  // namespace

bool IsLoopback(std::string_view address) {
  if (address.starts_with("unix:")) return true;
  const std::string host = HostOf(address);
  if (host == "localhost") return true;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24U) == 127U;
  in6_addr v6{};
  if (inet_pton(AF_INET6, host.c_str(), &v6) != 1) return false;
  return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127U);
}

absl::Status CheckHostPort(std::string_view address, std::string_view flag) {
  const std::size_t colon = address.rfind(':');
  if (colon != std::string_view::npos && colon > 0) {
    const std::string_view host = address.substr(0, colon);
    const bool is_bare_v6 = host.find(':') != std::string_view::npos && !host.ends_with(']');
    const std::string_view port = address.substr(colon + 1);
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    const bool is_port = error == std::errc() && end == port.data() + port.size() && number > 0;
    if (is_port && !is_bare_v6) return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      fmt::format("{} '{}' is not HOST:PORT: write e.g. headgate.example:7443, 127.0.0.1:7443 or "
                  "[::1]:7443",
                  flag, address));
}

absl::Status CheckPlaintextAllowed(std::string_view address, bool asked_for,
                                   std::string_view flag) {
  if (!asked_for) {
    return absl::FailedPreconditionError(fmt::format(
        "{}: no certificate given, and plaintext was not asked for; give a certificate, or {} for "
        "plaintext on a loopback address",
        address, flag));
  }
  if (!IsLoopback(address)) {
    return absl::FailedPreconditionError(fmt::format(
        "{}: plaintext is for loopback only; give a certificate, or bind to 127.0.0.1 or [::1]",
        address));
  }
  return absl::OkStatus();
}

}  // namespace headgate::tls
