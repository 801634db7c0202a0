#include "agents/core/page_css.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <vector>

#include "common/base/text.h"

namespace headgate::agent {
namespace {

constexpr std::size_t kShown = 60;
constexpr std::size_t kEscapeDigitsMax = 6;

bool IsSpace(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
char Lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }
bool IsHex(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }
bool IsOfName(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
}

// In small letters, without comments, and with its escapes as what they stand for.
class Plain {
 public:
  explicit Plain(const std::string& css) : css_(css) {
    while (i_ < css_.size()) Step();
  }
  const std::string& text() const { return text_; }
  // Where in the given text that letter stood.
  std::size_t At(std::size_t i) const { return i < at_.size() ? at_[i] : css_.size(); }

 private:
  void Put(char c, std::size_t at) {
    text_ += Lower(c);
    at_.push_back(at);
  }

  void Step() {
    const char c = css_[i_];
    if (c == '\\') return Escape();
    if (quote_ == 0 && !is_address_ && css_.compare(i_, 2, "/*") == 0) {
      const std::size_t end = css_.find("*/", i_ + 2);
      Put(' ', i_);
      i_ = end == std::string::npos ? css_.size() : end + 2;
      return;
    }
    Put(c, i_);
    ++i_;
    if (quote_ != 0) {
      if (c == quote_ || c == '\n') quote_ = 0;
      return;
    }
    if (is_address_) {
      is_address_ = c != ')';
      return;
    }
    if (c == '"' || c == '\'') quote_ = c;
    // Without quotes everything up to the parenthesis is the address, "/*" too.
    if (c == '(' && text_.ends_with("url(")) {
      const std::size_t first = css_.find_first_not_of(" \t\r\n\f", i_);
      is_address_ = first != std::string::npos && css_[first] != '"' && css_[first] != '\'';
    }
  }

  // "\75 ", "\000075", "\u", or the end of a line within a string.
  void Escape() {
    const std::size_t from = i_++;
    if (i_ >= css_.size()) return;
    unsigned code = 0;
    std::size_t digits = 0;
    while (i_ < css_.size() && digits < kEscapeDigitsMax && IsHex(css_[i_])) {
      code = code * 16 + static_cast<unsigned>(std::stoi(std::string(1, css_[i_]), nullptr, 16));
      ++digits;
      ++i_;
    }
    if (digits == 0) {
      const char c = css_[i_++];
      if (c != '\n') Put(IsOfName(c) || c == '@' || c == ':' || c == '/' ? c : '?', from);
      return;
    }
    if (i_ < css_.size() && IsSpace(css_[i_])) ++i_;
    const char c = code < 0x80 ? static_cast<char>(code) : '?';
    // What is escaped opens and closes nothing.
    Put(c == '"' || c == '\'' || c == '(' || c == ')' || c == 0 ? '?' : c, from);
  }

  const std::string& css_;
  std::string text_;
  std::vector<std::size_t> at_;
  std::size_t i_ = 0;
  char quote_ = 0;
  bool is_address_ = false;
};

// Behind the parenthesis of url(.
std::string AddressAt(const std::string& text, std::size_t from) {
  const std::size_t first = text.find_first_not_of(" \t\r\n\f", from);
  if (first == std::string::npos) return "";
  const bool is_quoted = text[first] == '"' || text[first] == '\'';
  const std::size_t begin = is_quoted ? first + 1 : first;
  const std::size_t end = text.find(is_quoted ? text[first] : ')', begin);
  return text.substr(begin, end == std::string::npos ? end : end - begin);
}

// The name before the parenthesis at `open`.
std::string_view NameBefore(const std::string& text, std::size_t open) {
  std::size_t from = open;
  while (from > 0 && IsOfName(text[from - 1])) --from;
  return std::string_view(text).substr(from, open - from);
}

// Functions whose strings are addresses, but for those of type(). A variable may hold one.
bool HasOutsideString(const std::string& text, std::size_t open) {
  std::vector<std::string_view> names = {NameBefore(text, open)};
  for (std::size_t i = open + 1; i < text.size() && !names.empty(); ++i) {
    const char c = text[i];
    if (c == '(') {
      names.push_back(NameBefore(text, i));
      if (names.back() == "var" || names.back() == "attr") return true;
    }
    if (c == ')') names.pop_back();
    if (c != '"' && c != '\'') continue;
    const std::size_t end = std::min(text.find(c, i + 1), text.size());
    const bool is_address = names.back() != "type" && names.back() != "url";
    if (is_address && !IsInThePage(text.substr(i + 1, end - i - 1))) return true;
    i = end;
  }
  return false;
}

bool IsOneOf(std::string_view name, const auto& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool IsInThePage(const std::string& address) {
  std::string plain;
  // Browsers leave out what is no letter of an address.
  for (const char c : address) {
    if (static_cast<unsigned char>(c) > ' ') plain += Lower(c);
  }
  return plain.empty() || plain.starts_with('#') || plain.starts_with("data:");
}

std::optional<LoadedByCss> FindLoadedByCss(const std::string& css) {
  using Names = std::array<std::string_view, 2>;
  constexpr Names kAddresses = {"url", "src"};
  constexpr std::array<std::string_view, 5> kOfStrings = {"image-set", "-webkit-image-set", "image",
                                                          "cross-fade", "-webkit-cross-fade"};
  constexpr std::string_view kImport = "@import";
  const Plain plain(css);
  const std::string& text = plain.text();
  const auto found = [&](std::size_t from, std::size_t to) {
    const std::size_t end = std::min({to, from + kShown, text.size()});
    const std::size_t at = plain.At(from);
    return LoadedByCss{at, ValidUtf8(css.substr(at, plain.At(end) - at))};
  };
  const std::size_t import = text.find(kImport);
  for (std::size_t i = text.find('('); i < text.size() && i < import; i = text.find('(', i + 1)) {
    const std::string_view name = NameBefore(text, i);
    const bool is_loaded = IsOneOf(name, kAddresses)
                               ? !IsInThePage(AddressAt(text, i + 1))
                               : IsOneOf(name, kOfStrings) && HasOutsideString(text, i);
    if (is_loaded) return found(i - name.size(), std::min(text.find(')', i), text.size()) + 1);
  }
  if (import == std::string::npos) return std::nullopt;
  return found(import, text.find(';', import));
}

}  // namespace headgate::agent
