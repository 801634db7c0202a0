// Protobuf's own JSON, for automation. Pure; any thread.
#pragma once

#include <google/protobuf/message.h>

#include <map>
#include <string>

namespace headgate::cli {

// With the schema's field names and with fields that are zero, so that a script may read any field
// without asking whether it is there. 64-bit numbers are strings, as proto3 has it.
std::string ToJson(const google::protobuf::Message& message, bool on_one_line = false);

// For what no schema describes.
std::string ToJson(const std::map<std::string, std::string>& fields);

// {"error": {"exit": 4, "message": …}}: what a program reads where a verb was refused.
std::string ErrorJson(int exit_code, const std::string& message);

}  // namespace headgate::cli
