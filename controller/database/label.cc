#include "controller/database/label.h"

namespace headgate::database {
namespace {

// Dots join the parts of a label, blanks what follows it.
std::string Part(std::string_view name) {
  if (!name.empty() && name.find_first_of(".\" \t\n") == std::string_view::npos) {
    return std::string(name);
  }
  std::string quoted = "\"";
  for (const char letter : name) {
    if (letter == '"') quoted += '"';
    quoted += letter;
  }
  return quoted + '"';
}

}  // namespace

std::string LabelOf(std::string_view schema, std::string_view table) {
  return Part(schema) + "." + Part(table);
}

}  // namespace headgate::database
