#include "controller/plan/scalars.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <set>

#include "common/base/duration.h"
#include "common/base/nearest.h"
#include "common/base/share.h"
#include "controller/engine/field_errors.h"

namespace headgate::plan {
namespace {

using engine::Quoted;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr std::string_view kPpmSuffix = "_ppm";
// What leaves an optional percentage out, in a word.
constexpr std::string_view kLeftOut = "auto";

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string Lower(std::string_view text) {
  std::string lower;
  for (const char c : text) lower += Lower(c);
  return lower;
}

bool IsPpm(const FieldDescriptor& field) {
  const std::string& name = field.name();
  return field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32 && name.size() > kPpmSuffix.size() &&
         name.compare(name.size() - kPpmSuffix.size(), kPpmSuffix.size(), kPpmSuffix) == 0;
}

// OnUnknown -> "on_unknown_".
std::string PrefixOf(const EnumDescriptor& type) {
  std::string prefix;
  for (const char c : type.name()) {
    const char lower = Lower(c);
    if (lower != c && !prefix.empty()) prefix += '_';
    prefix += lower;
  }
  return prefix + "_";
}

absl::Status Refuse(const std::string& text) { return absl::InvalidArgumentError(text); }

template <typename Number>
absl::StatusOr<Number> ParseNumber(std::string_view text, std::string_view what) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc::result_out_of_range) {
    return Refuse(fmt::format("{} is out of range: write {}", Quoted(text), what));
  }
  if (error != std::errc() || stop != end) {
    return Refuse(fmt::format("{} is not {}", Quoted(text), what));
  }
  return number;
}

absl::StatusOr<double> ParseDouble(std::string_view text) {
  const absl::StatusOr<double> number = ParseNumber<double>(text, "a number, such as 80 or 0.5");
  if (number.ok() && !std::isfinite(*number)) {
    return Refuse(fmt::format("{} is not a finite number", Quoted(text)));
  }
  return number;
}

absl::StatusOr<bool> ParseBool(const YamlNode& scalar) {
  if (scalar.text == "true" && !scalar.is_quoted) return true;
  if (scalar.text == "false" && !scalar.is_quoted) return false;
  return Refuse(fmt::format("{} is not a bool: write true or false", Quoted(scalar.text)));
}

absl::StatusOr<const EnumValueDescriptor*> ParseEnum(std::string_view text,
                                                     const EnumDescriptor& type) {
  for (int i = 0; i < type.value_count(); ++i) {
    if (type.value(i)->number() != 0 && YamlName(*type.value(i)) == text) return type.value(i);
  }
  const std::vector<std::string> known = NamesOf(type);
  return Refuse(
      fmt::format("{} is none of {}{}", Quoted(text), Join(known), DidYouMean(text, known)));
}

// Sets or appends; `Value` of the types that reflection knows.
template <typename Value>
absl::Status Store(const absl::StatusOr<Value>& value, const FieldDescriptor& field,
                   Message& message,
                   void (Reflection::*set)(Message*, const FieldDescriptor*, Value) const,
                   void (Reflection::*add)(Message*, const FieldDescriptor*, Value) const) {
  if (!value.ok()) return value.status();
  const Reflection* reflection = message.GetReflection();
  (reflection->*(field.is_repeated() ? add : set))(&message, &field, *value);
  return absl::OkStatus();
}

bool LooksLikeAnotherType(std::string_view text) {
  static constexpr std::string_view kTraps[] = {"true", "false", "yes", "no", "on",
                                                "off",  "null",  "~",   "y",  "n"};
  const std::string lower = Lower(text);
  if (std::find(std::begin(kTraps), std::end(kTraps), lower) != std::end(kTraps)) return true;
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end;
}

}  // namespace

std::string YamlName(const FieldDescriptor& field) {
  std::string name = field.name();
  if (IsPpm(field)) name.resize(name.size() - kPpmSuffix.size());
  return name;
}

std::string YamlName(const EnumValueDescriptor& value) {
  const std::string name = Lower(value.name());
  const std::string prefix = PrefixOf(*value.type());
  return name.rfind(prefix, 0) == 0 ? name.substr(prefix.size()) : name;
}

std::vector<std::string> NamesOf(const EnumDescriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) {
    if (type.value(i)->number() != 0) names.push_back(YamlName(*type.value(i)));
  }
  return names;
}

absl::Status BindScalar(const YamlNode& scalar, const FieldDescriptor& field, Message& message) {
  const std::string& text = scalar.text;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return Store(ParseNumber<std::int32_t>(text, "a whole number"), field, message,
                   &Reflection::SetInt32, &Reflection::AddInt32);
    case FieldDescriptor::CPPTYPE_INT64:
      return Store(ParseNumber<std::int64_t>(text, "a whole number"), field, message,
                   &Reflection::SetInt64, &Reflection::AddInt64);
    case FieldDescriptor::CPPTYPE_UINT32:
      if (IsPpm(field) && field.has_presence() && text == kLeftOut) return absl::OkStatus();
      return Store(IsPpm(field) ? ParsePpm(text, Share::kPpmMax)
                                : ParseNumber<std::uint32_t>(text, "a whole number from 0 up"),
                   field, message, &Reflection::SetUInt32, &Reflection::AddUInt32);
    case FieldDescriptor::CPPTYPE_UINT64:
      return Store(ParseNumber<std::uint64_t>(text, "a whole number from 0 up"), field, message,
                   &Reflection::SetUInt64, &Reflection::AddUInt64);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return Store(ParseDouble(text), field, message, &Reflection::SetDouble,
                   &Reflection::AddDouble);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return Store(ParseNumber<float>(text, "a number"), field, message, &Reflection::SetFloat,
                   &Reflection::AddFloat);
    case FieldDescriptor::CPPTYPE_BOOL:
      return Store(ParseBool(scalar), field, message, &Reflection::SetBool, &Reflection::AddBool);
    case FieldDescriptor::CPPTYPE_ENUM:
      return Store(ParseEnum(text, *field.enum_type()), field, message, &Reflection::SetEnum,
                   &Reflection::AddEnum);
    case FieldDescriptor::CPPTYPE_STRING:
      return Store(TextOf(scalar), field, message, &Reflection::SetString, &Reflection::AddString);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  return Refuse(fmt::format("{} needs a map, not {}", field.name(), Quoted(text)));
}

absl::Status BindDuration(std::string_view text, google::protobuf::Duration& out) {
  const absl::StatusOr<headgate::Duration> duration = ParseDuration(text);
  if (!duration.ok()) return duration.status();
  const std::int64_t millis = duration->count();
  out.set_seconds(millis / 1'000);
  out.set_nanos(static_cast<std::int32_t>(millis % 1'000 * 1'000'000));
  return absl::OkStatus();
}

absl::StatusOr<std::string> TextOf(const YamlNode& scalar) {
  if (!scalar.is_quoted && LooksLikeAnotherType(scalar.text)) {
    return Refuse(fmt::format("{} is not text for every reader of YAML: put it in quotes, '{}'",
                              scalar.text, scalar.text));
  }
  for (const char c : scalar.text) {
    if ((c >= 0 && c < ' ' && c != '\n' && c != '\t') || c == 127) {
      return Refuse("control characters are not allowed in text: remove them");
    }
  }
  return scalar.text;
}

std::string Join(const std::vector<std::string>& words) {
  std::string joined;
  for (const std::string& word : words) joined += (joined.empty() ? "" : ", ") + word;
  return joined;
}

}  // namespace headgate::plan
