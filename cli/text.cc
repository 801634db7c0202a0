#include "cli/text.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/share.h"

namespace headgate::cli {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

}  // namespace

std::string Clean(std::string_view text) {
  std::string clean;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    // C1 controls are two bytes in UTF-8: 0xC2 0x80..0x9F.
    if (c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) {
      ++i;
      clean += '?';
      continue;
    }
    if (c == '\n') {
      // A list on one line: "head:\n  a\n  b" reads "head: a; b".
      while (i + 1 < text.size() && (text[i + 1] == ' ' || text[i + 1] == '\n')) ++i;
      if (i + 1 < text.size()) clean += clean.empty() || clean.back() == ':' ? " " : "; ";
      continue;
    }
    clean += c == '\t' ? ' ' : (c < 0x20 || c == 0x7F ? '?' : text[i]);
  }
  return clean;
}

std::size_t Width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuation(c); }));
}

std::string Cut(std::string_view text, std::size_t width) {
  if (Width(text) <= width) return std::string(text);
  if (width == 0) return "";
  std::size_t bytes = 0;
  for (std::size_t shown = 0; bytes < text.size(); ++bytes) {
    if (!IsContinuation(text[bytes]) && shown++ == width - 1) break;
  }
  return std::string(text.substr(0, bytes)) + "…";
}

std::string FirstLine(std::string_view text, std::size_t width) {
  if (Width(text) <= width) return std::string(text);
  std::size_t end = 0;
  std::size_t shown = 0;
  std::size_t space = std::string_view::npos;
  for (; end < text.size(); ++end) {
    if (IsContinuation(text[end])) continue;
    if (text[end] == ' ' && end > 0) space = end;
    if (shown++ == width) break;
  }
  return std::string(text.substr(0, space == std::string_view::npos ? end : space));
}

Lines Wrap(std::string_view text, std::size_t width, std::size_t lines_max) {
  Lines lines;
  std::string rest(text);
  while (!rest.empty() || lines.empty()) {
    const bool is_last = lines.size() + 1 >= lines_max;
    const std::string part = is_last ? rest : FirstLine(rest, std::max<std::size_t>(width, 1));
    lines.push_back(part);
    rest.erase(0, part.size());
    rest.erase(0, std::min(rest.find_first_not_of(' '), rest.size()));
  }
  return lines;
}

std::string Fit(std::string_view text, std::size_t width) {
  std::string fitted = Cut(text, width);
  fitted.append(width - Width(fitted), ' ');
  return fitted;
}

std::string Bar(std::uint32_t share_ppm, std::size_t width) {
  const std::uint32_t ppm = std::min(share_ppm, Share::kPpmMax);
  std::size_t filled = static_cast<std::size_t>(ppm) * width / Share::kPpmMax;
  if (ppm > 0 && filled == 0) filled = std::min<std::size_t>(1, width);
  return std::string(filled, '#') + std::string(width - filled, '.');
}

std::string Paint(std::string_view text, Color color, bool has_color) {
  if (!has_color || color == Color::kNone) return std::string(text);
  std::string_view code = "0";
  switch (color) {
    case Color::kGood:
      code = "32";
      break;
    case Color::kDoubtful:
      code = "33";
      break;
    case Color::kBad:
      code = "1;31";
      break;
    case Color::kFaint:
      code = "2";
      break;
    case Color::kStrong:
      code = "1";
      break;
    case Color::kAlarm:
      code = "1;7";
      break;
    case Color::kNone:
      break;
  }
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

TimePoint ToTimePoint(const google::protobuf::Timestamp& at) {
  return FromUnixMillis(at.seconds() * 1'000 + at.nanos() / 1'000'000);
}

Duration ToDuration(const google::protobuf::Duration& duration) {
  return Duration(duration.seconds() * 1'000 + duration.nanos() / 1'000'000);
}

std::string FormatAge(Duration age) {
  const std::int64_t millis = std::max<std::int64_t>(age.count(), 0);
  if (millis < 10'000) return fmt::format("{}.{} s", millis / 1'000, millis % 1'000 / 100);
  const std::int64_t seconds = millis / 1'000;
  if (seconds < 180) return fmt::format("{} s", seconds);
  if (seconds < 3 * 3'600) return fmt::format("{} min", seconds / 60);
  return fmt::format("{} h", seconds / 3'600);
}

std::string FormatSince(const google::protobuf::Timestamp& at, TimePoint now) {
  return FormatAge(std::max(Duration(0), now - ToTimePoint(at)));
}

}  // namespace headgate::cli
