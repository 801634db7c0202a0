// An address or a range of addresses, IPv4 and IPv6 alike. Pure: any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace headgate::endpoint {

// In network order; IPv4 as ::ffff:a.b.c.d, so that a client is the same by whichever way it comes.
using Address = std::array<std::uint8_t, 16>;

// Unset: it is none. Brackets and a port behind the address are left out.
std::optional<Address> ParseAddress(std::string_view text);
bool IsV4(const Address& address);

struct Network {
  // "203.0.113.0/24" or a single address.
  static std::optional<Network> Parse(std::string_view text);
  bool Contains(const Address& address) const;

  Address first{};
  unsigned bits = 128;
};

}  // namespace headgate::endpoint
