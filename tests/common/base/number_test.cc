#include "common/base/number.h"

#include <gtest/gtest.h>

namespace headgate {
namespace {

TEST(PlainNumber, HasNoExponent) {
  EXPECT_EQ(PlainNumber(1'000'000), "1000000");
  EXPECT_EQ(PlainNumber(50'000, 2), "50000");
  EXPECT_EQ(PlainNumber(123'456'789, 3), "123456789");
  EXPECT_EQ(PlainNumber(0.00012), "0.00012");
  EXPECT_EQ(PlainNumber(100, 2), "100");
}

TEST(PlainNumber, SaysNoMoreDigitsThanCount) {
  EXPECT_EQ(PlainNumber(2'000), "2000");
  EXPECT_EQ(PlainNumber(0.3 * 100, 3), "30");
  EXPECT_EQ(PlainNumber(7.0767, 3), "7.08");
  EXPECT_EQ(PlainNumber(9.999, 3), "10");
  EXPECT_EQ(PlainNumber(-1.5), "-1.5");
  EXPECT_EQ(PlainNumber(0), "0");
}

}  // namespace
}  // namespace headgate
