// Exit codes of `headgate-agent`: those of `headgate`, as far as they apply on the box.
#pragma once

namespace headgate::agent {

inline constexpr int kExitDone = 0;
inline constexpr int kExitInternal = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitRefused = 3;
inline constexpr int kExitNotFound = 4;
inline constexpr int kExitUnconfirmed = 11;
inline constexpr int kExitCouldNotTell = 12;

}  // namespace headgate::agent
