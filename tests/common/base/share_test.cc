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
