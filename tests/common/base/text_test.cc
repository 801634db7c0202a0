#include "common/base/text.h"

#include <gtest/gtest.h>

namespace headgate {
namespace {

TEST(Text, WhatIsValidStaysAsItIs) {
  const std::string text = "caf\u00e9 \u20ac \U0001F6AA plain\n";
  EXPECT_EQ(ValidUtf8(text), text);
}

TEST(Text, EachByteThatIsNoUtf8BecomesOneReplacement) {
  EXPECT_EQ(ValidUtf8("a\xE9z"), "a\uFFFDz");
  // Cut in the middle; too long a form; a surrogate; beyond Unicode.
  EXPECT_EQ(ValidUtf8("x\xE2\x82"), "x\uFFFD\uFFFD");
  EXPECT_EQ(ValidUtf8("\xC0\xAF"), "\uFFFD\uFFFD");
  EXPECT_EQ(ValidUtf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(ValidUtf8("\xF5\x80\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");
}

TEST(Text, IsCutBetweenTwoCharacters) {
  EXPECT_EQ(CutUtf8("a\u20ac", 4), "a\u20ac");
  EXPECT_EQ(CutUtf8("a\u20ac", 3), "a");
  EXPECT_EQ(CutUtf8("a\u20ac", 1), "a");
  EXPECT_EQ(CutUtf8("\u20ac", 2), "");
}

TEST(Text, IsBlankWhereThereIsNothingToRead) {
  for (const char* blank : {"", "   ", " \t\r\n"}) EXPECT_TRUE(IsBlank(blank));
  for (const char* text : {".", " a ", "\u20ac"}) EXPECT_FALSE(IsBlank(text));
}

}  // namespace
}  // namespace headgate
