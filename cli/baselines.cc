#include "cli/baselines.h"

#include <filesystem>
#include <utility>

#include "cli/text.h"
#include "controller/engine/plan_limits.h"

namespace headgate::cli {

Baselines::Baselines(const std::string& plan_file)
    : folder_(plan_file == "-" ? "" : std::filesystem::path(plan_file).parent_path().string()),
      bytes_left_(engine::kExpectedBytesMax) {}

absl::StatusOr<engine::ExpectedSchema> Baselines::Read(const std::string& name,
                                                       const engine::DatabaseSpec& database) {
  auto read = declared::ReadExpectation(folder_, database, bytes_left_);
  if (!read.ok()) {
    has_failed_ = true;
    return absl::Status(read.status().code(), Clean(std::string(read.status().message())));
  }
  bytes_left_ -= declared::BytesOf(read->expected);
  engine::ExpectedSchema expected = read->expected;
  read_.insert_or_assign(name, *std::move(read));
  return expected;
}

}  // namespace headgate::cli
