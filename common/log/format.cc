#include "common/log/format.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>

namespace headgate {
namespace {

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

std::tm UtcTime(TimePoint at) {
  return fmt::gmtime(static_cast<std::time_t>(
      std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count()));
}

std::int64_t MillisOf(TimePoint at) {
  return (at - std::chrono::floor<std::chrono::seconds>(at)).count();
}

// The length of the well-formed UTF-8 character at the start of `text`; 0 if there is none.
std::size_t CharacterLength(std::string_view text) {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80U) return 1;
  if (first >= 0xC2U && first <= 0xDFU) return continues(1) ? 2 : 0;
  if (first >= 0xE0U && first <= 0xEFU) {
    const bool overlong = first == 0xE0U && byte(1) < 0xA0U;
    const bool surrogate = first == 0xEDU && byte(1) >= 0xA0U;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0U && first <= 0xF4U) {
    const bool overlong = first == 0xF0U && byte(1) < 0x90U;
    const bool too_large = first == 0xF4U && byte(1) >= 0x90U;
    return continues(1) && continues(2) && continues(3) && !overlong && !too_large ? 4 : 0;
  }
  return 0;
}

// C1 controls (U+0080 to U+009F) steer terminals as the C0 ones do.
bool IsC1Control(std::string_view character) {
  return character.size() == 2 && character[0] == '\xC2' &&
         static_cast<unsigned char>(character[1]) < 0xA0U;
}

// In quotes, as JSON wants it; what is not UTF-8 becomes U+FFFD.
void AppendQuoted(std::string& line, std::string_view text) {
  const bool cut = text.size() > Log::kValueBytesMax;
  if (cut) text = text.substr(0, Log::kValueBytesMax);
  line += '"';
  while (!text.empty()) {
    const std::size_t length = CharacterLength(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    text.remove_prefix(character.size());
    const auto first = static_cast<unsigned char>(character[0]);
    if (length == 0) {
      // A character that the cut went through is left out.
      if (!cut || !text.empty()) line += "\xEF\xBF\xBD";
    } else if (first == '"' || first == '\\') {
      line += '\\';
      line += character;
    } else if (first == '\n') {
      line += "\\n";
    } else if (first < 0x20U || first == 0x7FU) {
      fmt::format_to(std::back_inserter(line), "\\u{:04x}", first);
    } else if (IsC1Control(character)) {
      fmt::format_to(std::back_inserter(line), "\\u{:04x}",
                     static_cast<unsigned char>(character[1]));
    } else {
      line += character;
    }
  }
  if (cut) line += "…";
  line += '"';
}

bool IsPlain(std::string_view text) {
  return !text.empty() && text.size() <= Log::kValueBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return c > ' ' && c < '\x7F' && c != '"' && c != '\\' && c != '=';
         });
}

void AppendBare(std::string& line, std::string_view text) {
  if (IsPlain(text)) {
    line += text;
  } else {
    AppendQuoted(line, text);
  }
}

void AppendNumber(std::string& line, const LogField::Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) line += fmt::format("{}", *number);
  if (const auto* number = std::get_if<std::uint64_t>(&value)) line += fmt::format("{}", *number);
  if (const auto* truth = std::get_if<bool>(&value)) line += *truth ? "true" : "false";
  if (const auto* number = std::get_if<double>(&value)) {
    // JSON has no NaN and no infinity.
    line += std::isfinite(*number) ? fmt::format("{}", *number) : fmt::format("\"{}\"", *number);
  }
}

}  // namespace

std::string FormatJsonLine(TimePoint at, LogLevel level, std::string_view event,
                           const Log::Fields& fields) {
  std::string line = fmt::format(R"({{"ts":"{:%Y-%m-%dT%H:%M:%S}.{:03}Z","level":"{}","event":)",
                                 UtcTime(at), MillisOf(at), LevelName(level));
  AppendQuoted(line, event);
  for (const LogField& field : fields) {
    line += ',';
    AppendQuoted(line, field.key);
    line += ':';
    if (const auto* text = std::get_if<std::string>(&field.value)) {
      AppendQuoted(line, *text);
    } else {
      AppendNumber(line, field.value);
    }
  }
  line += "}\n";
  return line;
}

std::string FormatTextLine(TimePoint at, LogLevel level, std::string_view event,
                           const Log::Fields& fields) {
  std::string line =
      fmt::format("{:%H:%M:%S}.{:03} {:<7} ", UtcTime(at), MillisOf(at), LevelName(level));
  AppendBare(line, event);
  for (const LogField& field : fields) {
    line += ' ';
    AppendBare(line, field.key);
    line += '=';
    if (const auto* text = std::get_if<std::string>(&field.value)) {
      AppendBare(line, *text);
    } else {
      AppendNumber(line, field.value);
    }
  }
  line += '\n';
  return line;
}

}  // namespace headgate
