// Every file of tests/plans: a good one loads, a bad one is refused with exactly the lines that it
// expects in its own first comments.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "controller/plan/plan.h"
#include "tests/support/places.h"

namespace headgate::plan {
namespace {

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(InSources("tests/plans/" + folder))) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// "# expect: 12:14: text" for each line of the message, at the top of the file.
std::string ExpectedMessage(const std::string& bytes, const std::string& file_name) {
  constexpr std::string_view kMark = "# expect: ";
  std::istringstream lines(bytes);
  std::string expected;
  for (std::string line; std::getline(lines, line) && line.rfind(kMark, 0) == 0;) {
    const std::string text = line.substr(kMark.size());
    const bool has_position = !text.empty() && text[0] >= '0' && text[0] <= '9';
    if (!expected.empty()) expected += '\n';
    expected += file_name + (has_position ? ":" : ": ") + text;
  }
  return expected;
}

class BadPlan : public testing::TestWithParam<std::string> {};
class GoodPlan : public testing::TestWithParam<std::string> {};

TEST_P(BadPlan, IsRefusedWithLineColumnValueBoundAndRemedy) {
  const std::string file_name = GetParam() + ".yaml";
  const std::string bytes = ReadFile(InSources("tests/plans/bad/" + file_name));
  const auto plan = LoadPlan(bytes, file_name);
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(std::string(plan.status().message()), ExpectedMessage(bytes, file_name));
}

TEST_P(GoodPlan, LoadsAndItsSourceLoadsToTheSameAgain) {
  const std::string file_name = GetParam() + ".yaml";
  const auto plan = LoadPlan(ReadFile(InSources("tests/plans/good/" + file_name)), file_name);
  ASSERT_TRUE(plan.ok()) << plan.status();
  const auto source = FromSource(plan->spec().source);
  ASSERT_TRUE(source.ok()) << source.status();
  const auto again = ToEngine(*source);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, *plan);
}

std::string NameOfTest(const testing::TestParamInfo<std::string>& test) {
  std::string name = test.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Files, BadPlan, testing::ValuesIn(NamesIn("bad")), NameOfTest);
INSTANTIATE_TEST_SUITE_P(Files, GoodPlan, testing::ValuesIn(NamesIn("good")), NameOfTest);

TEST(PlanFiles, AreThere) {
  EXPECT_GE(NamesIn("bad").size(), 100U);
  EXPECT_GE(NamesIn("good").size(), 4U);
}

}  // namespace
}  // namespace headgate::plan
