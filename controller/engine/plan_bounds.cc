#include "controller/engine/plan_bounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "common/base/share.h"
#include "controller/engine/plan_checks.h"
#include "controller/engine/plan_limits.h"

namespace headgate::engine {
namespace {

void RefuseBadShares(std::uint32_t soft, std::uint32_t hard, const std::string& path,
                     FieldErrors& errors) {
  if (soft > 0 && soft < hard && hard <= Share::kPpmMax) return;
  errors.Add(path, fmt::format("{}..{}: write two shares, the one that fails above the one that "
                               "holds and at most 100 %, e.g. 80%..95%",
                               FormatPpm(soft), FormatPpm(hard)));
}

// What is wrong with a pattern, if anything.
std::optional<std::string> ProblemOf(std::string_view pattern) {
  const auto dots = std::count(pattern.begin(), pattern.end(), '.');
  const bool has_gap = pattern.empty() || pattern.front() == '.' || pattern.back() == '.' ||
                       pattern.find("..") != std::string_view::npos;
  if (dots < 1 || dots > 2 || has_gap || pattern.size() > kAllowedBytesMax) {
    return fmt::format(
        "{} is no pattern: write schema.table or schema.table.column, such as audit.* or "
        "public.orders.note",
        Quoted(pattern));
  }
  if (pattern.find_first_not_of("*.") == std::string_view::npos) {
    return fmt::format("{} allows every difference: name at least a schema, a table or a column",
                       Quoted(pattern));
  }
  return std::nullopt;
}

}  // namespace

void RefuseBadBounds(const DatabaseBounds& bounds, const std::string& path, FieldErrors& errors) {
  RefuseBadShares(bounds.connections_soft_ppm, bounds.connections_hard_ppm, path + ".connections",
                  errors);
  RefuseBadShares(bounds.rollbacks_soft_ppm, bounds.rollbacks_hard_ppm, path + ".rollbacks",
                  errors);
  if (bounds.bytes_behind_soft_mib == 0 ||
      bounds.bytes_behind_soft_mib >= bounds.bytes_behind_hard_mib ||
      bounds.bytes_behind_hard_mib > kMebibytesMax) {
    errors.Add(
        path + ".bytes_behind",
        fmt::format("{}MiB..{}MiB: write two sizes from 1MiB to {}MiB, the one that fails "
                    "above the one that holds, e.g. 16MiB..256MiB",
                    bounds.bytes_behind_soft_mib, bounds.bytes_behind_hard_mib, kMebibytesMax));
  }
  if (bounds.rollbacks_sample == 0 || bounds.rollbacks_sample > kMinSampleMax) {
    errors.Add(path + ".rollbacks_sample", fmt::format("a sample of {} transactions: write 1 to {}",
                                                       bounds.rollbacks_sample, kMinSampleMax));
  }
  if (bounds.deadlocks_per_minute > kDeadlocksMax) {
    errors.Add(path + ".deadlocks_per_minute",
               fmt::format("{} deadlocks in a minute: write 0 to {}", bounds.deadlocks_per_minute,
                           kDeadlocksMax));
  }
  RefuseOutside(bounds.longest_transaction, kShortest, kDay, path + ".longest_transaction", errors);
  RefuseOutside(bounds.lock_wait, kShortest, kDay, path + ".lock_wait", errors);
  if (bounds.cache_hits_ppm > Share::kPpmMax) {
    errors.Add(path + ".cache_hits", fmt::format("{} is more than 100 %: write for example 98%",
                                                 FormatPpm(bounds.cache_hits_ppm)));
  }
}

void RefuseBadAllow(const std::vector<std::string>& patterns, const std::string& path,
                    FieldErrors& errors) {
  if (patterns.size() > kAllowedMax) {
    errors.Add(path, fmt::format("{} patterns are more than {}", patterns.size(), kAllowedMax));
    return;
  }
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    if (const auto problem = ProblemOf(patterns[i])) {
      errors.Add(fmt::format("{}[{}]", path, i), *problem);
    }
  }
}

void RefuseBadData(const DataSpec& data, const std::string& path, FieldErrors& errors) {
  if (data.cpu_share_ppm < kPpmOfPercent || data.cpu_share_ppm > Share::kPpmMax ||
      data.cpu_share_ppm % kPpmOfPercent != 0) {
    errors.Add(path + ".cpu_share",
               fmt::format("{} of a core: write whole percents from 1% to 100%, such as 20%",
                           FormatPpm(data.cpu_share_ppm)));
  }
  RefuseOutside(data.every, kDataEveryMin, kDay, path + ".every", errors);
  if (data.preflight) {
    RefuseOutside(*data.preflight, Duration(0), kDay, path + ".preflight", errors);
  }
  if (data.tables.size() > kComparedTablesMax) {
    errors.Add(path + ".tables", fmt::format("{} tables are more than {}: leave tables out to "
                                             "compare all",
                                             data.tables.size(), kComparedTablesMax));
    return;
  }
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < data.tables.size(); ++i) {
    const std::string& table = data.tables[i];
    if (!table.empty() && seen.insert(table).second) continue;
    errors.Add(fmt::format("{}.tables[{}]", path, i),
               fmt::format("{} is no table, or named twice: write schema.table", Quoted(table)));
  }
}

void RefuseBadExpected(const ExpectedSchema& expected, const std::string& path, std::size_t& used,
                       FieldErrors& errors) {
  if (expected.fingerprint.empty()) {
    errors.Add(path, expected.file.empty()
                         ? "no file: write the path of one that headgate dbcheck --write-baseline "
                           "wrote, from the plan's folder"
                         : fmt::format("{} was not sent along with the plan: headgate start does "
                                       "so; whoever calls the API sends its fingerprint",
                                       Quoted(expected.file)));
    return;
  }
  if (expected.fingerprint.size() != kFingerprintDigits ||
      expected.fingerprint.find_first_not_of("0123456789abcdef") != std::string::npos) {
    errors.Add(
        path + ".fingerprint",
        fmt::format("{} is no fingerprint: {} digits of 0-9 and a-f, as headgate validate -o "
                    "json prints them",
                    Quoted(expected.fingerprint), kFingerprintDigits));
  }
  for (const auto& [table, number] : expected.tables) used += table.size() + kExpectedTableBytes;
  if (used > kExpectedBytesMax) {
    errors.Add(path + ".tables",
               fmt::format("the tables of all expected schemas take more than {} KiB: leave some "
                           "out, the fingerprint is enough",
                           kExpectedBytesMax / 1'024));
  }
}

void RefuseBadUtilisations(const PlanSpec& spec, FieldErrors& errors) {
  std::string first = spec.adaptive && spec.adaptive->utilisation ? "ramp.utilisation" : "";
  for (const auto& [name, database] : spec.databases) {
    if (database.active_of == 0) continue;
    const std::string path = fmt::format("databases.{}.utilisation", name);
    if (!spec.adaptive) {
      errors.Add(path, "utilisation belongs to steps: adaptive: remove it, or write that");
    } else if (database.active_of > kActiveMax) {
      errors.Add(path + ".active_of", fmt::format("{} active backends are more than {}",
                                                  database.active_of, kActiveMax));
    } else if (!first.empty()) {
      errors.Add(path, fmt::format("{} tells the utilisation already: keep the one that is the "
                                   "bottleneck",
                                   first));
    }
    if (first.empty()) first = path;
  }
}

}  // namespace headgate::engine
