#include "controller/engine/names.h"

#include <algorithm>

#include "common/base/gate_name.h"

namespace headgate::engine {
namespace {

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsTokenCharacter(char c) {
  return IsLower(c) || IsUpper(c) || IsDigit(c) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

}  // namespace

bool IsGateName(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && IsLower(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return IsLower(c) || IsDigit(c) || c == '-'; });
}

bool IsGateOrPartName(std::string_view name) {
  const std::size_t mark = name.find(kPartMark);
  if (mark == std::string_view::npos) return IsGateName(name);
  return IsGateName(name.substr(0, mark)) && IsGateName(name.substr(mark + 1));
}

bool IsPlainName(std::string_view name) {
  const auto is_first = [](char c) { return IsLower(c) || IsUpper(c) || IsDigit(c); };
  return !name.empty() && name.size() <= kNameBytesMax && is_first(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_first(c) || c == '.' || c == '_' || c == '-'; });
}

bool IsAdmitKey(std::string_view text) {
  if (text == "client_address") return true;
  for (const std::string_view kind : {"cookie ", "header "}) {
    if (text.substr(0, kind.size()) != kind) continue;
    const std::string_view name = text.substr(kind.size());
    return !name.empty() && name.size() <= kNameBytesMax &&
           std::all_of(name.begin(), name.end(), IsTokenCharacter);
  }
  return false;
}

}  // namespace headgate::engine
