#include "controller/database/chunker.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace headgate::database {
namespace {

std::optional<std::int64_t> ToNumber(const std::optional<Key>& key) {
  if (!key.has_value() || key->size() != 1) return std::nullopt;
  const std::string& text = key->front();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

void ChunkSize::Took(std::size_t rows, Microseconds busy) {
  // Of a few rows' time the statement's own cost is the larger part.
  if (rows < kRowsMin / 2) return;
  const Microseconds wanted = kStatementMax / 2;
  const double per_row = std::max(0.01, double(busy.count()) / double(rows));
  const auto fitting = static_cast<std::size_t>(double(wanted.count()) / per_row);
  rows_ = std::clamp(std::clamp(fitting, rows_ / 2, rows_ * 2), kRowsMin, kRowsMax);
}

Density::Density(const std::string& type) {
  if (type == "bigint") max_ = std::numeric_limits<std::int64_t>::max();
  if (type == "integer" || type == "int") max_ = std::numeric_limits<std::int32_t>::max();
  if (type == "smallint") max_ = std::numeric_limits<std::int16_t>::max();
}

void Density::Saw(const KeyRange& range, std::uint64_t rows) {
  const auto after = ToNumber(range.after);
  const auto until = ToNumber(range.until);
  // Numbers of both signs may be further apart than a number tells.
  const bool is_told =
      after.has_value() && until.has_value() && *until > *after && (*after >= 0 || *until < 0);
  is_dense_ = is_told && rows >= static_cast<std::uint64_t>(*until - *after) / 2;
}

std::optional<Key> Density::Next(const Key& after, std::size_t rows) const {
  const auto number = ToNumber(after);
  const auto step = static_cast<std::int64_t>(rows);
  if (!is_dense_ || !number.has_value() || *number > max_ - step) return std::nullopt;
  return Key{std::to_string(*number + step)};
}

Duration Throttle::RestAfter(Microseconds busy) {
  owed_ = std::min(kRestMax, owed_ + busy * (100 - percent_) / percent_);
  const auto rest = std::chrono::duration_cast<Duration>(owed_);
  owed_ -= rest;
  return rest;
}

}  // namespace headgate::database
