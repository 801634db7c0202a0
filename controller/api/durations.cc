#include "controller/api/durations.h"

#include <fmt/format.h>

#include <cstdint>
#include <vector>

namespace headgate::api {
namespace {

constexpr std::int64_t kSecondsMax = 315'576'000'000;
constexpr std::int32_t kNanosMax = 999'999'999;

}  // namespace

absl::Status CheckDuration(const google::protobuf::Duration& duration, const std::string& path) {
  const std::int64_t seconds = duration.seconds();
  const std::int32_t nanos = duration.nanos();
  const bool is_inside = seconds >= -kSecondsMax && seconds <= kSecondsMax && nanos >= -kNanosMax &&
                         nanos <= kNanosMax;
  const bool has_one_sign = (seconds <= 0 || nanos >= 0) && (seconds >= 0 || nanos <= 0);
  if (is_inside && has_one_sign) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{}: {} seconds and {} nanos are no duration: write at most {} seconds and {} "
                  "nanos either way, both of one sign",
                  path, seconds, nanos, kSecondsMax, kNanosMax));
}

absl::Status CheckDurations(const google::protobuf::Message& message, const std::string& path) {
  if (const auto* duration = dynamic_cast<const google::protobuf::Duration*>(&message)) {
    return CheckDuration(*duration, path);
  }
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> set;
  reflection.ListFields(message, &set);
  for (const google::protobuf::FieldDescriptor* field : set) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const std::string name = fmt::format("{}.{}", path, field->name());
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      const absl::Status status =
          field->is_repeated() ? CheckDurations(reflection.GetRepeatedMessage(message, field, i),
                                                fmt::format("{}[{}]", name, i))
                               : CheckDurations(reflection.GetMessage(message, field), name);
      if (!status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace headgate::api
