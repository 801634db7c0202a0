#include "cli/json.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>

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

namespace {

// Reads `LINE:COLUMN:` off the front, or nothing.
void ReadPlace(std::string_view& line, FileError& error) {
  std::string_view rest = line;
  for (int* number : {&error.line, &error.column}) {
    const char* end = rest.data() + rest.size();
    const auto [stop, wrong] = std::from_chars(rest.data(), end, *number);
    if (wrong != std::errc() || stop == end || *stop != ':') {
      error.line = 0;
      return;
    }
    rest.remove_prefix(static_cast<std::size_t>(stop - rest.data()) + 1);
  }
  line = rest;
}

}  // namespace

std::vector<FileError> ReadFileErrors(const std::string& lines, const std::string& name) {
  std::vector<FileError> errors;
  const std::string begin = name + ":";
  for (std::string_view rest = lines; !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    FileError error;
    if (!name.empty() && line.starts_with(begin)) {
      line.remove_prefix(begin.size());
      ReadPlace(line, error);
    } else if (errors.empty()) {
      return {};
    }
    if (line.starts_with(' ')) line.remove_prefix(1);
    error.text = std::string(line);
    errors.push_back(std::move(error));
  }
  return errors;
}

std::string ErrorJson(int exit_code, const std::string& message,
                      const std::vector<FileError>& errors) {
  google::protobuf::Struct error;
  (*error.mutable_fields())["exit"].set_number_value(exit_code);
  (*error.mutable_fields())["message"].set_string_value(message);
  for (const FileError& each : errors) {
    google::protobuf::Struct object;
    (*object.mutable_fields())["line"].set_number_value(each.line);
    (*object.mutable_fields())["column"].set_number_value(each.column);
    (*object.mutable_fields())["text"].set_string_value(each.text);
    *(*error.mutable_fields())["errors"]
         .mutable_list_value()
         ->add_values()
         ->mutable_struct_value() = std::move(object);
  }
  google::protobuf::Struct document;
  *(*document.mutable_fields())["error"].mutable_struct_value() = error;
  return ToJson(document);
}

}  // namespace headgate::cli
