#include "controller/watch/history_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace headgate::watch {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class HistoryFileTest : public ::testing::Test {
 protected:
  HistoryFileTest() {
    std::string folder = ::testing::TempDir() + "headgate-history-XXXXXX";
    folder_ = mkdtemp(folder.data());
    path_ = folder_ + "/databases.jsonl";
  }
  ~HistoryFileTest() override { std::filesystem::remove_all(folder_); }

  static Change A(int second) {
    return {.at = FromUnixMillis(1'000'000 + 1'000LL * second),
            .database = "orders",
            .check = Check::kSchema,
            .from = second == 0 ? std::nullopt : std::optional(Verdict::kHealthy),
            .to = Verdict::kFailed,
            .why = "replica \"db3\":\na line, and a byte \xff that is no text"};
  }
  // What comes back: every byte that is no text is replaced.
  static Change Read(int second) {
    Change change = A(second);
    change.why = "replica \"db3\":\na line, and a byte \xef\xbf\xbd that is no text";
    return change;
  }
  void Write(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary | std::ios::app) << bytes;
  }

  std::string folder_;
  std::string path_;
};

TEST_F(HistoryFileTest, GivesBackWhatWasWritten) {
  HistoryFile file(path_);
  EXPECT_TRUE(absl::IsNotFound(file.Read().status()));
  ASSERT_TRUE(file.Append({A(0), A(1)}).ok());
  ASSERT_TRUE(file.Append({A(2)}).ok());
  HistoryFile again(path_);
  std::size_t skipped = 0;
  EXPECT_THAT(*again.Read(&skipped), ElementsAre(Read(0), Read(1), Read(2)));
  EXPECT_EQ(skipped, 0U);
}

TEST_F(HistoryFileTest, LosesOnlyALineThatIsCutOrDamaged) {
  HistoryFile file(path_);
  (void)file.Read();
  ASSERT_TRUE(file.Append({A(0)}).ok());
  Write("{\"at_unix_ms\": \"soon\", \"database\": 7}\nrubbish\n[1,2]\n{\"at_unix_ms\":17239");
  HistoryFile again(path_);
  std::size_t skipped = 0;
  EXPECT_THAT(*again.Read(&skipped), ElementsAre(Read(0)));
  EXPECT_EQ(skipped, 4U);
  // What follows begins on a line of its own.
  ASSERT_TRUE(again.Append({A(1)}).ok());
  EXPECT_THAT(*HistoryFile(path_).Read(), ElementsAre(Read(0), Read(1)));
}

TEST_F(HistoryFileTest, IsBounded) {
  HistoryFile file(path_);
  (void)file.Read();
  for (int i = 0; i < 2'500; ++i) ASSERT_TRUE(file.Append({A(i)}).ok());
  const auto changes = HistoryFile(path_).Read();
  ASSERT_TRUE(changes.ok());
  EXPECT_LE(changes->size(), HistoryFile::kLinesMax);
  EXPECT_GE(changes->size(), History::kChangesMax);
  EXPECT_EQ(changes->back().at, A(2'499).at);
}

TEST_F(HistoryFileTest, SaysThatItCannotBeWritten) {
  HistoryFile file(folder_ + "/missing/databases.jsonl");
  (void)file.Read();
  EXPECT_THAT(std::string(file.Append({A(0)}).message()), ::testing::HasSubstr("missing"));
}

}  // namespace
}  // namespace headgate::watch
