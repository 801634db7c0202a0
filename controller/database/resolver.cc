#include "controller/database/resolver.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <utility>

#include "common/base/check.h"

namespace headgate::database {
namespace {

absl::StatusOr<std::vector<std::string>> LookUp(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error == EAI_NONAME) {
    return absl::NotFoundError(fmt::format("the name {} does not exist", host));
  }
  if (error != 0) {
    return absl::UnavailableError(
        fmt::format("the name {} cannot be looked up: {}", host, gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, &freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* at = found; at != nullptr && addresses.size() < Resolver::kAddressesMax;
       at = at->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(at->ai_addr, at->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) != 0) {
      continue;
    }
    std::string address(text.data());
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
      addresses.push_back(std::move(address));
    }
  }
  if (addresses.empty()) {
    return absl::NotFoundError(fmt::format("the name {} has no address", host));
  }
  return addresses;
}

}  // namespace

struct Resolver::Lookup {
  std::atomic<bool> is_done = false;
  // Written before is_done, read after it.
  absl::StatusOr<std::vector<std::string>> addresses;
};

bool Resolver::NeedsLookup(const std::string& host) {
  if (host.empty() || host.front() == '/' || host.front() == '@') return false;
  std::array<unsigned char, sizeof(in6_addr)> binary{};
  const std::string address = host.substr(0, host.find('%'));
  return inet_pton(AF_INET, address.c_str(), binary.data()) != 1 &&
         inet_pton(AF_INET6, address.c_str(), binary.data()) != 1;
}

void Resolver::Begin(const std::string& host) {
  if (lookup_ != nullptr && !lookup_->is_done) return;
  lookup_ = std::make_shared<Lookup>();
  std::thread([lookup = lookup_, host] {
    lookup->addresses = LookUp(host);
    lookup->is_done = true;
  }).detach();
}

bool Resolver::IsDone() const { return lookup_ != nullptr && lookup_->is_done; }

absl::StatusOr<std::vector<std::string>> Resolver::Take() {
  HEADGATE_CHECK(IsDone());
  return std::move(std::exchange(lookup_, nullptr)->addresses);
}

}  // namespace headgate::database
