#include "agents/core/page_scan.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <map>
#include <string_view>
#include <utility>

namespace headgate::agent {
namespace {

constexpr std::array<std::string_view, 8> kWithoutMarkup = {
    "style", "script", "title", "textarea", "xmp", "iframe", "noembed", "noframes"};
constexpr std::size_t kReferenceBytesMax = 12;

bool IsLetter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool IsSpace(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

std::string InSmallLetters(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Those that an address or a function can be written with.
char NamedReference(const std::string& name) {
  static const std::map<std::string, char> names = {
      {"amp", '&'},  {"lt", '<'},    {"gt", '>'},     {"quot", '"'},  {"apos", '\''},
      {"num", '#'},  {"colon", ':'}, {"sol", '/'},    {"bsol", '\\'}, {"lpar", '('},
      {"rpar", ')'}, {"comma", ','}, {"period", '.'}, {"semi", ';'},  {"equals", '='},
      {"Tab", '\t'}, {"commat", '@'}};
  const auto found = names.find(name);
  return found == names.end() ? '\0' : found->second;
}

class Scanner {
 public:
  explicit Scanner(const std::string& page) : page_(page) {}

  std::vector<PagePiece> Scan() {
    while (at_ < page_.size()) {
      if (page_[at_] != '<') {
        TakeText(page_.find('<', at_), "");
      } else if (at_ + 1 < page_.size() && IsLetter(page_[at_ + 1])) {
        TakeTag();
      } else if (page_.compare(at_, 4, "<!--") == 0) {
        SkipComment();
      } else if (at_ + 1 < page_.size() &&
                 std::string_view("!?/").find(page_[at_ + 1]) != std::string_view::npos) {
        SkipTo('>');
      } else {
        TakeText(page_.find('<', at_ + 1), "");
      }
    }
    return std::move(pieces_);
  }

 private:
  void TakeText(std::size_t end, const std::string& within) {
    end = std::min(end, page_.size());
    if (end > at_) {
      pieces_.push_back(
          {.tag = "", .text = page_.substr(at_, end - at_), .within = within, .at = at_});
    }
    at_ = end;
  }

  void SkipTo(char c) {
    const std::size_t end = page_.find(c, at_);
    at_ = end == std::string::npos ? page_.size() : end + 1;
  }

  // "<!-->" is one, and "--!>" ends one.
  void SkipComment() {
    at_ += 4;
    if (page_.compare(at_, 1, ">") == 0 || page_.compare(at_, 2, "->") == 0) return SkipTo('>');
    const std::size_t plain = page_.find("-->", at_);
    const std::size_t other = page_.find("--!>", at_);
    at_ = std::min(plain, other);
    if (at_ != std::string::npos) return SkipTo('>');
    at_ = page_.size();
  }

  void SkipSpaces() {
    while (at_ < page_.size() && (IsSpace(page_[at_]) || page_[at_] == '/')) ++at_;
  }

  std::string TakeUntil(std::string_view ends) {
    const std::size_t end = std::min(page_.find_first_of(ends, at_), page_.size());
    std::string text = page_.substr(at_, end - at_);
    at_ = end;
    return text;
  }

  std::string TakeValue() {
    while (at_ < page_.size() && IsSpace(page_[at_])) ++at_;
    if (at_ >= page_.size()) return "";
    const char quote = page_[at_];
    if (quote != '"' && quote != '\'') return TakeUntil(" \t\r\n\f>");
    ++at_;
    std::string value = TakeUntil(std::string_view(&quote, 1));
    if (at_ < page_.size()) ++at_;
    return value;
  }

  void TakeTag() {
    PagePiece piece;
    piece.at = at_++;
    piece.tag = InSmallLetters(TakeUntil(" \t\r\n\f/>"));
    for (SkipSpaces(); at_ < page_.size() && page_[at_] != '>'; SkipSpaces()) {
      PageAttribute attribute;
      attribute.at = at_;
      // A name may begin with '='.
      attribute.name = page_[at_] == '=' ? std::string(1, page_[at_++]) : "";
      attribute.name += TakeUntil(" \t\r\n\f/>=");
      attribute.name = InSmallLetters(std::move(attribute.name));
      while (at_ < page_.size() && IsSpace(page_[at_])) ++at_;
      if (at_ < page_.size() && page_[at_] == '=') {
        ++at_;
        attribute.value = WithoutReferences(TakeValue());
      }
      piece.attributes.push_back(std::move(attribute));
    }
    if (at_ < page_.size()) ++at_;
    const std::string tag = piece.tag;
    pieces_.push_back(std::move(piece));
    const bool has_markup =
        std::find(kWithoutMarkup.begin(), kWithoutMarkup.end(), tag) == kWithoutMarkup.end();
    if (!has_markup) TakeText(EndOf(tag), tag);
  }

  std::size_t EndOf(const std::string& tag) const {
    for (std::size_t at = page_.find("</", at_); at != std::string::npos;
         at = page_.find("</", at + 2)) {
      if (InSmallLetters(page_.substr(at + 2, tag.size())) == tag) return at;
    }
    return std::string::npos;
  }

  const std::string& page_;
  std::size_t at_ = 0;
  std::vector<PagePiece> pieces_;
};

}  // namespace

const PageAttribute* PagePiece::Find(const std::string& name) const {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [&](const PageAttribute& one) { return one.name == name; });
  return found == attributes.end() ? nullptr : &*found;
}

std::vector<PagePiece> ScanPage(const std::string& page) { return Scanner(page).Scan(); }

std::string WithoutReferences(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t end = text[i] == '&' ? text.find(';', i) : std::string::npos;
    if (text[i] != '&') {
      plain += text[i];
      continue;
    }
    if (text.compare(i, 2, "&#") == 0) {
      const bool is_hex = i + 2 < text.size() && (text[i + 2] == 'x' || text[i + 2] == 'X');
      const char* const digits = text.c_str() + i + (is_hex ? 3 : 2);
      char* rest = nullptr;
      const unsigned long code = std::strtoul(digits, &rest, is_hex ? 16 : 10);
      if (rest != digits) {
        plain += code > 0 && code < 0x80 ? static_cast<char>(code) : '?';
        i = static_cast<std::size_t>(rest - text.c_str()) - (*rest == ';' ? 0 : 1);
        continue;
      }
    }
    const bool may_be_named = end != std::string::npos && end - i <= kReferenceBytesMax;
    const char named = may_be_named ? NamedReference(text.substr(i + 1, end - i - 1)) : '\0';
    plain += named == '\0' ? '&' : named;
    if (named != '\0') i = end;
  }
  return plain;
}

}  // namespace headgate::agent
