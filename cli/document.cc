#include "cli/document.h"

#include <nlohmann/json.hpp>

#include "cli/json.h"

namespace headgate::cli {

std::string DocumentWith(const google::protobuf::Message& message, const std::string& name,
                         const Lines& lines) {
  auto document = nlohmann::ordered_json::parse(ToJson(message), nullptr, false);
  document[name] = lines;
  // A file's name may be any bytes.
  return document.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace headgate::cli
