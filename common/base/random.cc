#include "common/base/random.h"

#include <sys/random.h>
#include <sys/types.h>

#include "common/base/check.h"

namespace headgate {

std::string RandomBytes(std::size_t count) {
  HEADGATE_CHECK(count <= kRandomBytesMax);
  std::string bytes(count, '\0');
  HEADGATE_CHECK(getrandom(bytes.data(), count, 0) == static_cast<ssize_t>(count));
  return bytes;
}

}  // namespace headgate
