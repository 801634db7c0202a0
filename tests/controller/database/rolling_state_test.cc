#include "controller/database/rolling_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/database/whole_file.h"

namespace headgate::database {
namespace {

using ::testing::HasSubstr;

const RollingState kState{.whole_at = FromUnixMillis(1'700'000'000'123),
                          .whole_took = Duration(4'567),
                          .earlier = {{.severity = Severity::kFailed,
                                       .drains = true,
                                       .kind = "data",
                                       .server = "db3",
                                       .table = "public.orders",
                                       .text = "a row\nwith\tits key\nend\n"}},
                          .round = "anything\nend\n"};

TEST(RollingState, IsReadAsItWasWritten) {
  const auto read = ReadRollingState(WriteRollingState(kState));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->whole_at, kState.whole_at);
  EXPECT_EQ(read->whole_took, kState.whole_took);
  EXPECT_EQ(read->earlier, kState.earlier);
  EXPECT_EQ(read->round, kState.round);
}

TEST(RollingState, KnowsThatThereWasNoWholeRound) {
  RollingState state = kState;
  state.whole_at.reset();
  const auto read = ReadRollingState(WriteRollingState(state));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_FALSE(read->whole_at.has_value());
}

TEST(RollingState, RefusesWhatIsCutOrForeign) {
  const std::string text = WriteRollingState(kState);
  for (const std::size_t size : {0U, 10U, 40U, 60U}) {
    EXPECT_FALSE(ReadRollingState(text.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(ReadRollingState("something else\n").ok());
}

TEST(RollingState, AFileIsWrittenWholeOrItIsToldWhyNot) {
  const std::string path = ::testing::TempDir() + "headgate-rolling-file.state";
  EXPECT_TRUE(absl::IsNotFound(ReadWholeFile(path + ".none", 99).status()));
  ASSERT_TRUE(WriteWholeFile(path, "one").ok());
  ASSERT_TRUE(WriteWholeFile(path, "two").ok());
  EXPECT_EQ(*ReadWholeFile(path, 99), "two");
  EXPECT_THAT(std::string(WriteWholeFile("/nowhere/at.all", "x").message()),
              HasSubstr("/nowhere/at.all cannot be written"));
}

}  // namespace
}  // namespace headgate::database
