// The names of gates and of their parts: "shop@eu" is the part "eu" of the gate "shop", and what
// its load balancers know is "shop". Pure functions, callable from any thread.
#pragma once

#include <string>
#include <string_view>

namespace headgate {

inline constexpr char kPartMark = '@';

inline bool IsPart(std::string_view gate) { return gate.find(kPartMark) != std::string_view::npos; }

// "shop" of "shop@eu" and of "shop".
inline std::string WholeOf(std::string_view gate) {
  return std::string(gate.substr(0, gate.find(kPartMark)));
}

}  // namespace headgate
