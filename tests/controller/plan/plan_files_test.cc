// Every file of tests/plans: a good one loads, a bad one is refused with exactly the lines that it
// expects in its own first comments.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "controller/plan/defaults.h"
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

TEST_P(GoodPlan, IsTheSamePlanWithItsDefaultsWrittenOut) {
  const std::string file_name = GetParam() + ".yaml";
  const auto plan = LoadPlan(ReadFile(InSources("tests/plans/good/" + file_name)), file_name);
  ASSERT_TRUE(plan.ok()) << plan.status();
  const auto whole = WithDefaults(*plan);
  ASSERT_TRUE(whole.ok()) << whole.status();
  const auto again = ToEngine(*whole);
  ASSERT_TRUE(again.ok()) << again.status();
  engine::PlanSpec expected = plan->spec();
  expected.source = again->spec().source;
  EXPECT_EQ(again->spec(), expected);
}

std::string NameOfTest(const testing::TestParamInfo<std::string>& test) {
  std::string name = test.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Files, BadPlan, testing::ValuesIn(NamesIn("bad")), NameOfTest);
INSTANTIATE_TEST_SUITE_P(Files, GoodPlan, testing::ValuesIn(NamesIn("good")), NameOfTest);

// What docs/PLAN.md and plan.proto call the defaults.
TEST(Defaults, OfTheShortestPlanAreAllWrittenOut) {
  const auto plan = LoadPlan(ReadFile(InSources("tests/plans/good/minimal.yaml")), "minimal.yaml");
  ASSERT_TRUE(plan.ok()) << plan.status();
  const auto whole = WithDefaults(*plan);
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(whole->admit().by().cookie(), "headgate_uid");
  EXPECT_EQ(whole->preflight().ready_for().seconds(), 30);
  const v1::Check& check = whole->checks(0);
  EXPECT_EQ(check.window().seconds(), 30);
  EXPECT_EQ(check.min_sample(), 50U);
  EXPECT_EQ(check.fresh().seconds(), 5);
  EXPECT_EQ(check.on_failure(), v1::RETREAT);
  EXPECT_TRUE(whole->ramp().steps().adaptive());
  EXPECT_EQ(whole->ramp().step_max_ppm(), 300'000U);
  EXPECT_EQ(whole->ramp().bake().from().seconds(), 7);
  EXPECT_EQ(whole->ramp().bake().to().seconds(), 300);
  EXPECT_EQ(whole->ramp().patience().seconds(), 30);
  EXPECT_EQ(whole->ramp().on_unknown(), v1::ON_UNKNOWN_HOLD);
  EXPECT_EQ(whole->then().watch().seconds(), 900);
  EXPECT_EQ(whole->then().on_failure(), v1::RETREAT);
  EXPECT_EQ(whole->then().retries(), 3U);
  EXPECT_EQ(whole->then().backoff().seconds(), 20);
}

// Errors of types and of rules, more than are told.
TEST(ManyErrors, AreInTheFilesOrderAndTheRestIsCountedOnceAtTheEnd) {
  for (const std::string wrong : {"limit: 100%", "limt: 1%"}) {
    std::string bytes = "gate: shop\npreflight: {agents: [edge-1]}\nchecks:\n";
    for (int i = 0; i < 23; ++i) {
      bytes += "  - {name: c" + std::to_string(i) + ", ratio: agents.http_5xx, " + wrong + "}\n";
    }
    const absl::Status status = LoadPlan(bytes, "f.yaml").status();
    std::istringstream lines{std::string(status.message())};
    int at = 4;
    for (std::string line; std::getline(lines, line); ++at) {
      EXPECT_TRUE(line.starts_with(at == 24 ? "f.yaml: and 3 more errors"
                                            : "f.yaml:" + std::to_string(at) + ":"))
          << line;
    }
    EXPECT_EQ(at, 25);
    const std::string all = Problems::AllLines(status);
    EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 22) << all;
    EXPECT_NE(all.find("f.yaml:26:"), std::string::npos) << all;
  }
}

TEST(PlanFiles, AreThere) {
  EXPECT_GE(NamesIn("bad").size(), 100U);
  EXPECT_GE(NamesIn("good").size(), 4U);
}

}  // namespace
}  // namespace headgate::plan
