#include "common/base/nearest.h"

#include <gtest/gtest.h>

namespace headgate {
namespace {

const std::vector<std::string> kWords = {"close", "gates", "hold", "watch"};

TEST(Nearest, TakesASlipOfTheFingerBack) {
  for (const char* word : {"clos", "closse", "clise", "colse", "CLOSE"}) {
    EXPECT_EQ(Nearest(word, kWords), "close") << word;
  }
}

TEST(Nearest, GuessesNothingFromAfar) {
  for (const char* word : {"", "open", "foo", "hxxd"}) EXPECT_EQ(Nearest(word, kWords), "") << word;
  EXPECT_EQ(Nearest(std::string(1'000, 'c'), kWords), "");
  EXPECT_EQ(Nearest("close", {}), "");
}

TEST(Nearest, IsAskedForOrTheChoiceIsTold) {
  EXPECT_EQ(DidYouMean("gatez", kWords), "; did you mean 'gates'?");
  EXPECT_EQ(DidYouMean("foo", kWords), "");
  EXPECT_EQ(DidYouMeanOneOf("foo", {"a", "b"}), ": write one of a, b");
}

}  // namespace
}  // namespace headgate
