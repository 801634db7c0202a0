// What a browser fetches for a piece of CSS, whichever way that is written: with escapes, comments
// within, as a string of image-set(). Pure: any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace headgate::agent {

struct LoadedByCss {
  // Of the text as it was given.
  std::size_t at = 0;
  // As in "url(/b.jpg".
  std::string value;
};
// The first; unset if nothing is fetched.
std::optional<LoadedByCss> FindLoadedByCss(const std::string& css);

// In the page already: empty, "#…" or "data:…".
bool IsInThePage(const std::string& address);

}  // namespace headgate::agent
