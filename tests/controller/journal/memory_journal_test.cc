#include "controller/journal/memory_journal.h"

#include <gtest/gtest.h>

#include "tests/controller/journal/journal_testing.h"

namespace headgate::journal {
namespace {

TEST(MemoryJournal, AFailingDiskAnswersItsReasonUntilItIsHealed) {
  MemoryDisk disk;
  MemoryJournal journal(disk);
  ASSERT_TRUE(journal.BeginReign(7).ok());
  journal.Fail(absl::ResourceExhaustedError("disk full"));
  EXPECT_EQ(AppendAndWait(journal, 7, "a").status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(journal.BeginReign(8).ok());
  journal.Heal();
  EXPECT_EQ(*AppendAndWait(journal, 7, "b"), 1U);
}

TEST(MemoryJournal, AHangingDiskAnswersInOrderWhenItIsHealed) {
  MemoryDisk disk;
  MemoryJournal journal(disk);
  ASSERT_TRUE(journal.BeginReign(7).ok());
  journal.Hang();
  Answers answers;
  journal.Append(7, "a", answers.Take());
  journal.Append(7, "b", answers.Take());
  EXPECT_EQ(answers.size(), 0U);
  EXPECT_EQ(journal.Waiting(), 2U);
  journal.Heal();
  const auto answered = answers.Wait(2);
  EXPECT_EQ(*answered[0], 1U);
  EXPECT_EQ(*answered[1], 2U);
}

TEST(MemoryJournal, APowerFailureForgetsWhatWasNotSyncedAndMayKeepWhatNobodyWasToldOf) {
  MemoryDisk disk;
  MemoryJournal journal(disk);
  ASSERT_TRUE(journal.BeginReign(7).ok());
  ASSERT_TRUE(AppendAndWait(journal, 7, "acknowledged").ok());
  journal.Hang();
  Answers answers;
  for (const char* payload : {"reached the disk", "lost", "lost"}) {
    journal.Append(7, payload, answers.Take());
  }
  journal.LosePower(1);

  EXPECT_EQ(answers.size(), 0U);
  MemoryJournal restarted(disk);
  const auto entries = restarted.ReadAll();
  ASSERT_EQ(entries->size(), 2U);
  EXPECT_EQ((*entries)[1].payload, "reached the disk");
  EXPECT_TRUE(restarted.BeginReign(8).ok());
}

TEST(MemoryJournal, ASecondControllerOnTheDiskDeposesTheFirst) {
  MemoryDisk disk;
  MemoryJournal first(disk);
  MemoryJournal second(disk);
  ASSERT_TRUE(first.BeginReign(7).ok());
  first.Hang();
  Answers answers;
  first.Append(7, "too late", answers.Take());
  ASSERT_TRUE(second.BeginReign(8).ok());
  first.Heal();
  EXPECT_EQ(answers.Wait(1)[0].status().code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(AppendAndWait(second, 8, "reigns").ok());
}

}  // namespace
}  // namespace headgate::journal
