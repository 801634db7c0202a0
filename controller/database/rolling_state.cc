#include "controller/database/rolling_state.h"

#include <fmt/format.h>

#include <cstdint>
#include <sstream>
#include <string_view>
#include <utility>

#include "controller/database/comparison_state.h"

namespace headgate::database {
namespace {

constexpr std::string_view kFirstLine = "headgate rolling comparison 1";
constexpr std::string_view kEnd = "\nend\n";

}  // namespace

std::string WriteRollingState(const RollingState& state) {
  ComparisonState earlier;
  earlier.findings = state.earlier;
  return fmt::format("{}\nwhole {} {}\n{}{}", kFirstLine,
                     state.whole_at ? UnixMillis(*state.whole_at) : -1, state.whole_took.count(),
                     WriteComparisonState(earlier), state.round);
}

absl::StatusOr<RollingState> ReadRollingState(const std::string& text) {
  std::istringstream lines(text);
  std::string first;
  std::string word;
  std::int64_t at = 0;
  std::int64_t took = 0;
  if (!std::getline(lines, first) || first != kFirstLine || !(lines >> word >> at >> took) ||
      word != "whole") {
    return absl::InvalidArgumentError("it is no state of a rolling comparison");
  }
  const auto from = static_cast<std::size_t>(lines.tellg()) + 1;
  const std::size_t end = text.find(kEnd, from);
  if (end == std::string::npos) return absl::InvalidArgumentError("its end is missing");
  const std::size_t to = end + kEnd.size();
  auto earlier = ReadComparisonState(text.substr(from, to - from));
  if (!earlier.ok()) return earlier.status();
  RollingState state{.whole_took = Duration(took),
                     .earlier = std::move(earlier->findings),
                     .round = text.substr(to)};
  if (at >= 0) state.whole_at = FromUnixMillis(at);
  return state;
}

}  // namespace headgate::database
