// The limit of new cookies: who throws the gate's cookie away to draw a luckier place gets no other
// one for a while. What load balancers of every kind have in common. Pure: any thread.
#pragma once

namespace headgate::agent {

// To one address. An office behind one address stays below it, a program that draws does not.
inline constexpr unsigned kNewCookiesPerMinute = 6'000;
inline constexpr unsigned kLimitedStatus = 429;
inline constexpr unsigned kLimitedRetryAfterS = 60;
inline constexpr char kLimitedWords[] =
    "Too many new visitors come from your address at once, so this one got no place. Keep the "
    "cookie that you were given, or come back in a minute.";

}  // namespace headgate::agent
