#include "common/base/version.h"

#include <fmt/format.h>

#include "common/base/bucket.h"

namespace headgate {
namespace {

void AppendLittleEndian(std::string& bytes, std::uint64_t value, int count) {
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<char>((value >> (8 * i)) & 0xFF));
}

}  // namespace

std::string Version::ToString() const { return fmt::format("{}.{}", epoch, revision); }

std::uint64_t DigestOf(const Directive& directive) {
  std::string bytes;
  AppendLittleEndian(bytes, directive.version.epoch, 8);
  AppendLittleEndian(bytes, directive.version.revision, 8);
  AppendLittleEndian(bytes, directive.share.ppm(), 4);
  AppendLittleEndian(bytes, directive.no_raise ? 1 : 0, 1);
  AppendLittleEndian(bytes, directive.retry_after_s, 4);
  AppendLittleEndian(bytes, directive.cookie_keys.issuing, 4);
  AppendLittleEndian(bytes, directive.cookie_keys.keys.size(), 4);
  for (const CookieKey& key : directive.cookie_keys.keys) {
    AppendLittleEndian(bytes, key.id, 4);
    bytes += key.secret;
  }
  bytes += directive.gate;
  return Hash64(bytes);
}

}  // namespace headgate
