#include "controller/declared/expectation.h"

#include <utility>

#include "controller/database/baseline.h"
#include "controller/database/expected_schema.h"
#include "controller/declared/inventory_of.h"

namespace headgate::declared {

Expectations::Expectations(std::filesystem::path folder, std::size_t bytes)
    : folder_(std::move(folder)), bytes_left_(bytes) {
  static_assert(engine::kExpectedTableBytes == database::kExpectedTableBytes);
}

absl::StatusOr<Expectation> Expectations::Read(const engine::DatabaseSpec& spec) {
  const bool is_mariadb = spec.engine == engine::DatabaseSpec::Engine::kMariadb;
  auto schema = database::ReadBaselineFile((folder_ / spec.expect->file).string(),
                                           is_mariadb ? "mariadb" : "postgres");
  if (!schema.ok()) return schema.status();
  database::ExpectedSchema expected = database::Expect(*schema, InventoryOf("", spec), bytes_left_);
  bytes_left_ -= database::BytesOf(expected);
  return Expectation{.expected = {.file = spec.expect->file,
                                  .fingerprint = std::move(expected.fingerprint),
                                  .tables = std::move(expected.tables)},
                     .schema = *std::move(schema)};
}

}  // namespace headgate::declared
