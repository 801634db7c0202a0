// How many new cookies each address got within a minute. Thread-safe; bounded: beyond kAddressesMax
// addresses in one minute no further one is limited, because that is a crowd and not a drawer.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>

#include "agents/endpoint/network.h"
#include "common/base/clock.h"

namespace headgate::endpoint {

class NewCookies {
 public:
  static constexpr std::size_t kAddressesMax = 65'536;
  static constexpr Duration kWindow = std::chrono::minutes(1);

  // 0: without a limit.
  explicit NewCookies(unsigned per_window) : per_window_(per_window) {}

  // One more for this address, of IPv6 for its /64; false: it has had too many.
  bool Take(Address address, TimePoint now);

 private:
  const unsigned per_window_;
  std::mutex mutex_;
  // Protected by mutex_.
  TimePoint window_;
  std::map<Address, unsigned> given_;
};

}  // namespace headgate::endpoint
