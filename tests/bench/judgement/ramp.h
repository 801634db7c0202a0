// The steps of a peer's ramp: those of its tutorials, with a first one of 1 %, so that every peer
// climbs the same stairs and only the judgement differs. A value.
#pragma once

#include <array>
#include <cstddef>

#include "common/base/share.h"

namespace headgate::bench {

class Ramp {
 public:
  static constexpr std::array<std::uint32_t, 7> kPercents = {1, 5, 10, 25, 50, 75, 100};

  Share Now() const { return Share::FromPpm(kPercents[step_] * 10'000ULL).value(); }
  bool IsAtTheTop() const { return step_ + 1 == kPercents.size(); }
  void Climb() {
    if (!IsAtTheTop()) ++step_;
  }

 private:
  std::size_t step_ = 0;
};

}  // namespace headgate::bench
