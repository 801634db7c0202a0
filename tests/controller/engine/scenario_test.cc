// Every conversation of tests/scenarios goes as it is written there. HEADGATE_REWRITE=1 writes down
// what really came out: read the difference before you commit it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/controller/engine/scenario_runner.h"
#include "tests/support/places.h"

namespace headgate::engine {
namespace {

std::vector<std::filesystem::path> Files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(InSources("tests/scenarios"))) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string Read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class Scenario : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Scenario, GoesAsItIsWritten) {
  const std::string written = Read(GetParam());
  const auto blocks = RunScenario(ParseScenario(written));
  ASSERT_TRUE(blocks.ok()) << GetParam() << ": " << blocks.status();
  const std::string happened = FormatScenario(*blocks);
  if (std::getenv("HEADGATE_REWRITE") != nullptr) {
    std::ofstream(GetParam()) << happened;
    return;
  }
  EXPECT_EQ(written, happened) << GetParam();
}

TEST(Scenarios, AreTheSameEveryTime) {
  for (const std::filesystem::path& file : Files()) {
    const auto once = RunScenario(ParseScenario(Read(file)));
    const auto again = RunScenario(ParseScenario(Read(file)));
    ASSERT_TRUE(once.ok() && again.ok()) << file;
    EXPECT_EQ(FormatScenario(*once), FormatScenario(*again)) << file;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, Scenario, testing::ValuesIn(Files()), [](const auto& tested) {
  std::string name = tested.param.stem().string();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(c) == 0; }, '_');
  return name;
});

}  // namespace
}  // namespace headgate::engine
