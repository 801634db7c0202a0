#include "controller/engine/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headgate::engine {
namespace {

using testing::HasSubstr;

TEST(AsList, SaysHowManyLinesDidNotFitAndAlwaysShowsTheFirst) {
  EXPECT_EQ(AsList("head:", {"a", "b"}), "head:\n  a\n  b");
  const std::vector<std::string> findings(60, std::string(100, 'x'));
  const std::string cut = AsList("head:", findings);
  EXPECT_LE(cut.size(), kListBytesMax + 20);
  EXPECT_THAT(cut, HasSubstr("\n  and 41 more"));
  EXPECT_THAT(AsList("head:", {std::string(5'000, 'x')}), HasSubstr("head:\n  xxx"));
  EXPECT_LE(AsList("head:", {std::string(5'000, 'x')}).size(), kListBytesMax + 20);
}

}  // namespace
}  // namespace headgate::engine
