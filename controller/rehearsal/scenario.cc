#include "controller/rehearsal/scenario.h"

#include <fmt/format.h>

#include <cmath>

namespace headgate::rehearsal {

bool Stretch::Contains(double at_s) const {
  if (at_s < from_s || at_s >= until_s) return false;
  return every_s <= 0 || std::fmod(at_s - from_s, every_s) < lasts_s;
}

std::vector<Scenario> BuiltInScenarios() {
  std::vector<Scenario> scenarios;
  for (const BuiltInText& built_in : BuiltInTexts()) {
    // A test parses them all; a build with one that is wrong does not get out.
    scenarios.push_back(ParseScenario(built_in.text, built_in.name).value());
  }
  return scenarios;
}

absl::StatusOr<Scenario> FindScenario(std::string_view name, const Scenario& unsaid) {
  std::string known;
  for (const BuiltInText& built_in : BuiltInTexts()) {
    if (built_in.name == name) return ParseScenario(built_in.text, built_in.name, unsaid);
    known += fmt::format("{}{}", known.empty() ? "" : ", ", built_in.name);
  }
  return absl::NotFoundError(
      fmt::format("there is no built-in scenario '{}'; there are {}", name, known));
}

std::string_view NameOf(Kind kind) {
  switch (kind) {
    case Kind::kBearable:
      return "bearable";
    case Kind::kBad:
      return "bad";
    case Kind::kMoving:
      return "moving";
  }
  return "";
}

}  // namespace headgate::rehearsal
