// The names of gates and of their parts: "shop@eu" is the part "eu" of the gate "shop", and what
// its load balancers know is "shop". Pure functions, callable from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace headgate {

inline constexpr char kPartMark = '@';
// Of an agent's label, by which a part finds it: its key and its value, each.
inline constexpr std::size_t kLabelBytesMax = 128;

inline bool IsPart(std::string_view gate) { return gate.find(kPartMark) != std::string_view::npos; }

// "shop" of "shop@eu" and of "shop".
inline std::string WholeOf(std::string_view gate) {
  return std::string(gate.substr(0, gate.find(kPartMark)));
}

}  // namespace headgate
