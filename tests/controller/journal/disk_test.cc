// Disks that are full, fail, or hang.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <functional>

#include "tests/controller/journal/faulty_disk.h"
#include "tests/controller/journal/journal_testing.h"

namespace headgate::journal {
namespace {

using testing::HasSubstr;

TEST(JournalDisk, NothingIsAcknowledgedBeforeItIsSyncedAndNobodyIsHeldUp) {
  const FaultyDisk disk;
  const Folder folder;
  const auto journal = MustOpen(folder / "journal.db");
  ASSERT_TRUE(journal->BeginReign(7).ok());
  Answers answers;
  FaultyDisk::Hang();
  journal->Append(7, "first", answers.Take());
  ASSERT_TRUE(FaultyDisk::WaitUntilItHangs(kPatience));
  // The limit of what may wait, and its answer.
  for (std::size_t i = 1; i < kAppendsWaitingMax; ++i) journal->Append(7, "more", answers.Take());
  EXPECT_EQ(answers.size(), 0U);
  EXPECT_EQ(journal->Waiting(), kAppendsWaitingMax);
  const auto refused = AppendAndWait(*journal, 7, "one too many");
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);

  FaultyDisk::Heal();
  for (const auto& answer : answers.Wait(kAppendsWaitingMax)) {
    EXPECT_TRUE(answer.ok()) << answer.status();
  }
  EXPECT_EQ(journal->Waiting(), 0U);
  EXPECT_EQ(journal->ReadAll()->size(), kAppendsWaitingMax);
}

TEST(JournalDisk, AHangDelaysTheDestructorByItsLimitAndAnswersNobodyAfterwards) {
  const FaultyDisk disk;
  const Folder folder;
  Answers answers;
  {
    auto journal = MustOpen(folder / "journal.db");
    ASSERT_TRUE(journal->BeginReign(7).ok());
    FaultyDisk::Hang();
    journal->Append(7, "first", answers.Take());
    ASSERT_TRUE(FaultyDisk::WaitUntilItHangs(kPatience));
    journal->Append(7, "second", answers.Take());
    const auto start = std::chrono::steady_clock::now();
    journal.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - start, kCloseMax + std::chrono::seconds(2));
  }
  // The file stays locked while somebody may still write to it.
  EXPECT_EQ(SqliteJournal::Open(folder / "journal.db").status().code(),
            absl::StatusCode::kFailedPrecondition);
  FaultyDisk::Heal();
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  absl::StatusOr<std::unique_ptr<SqliteJournal>> reopened = absl::UnknownError("");
  while (!reopened.ok() && std::chrono::steady_clock::now() < deadline) {
    reopened = SqliteJournal::Open(folder / "journal.db");
  }
  ASSERT_TRUE(reopened.ok()) << reopened.status();
  EXPECT_EQ(answers.size(), 0U);
  EXPECT_LE((*reopened)->ReadAll()->size(), 1U) << "what was queued is not written any more";
}

TEST(JournalDisk, AFailedSyncIsNotAcknowledgedAndTheNextOneCounts) {
  const FaultyDisk disk;
  const Folder folder;
  {
    const auto journal = MustOpen(folder / "journal.db");
    ASSERT_TRUE(journal->BeginReign(7).ok());
    FaultyDisk::FailSyncs();
    EXPECT_EQ(AppendAndWait(*journal, 7, "lost").status().code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(journal->BeginReign(8).code(), absl::StatusCode::kUnavailable);
    FaultyDisk::Heal();
    EXPECT_EQ(*AppendAndWait(*journal, 7, "kept"), 1U);
  }
  const auto entries = *MustOpen(folder / "journal.db")->ReadAll();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].payload, "kept");
}

TEST(JournalDisk, IsProvenWritableOnlyByAWrite) {
  const FaultyDisk disk;
  const Folder folder;
  const auto journal = MustOpen(folder / "journal.db");
  ASSERT_TRUE(journal->BeginReign(7).ok());
  FaultyDisk::FailSyncs();
  EXPECT_FALSE(journal->ProveWritable().ok());
  FaultyDisk::Heal();
  EXPECT_TRUE(journal->ProveWritable().ok());
  EXPECT_EQ(*AppendAndWait(*journal, 7, "of the same reign"), 1U);
}

// Appends until the disk is full, and once more after `make_room`.
void FillAndHeal(const std::string& path, const std::function<void()>& make_room) {
  const auto journal = MustOpen(path);
  ASSERT_NE(journal, nullptr);
  ASSERT_TRUE(journal->BeginReign(7).ok());
  const std::string payload(10'000, 'x');
  std::uint64_t acknowledged = 0;
  absl::Status full;
  while (full.ok() && acknowledged < 2'000) {
    const auto answer = AppendAndWait(*journal, 7, payload);
    if (answer.ok()) acknowledged = *answer;
    full = answer.status();
  }
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted) << full;
  EXPECT_THAT(std::string(full.message()), HasSubstr("free space"));
  EXPECT_GT(acknowledged, 0U);
  make_room();
  const auto healed = AppendAndWait(*journal, 7, payload);
  ASSERT_TRUE(healed.ok()) << healed.status();
  EXPECT_EQ(*healed, acknowledged + 1);
  const auto entries = journal->ReadAll();
  ASSERT_TRUE(entries.ok()) << entries.status();
  EXPECT_EQ(entries->size(), acknowledged + 1);
}

TEST(JournalDisk, AFileSizeLimitIsAFullDiskAndHealsByItself) {
  const Folder folder;
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 300'000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  FillAndHeal(folder / "journal.db", [&before] { setrlimit(RLIMIT_FSIZE, &before); });
  setrlimit(RLIMIT_FSIZE, &before);
}

TEST(JournalDisk, AFullFilesystemHealsByItselfWhenSpaceReturns) {
  const Folder folder;
  // In a mount namespace of this process alone: nothing is left behind, however it ends.
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("none", folder.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
    GTEST_SKIP() << "needs the right to mount a tmpfs; the file-size limit's test stands in";
  }
  WriteFile(folder / "ballast", std::string(400'000, 'x'));
  FillAndHeal(folder / "journal.db", [&] { std::filesystem::remove(folder / "ballast"); });
  umount2(folder.path().c_str(), MNT_DETACH);
}

TEST(JournalDisk, StartsInTimeWithoutADiskThatHangs) {
  const FaultyDisk disk;
  const Folder folder;
  FaultyDisk::Hang();
  const auto opened = SqliteJournal::Open(folder / "journal.db", Duration(100));
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kUnavailable) << opened.status();
  ASSERT_TRUE(FaultyDisk::WaitUntilItHangs(kPatience));
  FaultyDisk::Heal();
  ASSERT_TRUE(FaultyDisk::WaitUntilNothingHangs(kPatience));
}

TEST(JournalDisk, BeginsNoReignOnADiskThatHangs) {
  const FaultyDisk disk;
  const Folder folder;
  auto journal = SqliteJournal::Open(folder / "journal.db", Duration(2'000));
  ASSERT_TRUE(journal.ok()) << journal.status();
  FaultyDisk::Hang();
  EXPECT_EQ((*journal)->BeginReign(7).code(), absl::StatusCode::kUnavailable);
  FaultyDisk::Heal();
}

}  // namespace
}  // namespace headgate::journal
