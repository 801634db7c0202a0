// Binds a YAML tree to any protobuf message by reflection. It knows no plan: the schema says what
// may be written (the conventions stand on top of plan.proto), short forms come as a parameter.
// One thread at a time; reports everything that it finds wrong, and never throws.
#pragma once

#include <google/protobuf/message.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "controller/plan/problems.h"
#include "controller/plan/yaml_tree.h"

namespace headgate::plan {

// A way to write a message other than as a map of its fields.
struct ShortForm {
  // Reads a scalar into the message, which is of the type that the form is registered for.
  // INVALID_ARGUMENT says what to write. Empty: no scalar is taken.
  std::function<absl::Status(std::string_view text, google::protobuf::Message& out)> read;
  // The repeated field that a list is bound to; empty: no list is taken.
  std::string list_field;
  // e.g. "`80..95`", for messages.
  std::string example;
};

// By the message's full name, e.g. "headgate.v1.Steps".
using ShortForms = std::map<std::string, ShortForm>;

// Fills `message` from `root`, which must be a map; records where each field stands.
void Bind(const YamlNode& root, const ShortForms& short_forms, google::protobuf::Message& message,
          Positions& positions, Problems& problems);

}  // namespace headgate::plan
