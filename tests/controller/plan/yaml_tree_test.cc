#include "controller/plan/yaml_tree.h"

#include <gtest/gtest.h>

#include <string>

namespace headgate::plan {
namespace {

std::string Refusal(const std::string& text) {
  Problems problems("p.yaml");
  ReadYaml(text, problems);
  return std::string(problems.ToStatus().message());
}

TEST(YamlTree, KeepsEveryKeyItsPlaceAndItsQuotes) {
  Problems problems("p.yaml");
  const YamlNode root = ReadYaml("a: 1\na: 'no'\nb:\n  - x\n", problems);
  ASSERT_TRUE(problems.empty());
  ASSERT_EQ(root.keys.size(), 3U);
  EXPECT_EQ(root.keys[1].text, "a");
  EXPECT_EQ(root.keys[1].at, (Position{.line = 2, .column = 1}));
  EXPECT_TRUE(root.values[1].is_quoted);
  EXPECT_FALSE(root.values[0].is_quoted);
  EXPECT_EQ(root.values[2].kind, YamlNode::Kind::kList);
  EXPECT_EQ(root.values[2].values[0].at, (Position{.line = 4, .column = 5}));
}

TEST(YamlTree, RefusesWhatIsLargerThanItsBounds) {
  EXPECT_EQ(Refusal(std::string(kPlanBytesMax + 1, 'a')),
            "p.yaml: the plan is longer than 64 KiB: shorten it");
  std::string wide = "[";
  for (std::size_t i = 0; i < kPlanNodesMax; ++i) wide += "a,";
  EXPECT_NE(Refusal(wide + "]").find("more than 10000 values"), std::string::npos);
  EXPECT_NE(Refusal(std::string(60'000, '[')).find("nested deeper than 32 levels"),
            std::string::npos);
}

TEST(YamlTree, RefusesBytesThatAreNoText) {
  EXPECT_EQ(Refusal("gate: sh\xff"),
            "p.yaml:1:9: byte 0xff is not UTF-8 text: save the file as UTF-8");
  for (const char* bad : {"\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82"}) {
    EXPECT_NE(Refusal(std::string("gate: ") + bad).find("is not UTF-8 text"), std::string::npos);
  }
  EXPECT_EQ(Refusal("gate: \x1b[1mshop"),
            "p.yaml:1:7: byte 0x1b is a control character: remove it");
  EXPECT_NE(Refusal(std::string("a\0b", 3)).find("p.yaml:1:2: the plan holds a NUL byte"),
            std::string::npos);
  EXPECT_EQ(Refusal("gate: größe\n"), "");
}

TEST(YamlTree, NeverThrowsWhateverIsCutOff) {
  const std::string whole =
      "gate: \"sh\\u00f6p\"\nchecks:\n  - {name: a, ratio: [x, {y: 'z'}]}\nramp: |\n  text\n";
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    Problems problems("p.yaml");
    ReadYaml(whole.substr(0, length), problems);
    ReadYaml(whole.substr(length), problems);
  }
}

}  // namespace
}  // namespace headgate::plan
