// An HTML page taken apart into tags and text, as a browser does as far as it matters for what is
// fetched: attributes in every writing, character references, comments, and elements whose content
// is no markup. Pure: any thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace headgate::agent {

struct PageAttribute {
  // In small letters.
  std::string name;
  // With its character references as what they stand for.
  std::string value;
  // Where its name stands in the page.
  std::size_t at = 0;
};

struct PagePiece {
  // Of a start tag, in small letters; empty: it is text.
  std::string tag;
  std::vector<PageAttribute> attributes{};
  // The text as it stands there, and the element that it is the content of, where that is no markup
  // (style, script, title, textarea and the like).
  std::string text{};
  std::string within{};
  std::size_t at = 0;

  // Null if there is none.
  const PageAttribute* Find(const std::string& name) const;
};

// End tags and comments are left out.
std::vector<PagePiece> ScanPage(const std::string& page);

// "url(" of "&#117;rl&lpar;".
std::string WithoutReferences(const std::string& text);

}  // namespace headgate::agent
