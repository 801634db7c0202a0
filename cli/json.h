// Protobuf's own JSON, for automation. Pure; any thread.
#pragma once

#include <google/protobuf/message.h>

#include <map>
#include <string>
#include <vector>

namespace headgate::cli {

// With the schema's field names and with fields that are zero, so that a script may read any field
// without asking whether it is there. 64-bit numbers are strings, as proto3 has it.
std::string ToJson(const google::protobuf::Message& message, bool on_one_line = false);

// For what no schema describes.
std::string ToJson(const std::map<std::string, std::string>& fields);

// What is wrong with a file, and where; both 0: with the file as a whole.
struct FileError {
  int line = 0;
  int column = 0;
  std::string text;
  friend bool operator==(const FileError&, const FileError&) = default;
};
// Of lines `NAME:LINE:COLUMN: text` and `NAME: text`; empty where the first is no such line.
std::vector<FileError> ReadFileErrors(const std::string& lines, const std::string& name);

// {"error": {"exit": 4, "message": …}}: what a program reads where a verb was refused; of a file
// also "errors", a list.
std::string ErrorJson(int exit_code, const std::string& message,
                      const std::vector<FileError>& errors = {});

}  // namespace headgate::cli
