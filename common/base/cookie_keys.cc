#include "common/base/cookie_keys.h"

#include <algorithm>

namespace headgate {

bool CookieKeys::AreSound() const {
  const auto is_sound = [&](const CookieKey& key) {
    const auto has_its_id = [&](const CookieKey& other) { return other.id == key.id; };
    return key.id != 0 && key.secret.size() == kCookieSecretBytes &&
           std::count_if(keys.begin(), keys.end(), has_its_id) == 1;
  };
  return !keys.empty() && keys.size() <= kCookieKeysMax &&
         std::all_of(keys.begin(), keys.end(), is_sound) &&
         std::any_of(keys.begin(), keys.end(),
                     [&](const CookieKey& key) { return key.id == issuing; });
}

}  // namespace headgate
