#include "agents/core/page_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "agents/core/page_css.h"
#include "agents/core/page_scan.h"
#include "common/base/text.h"

namespace headgate::agent {
namespace {

constexpr std::size_t kShown = 60;

constexpr std::array<std::string_view, 10> kLoading = {
    "src",      "lowsrc",   "dynsrc",  "poster",  "background",
    "manifest", "codebase", "classid", "archive", "attributionsrc"};
constexpr std::array<std::string_view, 3> kReferring = {"href", "xlink:href", "data"};
constexpr std::array<std::string_view, 2> kSets = {"srcset", "imagesrcset"};
constexpr std::array<std::string_view, 2> kSending = {"action", "formaction"};
// Of an animation of an address.
constexpr std::array<std::string_view, 4> kAnimated = {"to", "from", "by", "values"};
// Words for people, which name functions without calling them.
constexpr std::array<std::string_view, 5> kWords = {"alt", "content", "placeholder", "title",
                                                    "value"};
constexpr std::array<std::string_view, 10> kNeverTags = {
    "link",  "iframe", "frame", "frameset", "object",
    "embed", "applet", "base",  "portal",   "fencedframe"};
constexpr std::array<std::string_view, 9> kPictures = {
    "img", "svg", "picture", "video", "canvas", "hr", "input", "progress", "meter"};

bool IsOneOf(std::string_view name, const auto& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string InSmallLetters(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// On one line, and not too long.
std::string Shown(const std::string& text) {
  std::string shown = CutUtf8(text, kShown);
  std::replace_if(
      shown.begin(), shown.end(), [](unsigned char c) { return c < ' '; }, ' ');
  return shown;
}

std::string Shown(const PageAttribute& attribute) {
  return Shown(fmt::format("{}=\"{}\"", attribute.name, attribute.value));
}

std::string Loaded(const std::string& what) {
  return fmt::format(
      "'{}' would be loaded, and nothing else is there for who waits: put styles into <style>, "
      "pictures into data:",
      Shown(what));
}

std::string Script(const std::string& what) {
  return fmt::format(
      "'{}' is a script, which may load anything: leave it out; the page looks again by itself "
      "with <meta http-equiv=\"refresh\" content=\"{{{{retry_after}}}}\">",
      Shown(what));
}

// As browsers read an address: "ht\ntps:\\host" is one of another host.
std::string PlainAddress(const std::string& address) {
  std::string plain;
  for (const char c : address) {
    if (static_cast<unsigned char>(c) > ' ') plain += c == '\\' ? '/' : c;
  }
  return InSmallLetters(std::move(plain));
}

bool IsElsewhere(const std::string& address) {
  const std::string plain = PlainAddress(address);
  return plain.starts_with("//") || plain.find(':') < plain.find_first_of("/?#");
}

bool IsScript(const std::string& address) {
  return PlainAddress(address).starts_with("javascript:");
}

// "a.png 1x, data:image/png;base64,AA 2x": an address ends with a space.
bool AreInThePage(const std::string& candidates) {
  constexpr char kSpaces[] = " \t\r\n\f";
  std::size_t at = 0;
  while (true) {
    at = candidates.find_first_not_of(std::string(kSpaces) + ",", at);
    if (at == std::string::npos) return true;
    const std::size_t end = std::min(candidates.find_first_of(kSpaces, at), candidates.size());
    if (!IsInThePage(candidates.substr(at, end - at))) return false;
    const bool ends_here = candidates[end - 1] == ',';
    at = ends_here ? end : std::min(candidates.find(',', end), candidates.size());
  }
}

// Behind "url=" in "12; url=/shop"; empty if it stays on this page.
std::string RefreshedTo(const std::string& content) {
  const std::size_t semicolon = content.find_first_of(";,");
  if (semicolon == std::string::npos) return "";
  std::string rest = content.substr(semicolon + 1);
  rest.erase(0, rest.find_first_not_of(" \t\r\n\f"));
  if (InSmallLetters(rest.substr(0, 3)) == "url") {
    const std::size_t equals = rest.find_first_not_of(" \t\r\n\f", 3);
    if (equals != std::string::npos && rest[equals] == '=') rest.erase(0, equals + 1);
  }
  rest.erase(std::remove_if(rest.begin(), rest.end(), [](char c) { return c == '"' || c == '\''; }),
             rest.end());
  return rest;
}

std::optional<PageFinding> OfCss(const std::string& css, std::size_t at, bool is_in_place) {
  const std::optional<LoadedByCss> loaded = FindLoadedByCss(css);
  if (!loaded) return std::nullopt;
  return PageFinding{at + (is_in_place ? loaded->at : 0), Loaded(loaded->value)};
}

std::optional<PageFinding> OfAddress(const PagePiece& piece, const PageAttribute& attribute) {
  const std::string& name = attribute.name;
  const std::string& value = attribute.value;
  const bool is_link = piece.tag == "a" || piece.tag == "area";
  const bool is_animated = IsOneOf(name, kAnimated) && piece.Find("attributename") != nullptr &&
                           piece.Find("attributename")->value.find("href") != std::string::npos;
  const bool is_loaded = (IsOneOf(name, kLoading) && !IsInThePage(value)) ||
                         (IsOneOf(name, kReferring) && !is_link && !IsInThePage(value)) ||
                         (IsOneOf(name, kSets) && !AreInThePage(value)) ||
                         (is_animated && !IsInThePage(value));
  if (is_loaded) return PageFinding{attribute.at, Loaded(Shown(attribute))};
  if ((is_link || IsOneOf(name, kSending)) && IsScript(value)) {
    return PageFinding{attribute.at, Script(Shown(attribute))};
  }
  if (name == "ping" && !value.empty()) {
    return PageFinding{attribute.at,
                       fmt::format("'{}' would report who follows the link, and nobody is there to "
                                   "hear it: leave it out",
                                   Shown(attribute))};
  }
  if (IsOneOf(name, kSending) && !IsInThePage(value)) {
    return PageFinding{
        attribute.at,
        fmt::format("'{}' would send what people write to where nothing is there for who waits: "
                    "leave the form out, or write a link (<a href=…>)",
                    Shown(attribute))};
  }
  return std::nullopt;
}

std::optional<PageFinding> OfAttribute(const PagePiece& piece, const PageAttribute& attribute) {
  if (attribute.name.size() > 2 && attribute.name.starts_with("on")) {
    return PageFinding{attribute.at, Script(Shown(attribute))};
  }
  if (auto finding = OfAddress(piece, attribute)) return finding;
  if (IsOneOf(attribute.name, kWords)) return std::nullopt;
  return OfCss(attribute.value, attribute.at, false);
}

// A picture of one's own for the browser's tab keeps it from asking for one.
bool IsOwnIcon(const PagePiece& piece) {
  const PageAttribute* const rel = piece.Find("rel");
  const PageAttribute* const href = piece.Find("href");
  return piece.tag == "link" && rel != nullptr && href != nullptr &&
         InSmallLetters(rel->value).find("icon") != std::string::npos && IsInThePage(href->value);
}

std::optional<PageFinding> OfTag(const PagePiece& piece) {
  for (const PageAttribute& attribute : piece.attributes) {
    if (auto finding = OfAttribute(piece, attribute)) return finding;
  }
  if (piece.tag == "script") return PageFinding{piece.at, Script("<script>")};
  if (IsOneOf(piece.tag, kNeverTags) && !IsOwnIcon(piece)) {
    return PageFinding{piece.at, Loaded("<" + piece.tag + ">")};
  }
  const PageAttribute* const equivalent = piece.Find("http-equiv");
  const PageAttribute* const content = piece.Find("content");
  const bool is_refresh = piece.tag == "meta" && equivalent != nullptr && content != nullptr &&
                          InSmallLetters(equivalent->value) == "refresh";
  if (is_refresh && IsElsewhere(RefreshedTo(content->value))) {
    return PageFinding{content->at,
                       fmt::format("'{}' would lead everybody who waits elsewhere: write "
                                   "content=\"{{{{retry_after}}}}\", or a path of this site behind "
                                   "it",
                                   Shown(*content))};
  }
  return std::nullopt;
}

}  // namespace

std::optional<PageFinding> FindExternal(const std::string& page) {
  for (const PagePiece& piece : ScanPage(page)) {
    if (!piece.tag.empty()) {
      if (auto finding = OfTag(piece)) return finding;
      continue;
    }
    if (piece.within != "style") continue;
    if (auto finding = OfCss(piece.text, piece.at, true)) return finding;
    // Within <svg> it is markup like any other.
    if (auto finding = OfCss(WithoutReferences(piece.text), piece.at, false)) return finding;
  }
  return std::nullopt;
}

bool ShowsSomething(const std::string& page) {
  const std::vector<PagePiece> pieces = ScanPage(page);
  return std::any_of(pieces.begin(), pieces.end(), [](const PagePiece& piece) {
    if (!piece.tag.empty()) return IsOneOf(piece.tag, kPictures);
    const bool is_seen =
        piece.within.empty() || piece.within == "textarea" || piece.within == "xmp";
    return is_seen && piece.text.find_first_not_of(" \t\r\n\f") != std::string::npos;
  });
}

}  // namespace headgate::agent
