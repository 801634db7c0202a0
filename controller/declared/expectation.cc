#include "controller/declared/expectation.h"

#include <utility>

#include "controller/database/baseline.h"
#include "controller/database/expected_schema.h"
#include "controller/declared/inventory_of.h"
#include "controller/engine/plan_limits.h"

namespace headgate::declared {

std::size_t BytesOf(const engine::ExpectedSchema& expected) {
  static_assert(engine::kExpectedTableBytes == database::kExpectedTableBytes);
  std::size_t bytes = 0;
  for (const auto& [table, number] : expected.tables) {
    bytes += table.size() + engine::kExpectedTableBytes;
  }
  return bytes;
}

absl::StatusOr<Expectation> ReadExpectation(const std::filesystem::path& folder,
                                            const engine::DatabaseSpec& spec,
                                            std::size_t bytes_max) {
  const bool is_mariadb = spec.engine == engine::DatabaseSpec::Engine::kMariadb;
  auto schema = database::ReadBaselineFile((folder / spec.expect->file).string(),
                                           is_mariadb ? "mariadb" : "postgres");
  if (!schema.ok()) return schema.status();
  database::ExpectedSchema expected = database::Expect(*schema, InventoryOf("", spec), bytes_max);
  return Expectation{.expected = {.file = spec.expect->file,
                                  .fingerprint = std::move(expected.fingerprint),
                                  .tables = std::move(expected.tables)},
                     .schema = *std::move(schema)};
}

}  // namespace headgate::declared
