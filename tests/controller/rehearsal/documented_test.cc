// docs/SCENARIOS.md cannot rot: it names every parameter with its range and default, every built-in
// scenario, and its example is one.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "controller/rehearsal/parameters.h"
#include "controller/rehearsal/scenario.h"
#include "tests/support/places.h"

namespace headgate::rehearsal {
namespace {

std::string Page() {
  std::ifstream file(InSources("docs/SCENARIOS.md"));
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void Expect(const std::string& page, const std::string& text) {
  EXPECT_NE(page.find(text), std::string::npos) << "not on the page: " << text;
}

TEST(ScenariosPage, NamesEveryParameterWithItsRangeAndDefault) {
  const std::string page = Page();
  Scenario defaults;
  for (const Parameter<Scenario>& known : ScenarioParameters()) {
    Expect(page, "| `" + std::string(known.section) + "." + std::string(known.key) + "` | " +
                     FormatValue(known.least, known.unit) + " to " +
                     FormatValue(known.most, known.unit) + " | " +
                     FormatValue(known.at(defaults), known.unit) + " | ");
  }
}

TEST(ScenariosPage, NamesEveryKeyOfTheLists) {
  const std::string page = Page();
  for (const auto& known : ErrorFaultParameters()) Expect(page, "`" + std::string(known.key) + "`");
  for (const auto& known : CapacityFaultParameters()) {
    Expect(page, "`" + std::string(known.key) + "`");
  }
  for (const auto& known : BlackoutParameters()) Expect(page, "`" + std::string(known.key) + "`");
}

TEST(ScenariosPage, NamesEveryBuiltInScenario) {
  const std::string page = Page();
  for (const Scenario& scenario : BuiltInScenarios()) {
    Expect(page, "| " + scenario.name + " | " + std::string(NameOf(scenario.kind)) + " | " +
                     scenario.what + " |");
  }
}

TEST(ScenariosPage, ItsExampleIsAScenario) {
  const std::string page = Page();
  constexpr std::string_view kFence = "```yaml\n";
  const std::size_t begin = page.find(kFence) + kFence.size();
  const absl::StatusOr<Scenario> example =
      ParseScenario(page.substr(begin, page.find("```", begin) - begin), "SCENARIOS.md");
  ASSERT_TRUE(example.ok()) << example.status();
  EXPECT_EQ(example->errors.faults.size(), 1U);
}

}  // namespace
}  // namespace headgate::rehearsal
