// What a page would fetch, run or lead to beyond itself: nothing else is there for who waits. Pure:
// any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace headgate::agent {

struct PageFinding {
  // Where it stands in the page.
  std::size_t at = 0;
  // What it is, what is wrong with it, and what to write instead.
  std::string words;
};
// The first; unset if the page stands by itself. A link that people follow is none.
std::optional<PageFinding> FindExternal(const std::string& page);

// A person sees a word or a picture.
bool ShowsSomething(const std::string& page);

}  // namespace headgate::agent
