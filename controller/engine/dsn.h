// A look at a libpq connection string without libpq. Pure functions, callable from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace headgate::engine {

// What is wrong with `dsn`, and what to write instead; nothing if it can be used. Both forms are
// known: `host=db1 user=headgate` and `postgresql://headgate@db1/shop`. A password in it is
// refused, and never repeated in the message: plans are copied into tickets and journals.
std::optional<std::string> FindDsnProblem(std::string_view dsn);

}  // namespace headgate::engine
