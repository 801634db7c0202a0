#include "controller/journal/sqlite_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sqlite3.h>
#include <sys/stat.h>
#include <filesystem>

#include "tests/controller/journal/journal_testing.h"

namespace headgate::journal {
namespace {

using testing::HasSubstr;

TEST(SqliteJournal, ItsFilesAreForItsOwnerAlone) {
  const Folder folder;
  const auto journal = MustOpen(folder / "journal.db");
  ASSERT_TRUE(journal->BeginReign(7).ok());
  int files = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
    struct stat status {};
    ASSERT_EQ(stat(file.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << file.path();
    ++files;
  }
  EXPECT_GE(files, 2);
}

TEST(SqliteJournal, IsRefusedToASecondControllerWhateverNameItGives) {
  const Folder folder;
  const std::string path = folder / "journal.db";
  const auto journal = MustOpen(path);
  std::filesystem::create_symlink(path, folder / "link.db");
  for (const std::string& name :
       {path, folder / "link.db",
        folder / "../" + std::filesystem::path(folder.path()).filename().string() +
            "/journal.db"}) {
    const auto second = SqliteJournal::Open(name);
    EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition) << name;
    EXPECT_THAT(std::string(second.status().message()), HasSubstr(std::to_string(getpid())));
  }
}

TEST(SqliteJournal, CanBeOpenedAgainAfterItWasClosed) {
  const Folder folder;
  MakeJournal(folder / "journal.db", 3);
  const auto journal = MustOpen(folder / "journal.db");
  ASSERT_TRUE(journal->BeginReign(8).ok());
  EXPECT_EQ(*AppendAndWait(*journal, 8, "next"), 4U);
}

TEST(SqliteJournal, TheGuardHoldsEvenIfAnotherProgramTookTheReignBehindItsBack) {
  const Folder folder;
  const auto journal = MustOpen(folder / "journal.db");
  ASSERT_TRUE(journal->BeginReign(7).ok());
  sqlite3* intruder = nullptr;
  ASSERT_EQ(sqlite3_open((folder / "journal.db").c_str(), &intruder), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(intruder, "UPDATE head SET reign = 8", nullptr, nullptr, nullptr),
            SQLITE_OK);
  const auto answer = AppendAndWait(*journal, 7, "deposed");
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr("epoch 8 reigns"));
  sqlite3_close(intruder);
}

// What is done to the files of a journal that is in use, and what the next append must say of it.
struct Mishap {
  const char* name;
  void (*happen)(const std::string& path);
  const char* says;
};

class SqliteJournalInUse : public testing::TestWithParam<Mishap> {};

TEST_P(SqliteJournalInUse, RecordsNothingThatNobodyWouldFindAgain) {
  const Folder folder;
  const std::string path = folder / "journal.db";
  const auto journal = MustOpen(path);
  ASSERT_TRUE(journal->BeginReign(1).ok());
  ASSERT_TRUE(AppendAndWait(*journal, 1, "before").ok());

  GetParam().happen(path);

  const auto answer = AppendAndWait(*journal, 1, "after");
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kDataLoss) << answer.status();
  EXPECT_THAT(std::string(answer.status().message()), testing::HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Mishaps, SqliteJournalInUse,
    testing::Values(
        Mishap{"Removed", [](const std::string& path) { std::filesystem::remove(path); },
               "was removed"},
        Mishap{"Replaced",
               [](const std::string& path) {
                 std::filesystem::copy_file(path, path + ".copy");
                 std::filesystem::rename(path + ".copy", path);
               },
               "was replaced"},
        Mishap{"CutShort", [](const std::string& path) { std::filesystem::resize_file(path, 0); },
               "was cut short"},
        Mishap{"WithoutItsLock",
               [](const std::string& path) { std::filesystem::remove(path + ".lock"); },
               "was removed or replaced, so that a second"},
        Mishap{"WithoutItsLog",
               [](const std::string& path) { std::filesystem::remove(path + "-wal"); },
               "-wal: was removed"},
        Mishap{"WithItsLogCutShort",
               [](const std::string& path) { std::filesystem::resize_file(path + "-wal", 0); },
               "-wal: was cut short"}),
    [](const auto& mishap) { return std::string(mishap.param.name); });

TEST(SqliteJournal, APersonMayReadTheFileWhileItIsInUse) {
  const Folder folder;
  const auto journal = MustOpen(folder / "journal.db");
  ASSERT_TRUE(journal->BeginReign(7).ok());
  ASSERT_TRUE(AppendAndWait(*journal, 7, "one").ok());
  sqlite3* reader = nullptr;
  ASSERT_EQ(sqlite3_open((folder / "journal.db").c_str(), &reader), SQLITE_OK);
  sqlite3_stmt* rows = nullptr;
  ASSERT_EQ(sqlite3_prepare_v2(reader, "SELECT payload FROM entries", -1, &rows, nullptr),
            SQLITE_OK);
  ASSERT_EQ(sqlite3_step(rows), SQLITE_ROW);
  // The reader's transaction is open: it holds up nobody.
  EXPECT_TRUE(AppendAndWait(*journal, 7, "two").ok());
  sqlite3_finalize(rows);
  sqlite3_close(reader);
}

TEST(SqliteJournal, AnotherProgramThatHoldsTheFileIsAFailureWorthTryingAgain) {
  const Folder folder;
  const auto journal = MustOpen(folder / "journal.db");
  ASSERT_TRUE(journal->BeginReign(7).ok());
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open((folder / "journal.db").c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(AppendAndWait(*journal, 7, "a").status().code(), absl::StatusCode::kUnavailable);
  ASSERT_EQ(sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  EXPECT_EQ(*AppendAndWait(*journal, 7, "b"), 1U);
}

TEST(SqliteJournal, APayloadAboveTheLimitIsRefusedAtOnce) {
  const Folder folder;
  const auto journal = MustOpen(folder / "journal.db");
  ASSERT_TRUE(journal->BeginReign(7).ok());
  EXPECT_TRUE(AppendAndWait(*journal, 7, std::string(kPayloadBytesMax, 'x')).ok());
  EXPECT_EQ(AppendAndWait(*journal, 7, std::string(kPayloadBytesMax + 1, 'x')).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(SqliteJournal, ItsDestructorWritesAndAnswersWhatWaits) {
  const Folder folder;
  Answers answers;
  {
    const auto journal = MustOpen(folder / "journal.db");
    ASSERT_TRUE(journal->BeginReign(7).ok());
    for (int i = 0; i < 500; ++i) journal->Append(7, "entry", answers.Take());
  }
  EXPECT_EQ(answers.size(), 500U);
  EXPECT_EQ(MustOpen(folder / "journal.db")->ReadAll()->size(), 500U);
}

TEST(SqliteJournal, MakesItsFolderForItsOwnerAlone) {
  const Folder folder;
  ASSERT_TRUE(SqliteJournal::Open(folder / "new/journal.db").ok());
  EXPECT_EQ(std::filesystem::status(folder / "new").permissions(),
            std::filesystem::perms::owner_all);
}

TEST(SqliteJournal, TakesANameWithoutAFolder) {
  const Folder folder;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  const auto opened = SqliteJournal::Open("journal.db");
  std::filesystem::current_path(before);
  EXPECT_TRUE(opened.ok()) << opened.status();
}

TEST(SqliteJournal, SaysThatItsFolderIsMissingOrItsPathIsNone) {
  const Folder folder;
  const auto missing = SqliteJournal::Open(folder / "none/deeper/journal.db");
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("none/deeper/journal.db"));
  EXPECT_EQ(SqliteJournal::Open("").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(SqliteJournal::Open(folder.path()).ok());
}

}  // namespace
}  // namespace headgate::journal
