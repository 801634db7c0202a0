#include "common/base/text.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace headgate {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct SequenceKind {
  // Of the first byte.
  std::uint8_t mask;
  std::uint8_t pattern;
  std::size_t length;
  // Smaller code points must be written with fewer bytes (RFC 3629).
  std::uint32_t smallest;
};
constexpr std::array<SequenceKind, 4> kKinds = {
    {{0x80, 0x00, 1, 0}, {0xE0, 0xC0, 2, 0x80}, {0xF0, 0xE0, 3, 0x800}, {0xF8, 0xF0, 4, 0x10000}}};

bool Continues(char letter) { return (static_cast<unsigned char>(letter) & 0xC0U) == 0x80U; }

// Of the sequence that `text` begins with; 0: it begins with none.
std::size_t SequenceLength(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  for (const SequenceKind& kind : kKinds) {
    if ((first & kind.mask) != kind.pattern) continue;
    if (text.size() < kind.length) return 0;
    std::uint32_t code = first & static_cast<unsigned char>(~kind.mask);
    for (const char letter : text.substr(1, kind.length - 1)) {
      if (!Continues(letter)) return 0;
      code = code << 6U | (static_cast<unsigned char>(letter) & 0x3FU);
    }
    const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
    return code < kind.smallest || code > 0x10FFFF || is_surrogate ? 0 : kind.length;
  }
  return 0;
}

}  // namespace

std::string ValidUtf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = SequenceLength(text);
    valid += length == 0 ? kReplacement : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return valid;
}

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos;
}

std::string CutUtf8(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return std::string(text);
  while (bytes > 0 && Continues(text[bytes])) --bytes;
  return std::string(text.substr(0, bytes));
}

}  // namespace headgate
