// What programs read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/caller.h"
#include "tests/cli/fake_controller.h"
#include "tests/cli/gates.h"

namespace headgate::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// `checks` of them, each without a limit.
std::string PlanOfErrors(int checks) {
  std::string plan = "gate: shop\npreflight: {agents: [edge-1]}\nchecks:\n";
  for (int i = 0; i < checks; ++i) {
    plan += "  - {name: c" + std::to_string(i) + ", ratio: agents.http_5xx}\n";
  }
  return plan;
}

class Json : public testing::Test {
 protected:
  Json() {
    controller_.Change("shop", [](v1::Gate& gate) { gate = AdmittingGate(); });
  }
  FakeController controller_;
  Caller caller_{controller_.address()};
};

TEST_F(Json, ValidateListsEveryErrorWithItsPlace) {
  const Said said = caller_.Type({"validate", "-", "-o", "json"}, PlanOfErrors(23));
  EXPECT_EQ(said.code, 3);
  EXPECT_THAT(said.err, HasSubstr("\nstandard input: and 3 more errors\n"));
  const json errors = json::parse(said.out)["error"]["errors"];
  ASSERT_EQ(errors.size(), 23U);
  for (std::size_t i = 0; i < errors.size(); ++i) {
    EXPECT_EQ(errors[i]["line"], 4 + i);
    EXPECT_EQ(errors[i]["column"], 5);
    EXPECT_THAT(errors[i]["text"].get<std::string>(), HasSubstr("has no limit"));
  }
}

TEST_F(Json, StartListsThemToo) {
  const Said said = caller_.Type({"start", "-", "-o", "json"}, PlanOfErrors(2));
  EXPECT_EQ(said.code, 3);
  const json errors = json::parse(said.out)["error"]["errors"];
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[1]["line"], 5);
}

TEST_F(Json, OtherRefusalsHaveNoList) {
  const Said said = caller_.Type({"close", "shoop", "-o", "json"});
  EXPECT_FALSE(json::parse(said.out)["error"].contains("errors"));
}

TEST_F(Json, ValidateFillsInTheDefaults) {
  std::string plan = PlanOfErrors(1);
  plan.insert(plan.find("http_5xx") + 8, ", limit: 1%");
  const Said said = caller_.Type({"validate", "-", "-o", "json"}, plan);
  EXPECT_EQ(said.code, 0) << said.err;
  const json whole = json::parse(said.out);
  EXPECT_EQ(whole["checks"][0]["on_failure"], "RETREAT");
  EXPECT_EQ(whole["checks"][0]["window"], "30s");
  EXPECT_EQ(whole["checks"][0]["min_sample"], 50);
  EXPECT_EQ(whole["preflight"]["ready_for"], "30s");
  EXPECT_EQ(whole["ramp"]["bake"]["to"], "300s");
  EXPECT_EQ(whole["then"]["watch"], "900s");
  EXPECT_TRUE(whole["warnings"].is_array());
}

TEST_F(Json, ExplainSaysWhatItExplains) {
  const json document = json::parse(caller_.Type({"explain", "shop", "-o", "json"}).out);
  EXPECT_EQ(document["name"], "shop");
  std::string lines;
  for (const auto& line : document["explanation"]) lines += line.get<std::string>() + "\n";
  EXPECT_THAT(caller_.Type({"explain", "shop"}).out, HasSubstr("shop admits 25 %"));
  EXPECT_THAT(lines, HasSubstr("shop admits 25 % (observed: 25 %).\n"));
  EXPECT_THAT(lines, HasSubstr("  - 6 s of baking\n"));
}

}  // namespace
}  // namespace headgate::cli
