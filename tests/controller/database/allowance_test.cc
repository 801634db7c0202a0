#include "controller/database/allowance.h"

#include <gtest/gtest.h>

namespace headgate::database {
namespace {

bool Allows(const std::string& pattern, const char* schema, const char* table, const char* name) {
  return IsAllowed({"other.one", pattern}, schema, table, name);
}

TEST(Allowance, OfATableIncludesEverythingOfIt) {
  EXPECT_TRUE(Allows("public.report", "public", "report", ""));
  EXPECT_TRUE(Allows("public.report", "public", "report", "total"));
  EXPECT_FALSE(Allows("public.report", "public", "reports", ""));
  EXPECT_FALSE(Allows("public.report", "sales", "report", ""));
}

TEST(Allowance, OfAColumnIsNotOneOfItsTable) {
  EXPECT_TRUE(Allows("public.orders.note", "public", "orders", "note"));
  EXPECT_FALSE(Allows("public.orders.note", "public", "orders", "total"));
  EXPECT_FALSE(Allows("public.orders.note", "public", "orders", ""));
  // That the table is missing altogether is more than any difference within it.
  EXPECT_FALSE(Allows("public.orders.*", "public", "orders", ""));
}

TEST(Allowance, AStarStandsForAnythingWithinItsPart) {
  EXPECT_TRUE(Allows("audit.*", "audit", "log", "at"));
  EXPECT_TRUE(Allows("*.tmp_*", "public", "tmp_7", ""));
  EXPECT_TRUE(Allows("public.o*r*s.idx_*", "public", "orders", "idx_total"));
  EXPECT_TRUE(Allows("public.a*bc", "public", "aabcbc", ""));
  EXPECT_FALSE(Allows("*.tmp_*", "public", "mytmp_7", ""));
  EXPECT_FALSE(Allows("public.a*bc", "public", "abcb", ""));
}

TEST(Allowance, WithoutPatternsAllowsNothing) {
  EXPECT_FALSE(IsAllowed({}, "public", "orders", ""));
}

}  // namespace
}  // namespace headgate::database
