// docs/SIMULATE.md cannot rot: its plans are what it says of them, and it names every field.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_replace.h"
#include "tests/cli/caller.h"
#include "tests/support/places.h"

namespace headgate::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string Page() {
  std::ifstream file(InSources("docs/SIMULATE.md"));
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> PlansOf(const std::string& page) {
  constexpr std::string_view kFence = "```yaml\n";
  std::vector<std::string> plans;
  for (std::size_t at = page.find(kFence); at != std::string::npos; at = page.find(kFence, at)) {
    at += kFence.size();
    plans.push_back(page.substr(at, page.find("```", at) - at));
  }
  return plans;
}

// Every key of the objects in it.
void AddKeys(const json& value, std::vector<std::string>& keys) {
  if (value.is_object()) {
    for (const auto& [key, part] : value.items()) {
      keys.push_back(key);
      AddKeys(part, keys);
    }
  } else if (value.is_array() && !value.empty()) {
    AddKeys(value.front(), keys);
  }
}

// Told where a rehearsal takes over two seconds, as it may on a busy machine.
bool IsProgress(const std::string& line) { return line.ends_with(" runs rehearsed"); }

class SimulatePage : public testing::Test {
 protected:
  SimulatePage() { caller_.way_in.clear(); }
  Caller caller_{""};
};

TEST_F(SimulatePage, ItsFirstPlanIsWarnedOfAndItsSecondIsNot) {
  const std::string page = Page();
  const std::vector<std::string> plans = PlansOf(page);
  ASSERT_EQ(plans.size(), 2U);
  const Said first = caller_.Type({"simulate", "-", "--runs", "1"}, plans[0]);
  EXPECT_EQ(first.code, 0);
  // The page breaks its lines.
  const std::string unbroken = absl::StrReplaceAll(page, {{"\n  ", " "}});
  std::istringstream warnings(first.err);
  std::size_t count = 0;
  for (std::string line; std::getline(warnings, line);) {
    if (IsProgress(line)) continue;
    ++count;
    EXPECT_THAT(unbroken, HasSubstr("shop.yaml" + line.substr(line.find(':'))));
  }
  EXPECT_EQ(count, 4U);
  std::istringstream second(caller_.Type({"simulate", "-", "--runs", "1"}, plans[1]).err);
  for (std::string line; std::getline(second, line);) EXPECT_TRUE(IsProgress(line)) << line;
  EXPECT_EQ(caller_.Type({"validate", "-", "--rps", "40"}, plans[1]).err, "");
}

TEST_F(SimulatePage, NamesEveryFieldForPrograms) {
  const std::string page = Page();
  const Said said = caller_.Type(
      {"simulate", "-", "--runs", "1", "-o", "json", "--scenario", "H1", "--scenario", "B6"},
      PlansOf(page).at(1));
  std::vector<std::string> keys;
  AddKeys(json::parse(said.out), keys);
  EXPECT_GT(keys.size(), 50U);
  for (const std::string& key : keys) EXPECT_THAT(page, HasSubstr(key));
}

TEST_F(SimulatePage, NamesEveryOption) {
  const std::string page = Page();
  for (const char* option : {"--scenario", "--rps", "--runs", "--run", "--seed", "-o"}) {
    EXPECT_THAT(page, HasSubstr(std::string("| `") + option));
  }
}

}  // namespace
}  // namespace headgate::cli
