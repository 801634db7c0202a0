#include "common/base/share.h"

#include <gtest/gtest.h>

namespace headgate {
namespace {

TEST(Share, ReadsPercentagesAsIntegers) {
  EXPECT_EQ(Share::Parse("5%")->ppm(), 50'000U);
  EXPECT_EQ(Share::Parse("0.25 %")->ppm(), 2'500U);
  EXPECT_EQ(Share::Parse("100%")->ppm(), 1'000'000U);
  EXPECT_EQ(Share::Parse("0.0001%")->ppm(), 1U);
}

TEST(Share, RefusesWhatIsNotAShareAndSaysWhatToWrite) {
  for (const char* text :
       {"", "5", "%", "-1%", "130%", "1e2%", "0.00001%", "5.%", "99999999999999%"}) {
    const auto share = Share::Parse(text);
    ASSERT_FALSE(share.ok()) << text;
    EXPECT_FALSE(share.status().message().empty());
  }
  EXPECT_NE(std::string(Share::Parse("130%").status().message()).find("130 %"), std::string::npos);
}

TEST(Share, TellsAPartOf1FromAPercentage) {
  const auto why = [](const char* text) {
    return std::string(Share::Parse(text).status().message());
  };
  EXPECT_EQ(why("0.01"),
            "'0.01' has no unit: write 1% if it is a part of 1, 0.01% if it is a percentage");
  EXPECT_EQ(why("5"), "'5' has no unit: a share is written with a percent sign, as in 5%");
  EXPECT_EQ(why("0,5%"), "'0,5%' has a comma: write a point, 0.5%");
  EXPECT_EQ(why("0,5"), "'0,5' has a comma: write a point, 0.5%");
  for (const char* text : {"0.12345%", "-1%", ".5%", "5.%", "", "%", "-0.5", "half,half"}) {
    EXPECT_EQ(why(text), "'" + std::string(text) +
                             "' is not a percentage of 0 % to 100 % with at most four decimals: "
                             "write for example 5% or 0.25%");
  }
}

TEST(Share, FormatsAsItReads) {
  for (const std::uint32_t ppm : {0U, 1U, 2'500U, 50'000U, 333'333U, 1'000'000U}) {
    EXPECT_EQ(Share::Parse(Share::FromPpm(ppm)->ToString())->ppm(), ppm);
  }
}

TEST(Share, WidthRoundsUpSoThatOnlyZeroAdmitsNobody) {
  EXPECT_EQ(Share::None().Width(), 0U);
  EXPECT_EQ(Share::FromPpm(1)->Width(), 2U);
  EXPECT_EQ(Share::FromPpm(500'000)->Width(), 524'288U);
  EXPECT_EQ(Share::All().Width(), 1'048'576U);
}

}  // namespace
}  // namespace headgate
