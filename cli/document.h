// A message as JSON with lines for people beside its fields. Pure; any thread.
#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "cli/text.h"

namespace headgate::cli {

std::string DocumentWith(const google::protobuf::Message& message, const std::string& name,
                         const Lines& lines);

}  // namespace headgate::cli
