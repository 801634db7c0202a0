#include "controller/database/expected_schema.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "controller/database/allowance.h"
#include "controller/database/label.h"

namespace headgate::database {
namespace {

// Each part ends, so that no two objects come to the same bytes.
void AddObject(const ObjectKey& key, const Definition& definition, std::string& bytes) {
  for (const std::string* part :
       {&key.schema, &key.relation, &key.kind, &key.name, &definition.text}) {
    bytes += *part;
    bytes += '\0';
  }
}

bool IsCompared(const ObjectKey& key, const Inventory& inventory) {
  const std::vector<std::string>& schemas = inventory.schemas;
  const bool is_declared =
      schemas.empty() || std::find(schemas.begin(), schemas.end(), key.schema) != schemas.end();
  return is_declared && !IsAllowed(inventory.allow, key.schema, key.relation, key.name);
}

std::string FingerprintOf(const std::string& bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

// "table public.orders", "type public.status", "function public.total(integer)".
std::string NameOf(const ObjectKey& key, const Schema& schema) {
  // A composite type has columns.
  const bool is_type = schema.contains({key.schema, key.relation, "type", ""});
  const char* kind = is_type ? "type" : (key.kind == "function" ? "function" : "table");
  return fmt::format("{} {}", kind, LabelOf(key.schema, key.relation));
}

struct Summary {
  std::string fingerprint;
  std::map<std::string, std::uint32_t> tables;
};

// One pass, one buffer for each table: a schema of 2,000 tables comes to a few megabytes.
Summary Summarise(const Schema& schema, const Inventory& inventory) {
  std::string all;
  std::map<std::string, std::string> by_table;
  for (const auto& [key, definition] : ComparedPart(schema, inventory)) {
    AddObject(key, definition, all);
    AddObject(key, definition, by_table[NameOf(key, schema)]);
  }
  Summary summary{.fingerprint = FingerprintOf(all), .tables = {}};
  for (const auto& [table, bytes] : by_table) {
    summary.tables[table] =
        static_cast<std::uint32_t>(XXH3_64bits(bytes.data(), bytes.size()) & 0xFFFF'FFFFU);
  }
  return summary;
}

// How each table differs, by its name.
std::map<std::string, std::string> Names(const std::map<std::string, std::uint32_t>& expected,
                                         const std::map<std::string, std::uint32_t>& seen,
                                         const std::string& from) {
  std::map<std::string, std::string> differ;
  for (const auto& [table, number] : seen) {
    const auto known = expected.find(table);
    if (known == expected.end()) {
      differ[table] = fmt::format("is not in {}", from);
    } else if (known->second != number) {
      differ[table] =
          fmt::format("is not as {} has it: headgate dbcheck with that file tells how", from);
    }
  }
  for (const auto& [table, number] : expected) {
    if (!seen.contains(table)) differ[table] = fmt::format("is missing, which {} has", from);
  }
  return differ;
}

}  // namespace

Schema ComparedPart(const Schema& schema, const Inventory& inventory) {
  Schema part;
  for (const auto& [key, definition] : schema) {
    if (IsCompared(key, inventory)) part.emplace(key, definition);
  }
  return part;
}

std::size_t BytesOf(const ExpectedSchema& expected) {
  std::size_t bytes = 0;
  for (const auto& [table, number] : expected.tables) bytes += table.size() + kExpectedTableBytes;
  return bytes;
}

ExpectedSchema Expect(const Schema& schema, const Inventory& inventory, std::size_t bytes_max) {
  Summary summary = Summarise(schema, inventory);
  ExpectedSchema expected{.fingerprint = std::move(summary.fingerprint),
                          .tables = std::move(summary.tables)};
  if (BytesOf(expected) > bytes_max) expected.tables.clear();
  return expected;
}

std::vector<Finding> CompareWithExpected(const Inventory& inventory, const Schema& schema,
                                         std::size_t told_max) {
  if (!inventory.expected) return {};
  const ExpectedSchema& expected = *inventory.expected;
  const Summary seen = Summarise(schema, inventory);
  if (seen.fingerprint == expected.fingerprint) return {};
  const std::string from = expected.file.empty() ? "the plan's baseline" : expected.file;
  std::vector<Finding> findings;
  const auto add = [&](const std::string& table, std::string text) {
    findings.push_back({.severity = Severity::kUnknown,
                        .drains = false,
                        .kind = "baseline",
                        .server = "primary",
                        .table = table,
                        .text = "the primary: " + std::move(text)});
  };
  const auto differ = Names(expected.tables, seen.tables, from);
  if (expected.tables.empty() || differ.empty()) {
    add("", fmt::format("its schema is not the one of {} (fingerprint {}, not {}): headgate "
                        "dbcheck with that file tells how",
                        from, seen.fingerprint, expected.fingerprint));
    return findings;
  }
  for (const auto& [table, how] : differ) {
    if (findings.size() == told_max) {
      add("", fmt::format("and {} more of them are not as {} has them", differ.size() - told_max,
                          from));
      break;
    }
    add(table.substr(table.find(' ') + 1), fmt::format("{} {}", table, how));
  }
  return findings;
}

}  // namespace headgate::database
