#include "agents/endpoint/new_cookies.h"

#include <algorithm>

namespace headgate::endpoint {
namespace {

constexpr std::size_t kSiteBytes = 8;

}  // namespace

bool NewCookies::Take(Address address, TimePoint now) {
  if (per_window_ == 0) return true;
  if (!IsV4(address)) std::fill(address.begin() + kSiteBytes, address.end(), 0);
  const std::lock_guard lock(mutex_);
  if (now - window_ >= kWindow) {
    given_.clear();
    window_ = now;
  }
  const auto found = given_.find(address);
  if (found == given_.end()) {
    if (given_.size() < kAddressesMax) given_.emplace(address, 1);
    return true;
  }
  if (found->second >= per_window_) return false;
  ++found->second;
  return true;
}

}  // namespace headgate::endpoint
