// The manual page of a program, in roff's man macros. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "packaging/pages/words.h"

namespace headgate::pages {

// What --help does not say.
struct Page {
  std::string section;
  // Of the line NAME.
  std::string summary;
  std::string version;
  // "Name" and what it is, for FILES and ENVIRONMENT.
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::pair<std::string, std::string>> files;
  // "headgated(8)".
  std::vector<std::string> see_also;
};

std::string ManualOf(const Command& program, const Page& page);

}  // namespace headgate::pages
