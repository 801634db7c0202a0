#include "cli/baselines.h"

#include <filesystem>
#include <utility>

#include "cli/text.h"

namespace headgate::cli {

Baselines::Baselines(const std::string& plan_file)
    : files_(plan_file == "-" ? std::filesystem::path()
                              : std::filesystem::path(plan_file).parent_path()) {}

absl::StatusOr<engine::ExpectedSchema> Baselines::Read(const std::string& name,
                                                       const engine::DatabaseSpec& database) {
  auto read = files_.Read(database);
  if (!read.ok()) {
    has_failed_ = true;
    return absl::Status(read.status().code(), Clean(std::string(read.status().message())));
  }
  engine::ExpectedSchema expected = read->expected;
  read_.insert_or_assign(name, *std::move(read));
  return expected;
}

}  // namespace headgate::cli
