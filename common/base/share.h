// A share: which part of the users a gate admits, in parts per million. An integer, always valid.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace headgate {

class Share {
 public:
  static constexpr std::uint32_t kPpmMax = 1'000'000;

  constexpr Share() = default;
  // INVALID_ARGUMENT above 1,000,000.
  static absl::StatusOr<Share> FromPpm(std::uint64_t ppm);
  // "5%", "0.25 %", "100%": at most four decimals.
  static absl::StatusOr<Share> Parse(std::string_view text);
  static constexpr Share None() { return Share(0); }
  static constexpr Share All() { return Share(kPpmMax); }

  constexpr std::uint32_t ppm() const { return ppm_; }
  // A user is admitted iff bucket < Width(): ceil(ppm * 2^20 / 10^6), 0 to 1,048,576.
  std::uint32_t Width() const;
  // "5 %", "0.25 %".
  std::string ToString() const;

  friend constexpr auto operator<=>(Share, Share) = default;

 private:
  explicit constexpr Share(std::uint32_t ppm) : ppm_(ppm) {}
  std::uint32_t ppm_ = 0;
};

// "0.31 %" for 3,100: any ratio in parts per million, as people read it.
std::string FormatPpm(std::uint64_t ppm);
// The inverse, up to `ppm_max`: "0.31%" or "0.31 %"; at most four decimals, else INVALID_ARGUMENT.
absl::StatusOr<std::uint32_t> ParsePpm(std::string_view text, std::uint32_t ppm_max);

}  // namespace headgate
