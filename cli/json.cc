#include "cli/json.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

namespace headgate::cli {

std::string ToJson(const google::protobuf::Message& message, bool on_one_line) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = !on_one_line;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  if (status.ok()) return json;
  // A time out of JSON's range (year 10000): the controller never sends one, but a message of
  // another version must not end the program.
  return "{}";
}

std::string ToJson(const std::map<std::string, std::string>& fields) {
  google::protobuf::Struct object;
  for (const auto& [name, value] : fields) {
    (*object.mutable_fields())[name].set_string_value(value);
  }
  return ToJson(object);
}

std::string ErrorJson(int exit_code, const std::string& message) {
  google::protobuf::Struct error;
  (*error.mutable_fields())["exit"].set_number_value(exit_code);
  (*error.mutable_fields())["message"].set_string_value(message);
  google::protobuf::Struct document;
  *(*document.mutable_fields())["error"].mutable_struct_value() = error;
  return ToJson(document);
}

}  // namespace headgate::cli
