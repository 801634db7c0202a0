// One YAML scalar as one protobuf scalar: the types, and the traps of YAML 1.1. Pure functions,
// callable from any thread.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controller/plan/yaml_tree.h"

namespace headgate::plan {

// The field's name in YAML: without `_ppm`.
std::string YamlName(const google::protobuf::FieldDescriptor& field);
// The value's name in YAML: lower case, without its type's prefix (ON_UNKNOWN_HOLD is `hold`).
std::string YamlName(const google::protobuf::EnumValueDescriptor& value);

// What one may write for the enum, in its order; without X_UNSPECIFIED.
std::vector<std::string> NamesOf(const google::protobuf::EnumDescriptor& type);

// Sets the field, or appends to it where it is repeated. `scalar` must be one; the field must not
// be a message. INVALID_ARGUMENT says what to write.
absl::Status BindScalar(const YamlNode& scalar, const google::protobuf::FieldDescriptor& field,
                        google::protobuf::Message& message);

absl::Status BindDuration(std::string_view text, google::protobuf::Duration& out);

// The text of a string or key; INVALID_ARGUMENT for what other YAML readers take for a number,
// bool or null.
absl::StatusOr<std::string> TextOf(const YamlNode& scalar);

// "a, b, c".
std::string Join(const std::vector<std::string>& words);

}  // namespace headgate::plan
