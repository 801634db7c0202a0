#include "agents/endpoint/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace headgate::endpoint {
namespace {

constexpr unsigned kIpv4Prefix = 96;
constexpr std::size_t kAddressBytesMax = 64;

// "192.0.2.1" of "192.0.2.1:443" and "2001:db8::1" of "[2001:db8::1]:443".
std::string_view WithoutPort(std::string_view text) {
  if (text.starts_with('[')) return text.substr(1, text.find(']') - 1);
  const std::size_t colon = text.find(':');
  const bool is_v6 = colon != std::string_view::npos && text.find(':', colon + 1) != text.npos;
  return is_v6 ? text : text.substr(0, colon);
}

}  // namespace

std::optional<Address> ParseAddress(std::string_view text) {
  if (text.size() > kAddressBytesMax) return std::nullopt;
  const std::string word(WithoutPort(text));
  Address address{};
  if (inet_pton(AF_INET6, word.c_str(), address.data()) == 1) return address;
  if (inet_pton(AF_INET, word.c_str(), address.data() + 12) != 1) return std::nullopt;
  address[10] = address[11] = 0xff;
  return address;
}

bool IsV4(const Address& address) {
  return std::all_of(address.begin(), address.begin() + 10,
                     [](std::uint8_t byte) { return byte == 0; }) &&
         address[10] == 0xff && address[11] == 0xff;
}

std::optional<Network> Network::Parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view word = text.substr(0, slash);
  const std::optional<Address> address = ParseAddress(word);
  if (!address) return std::nullopt;
  Network network{.first = *address};
  if (slash == std::string_view::npos) return network;
  const std::string_view bits = text.substr(slash + 1);
  const auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), network.bits);
  if (error != std::errc() || end != bits.data() + bits.size()) return std::nullopt;
  if (word.find(':') == std::string_view::npos) network.bits += kIpv4Prefix;
  return network.bits <= 128 ? std::optional(network) : std::nullopt;
}

bool Network::Contains(const Address& address) const {
  const unsigned whole = bits / 8;
  if (!std::equal(first.begin(), first.begin() + whole, address.begin())) return false;
  if (bits % 8 == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - bits % 8));
  return ((first[whole] ^ address[whole]) & mask) == 0;
}

}  // namespace headgate::endpoint
