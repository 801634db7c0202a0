// A waiting page in one language, ours or the operator's own: HTML with a few places in it. It is
// taken apart once, and becomes as many fixed texts as there is to tell, so that a load balancer
// only has to put plain words in. Pure: any thread.
//
//   {{retry_after}}                 seconds until the page looks again
//   {{#share}} … {{/share}}         only where the person's place is known; in it {{share}}, "50"
//   {{^share}} … {{/share}}         only where it is not
//   {{#time}} … {{/time}}           only where the time is known too; in it {{time}} and {{zone}}
//   {{^time}} … {{/time}}           only where it is not
//   {{#soon}} … {{/soon}}           only where the next look decides, in a second; {{^soon}}: else
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace headgate::agent {

// HAProxy answers from one buffer of 16 KiB, header and all.
inline constexpr std::size_t kTemplateBytesMax = 12 * 1024;

// How much is known of a person's return. A time implies a share. kSoon: who was refused only for
// the lack of a place, which they have by now, and need but look again.
enum class Known { kSoon, kNothing, kShare, kTime };
inline constexpr std::array kKnown = {Known::kSoon, Known::kNothing, Known::kShare, Known::kTime};
// Of Retry-After, for kSoon.
inline constexpr std::uint32_t kSoonS = 1;
// "soon", "nothing", "share" or "time".
const char* NameOf(Known known);

// What stands in each place: words, or how a load balancer writes a variable.
struct WaitWords {
  std::string retry_after;
  std::string share;
  std::string time;
  std::string zone;
};

class WaitTemplate {
 public:
  // INVALID_ARGUMENT names the line, what is wrong with it, and what to write: a place that does
  // not exist, one outside of its section, a section that does not end, something that the page
  // would load, run or lead to (nothing else is there while the shop is closed), a page that shows
  // nothing, is too large or not UTF-8.
  static absl::StatusOr<WaitTemplate> Parse(const std::string& text);

  // `literal`: how the load balancer writes what is not a place; null: as it is.
  std::string Text(Known known, const WaitWords& words,
                   const std::function<std::string(const std::string&)>& literal = nullptr) const;

 private:
  enum class Place { kNone, kRetryAfter, kShare, kTime, kZone };
  struct Piece {
    std::string literal;
    Place place = Place::kNone;
    // In which texts it stands, in the order of kKnown.
    std::array<bool, kKnown.size()> stands{};
  };
  class Reader;
  std::vector<Piece> pieces_;
};

}  // namespace headgate::agent
