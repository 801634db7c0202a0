// What every journal promises, whatever it is made of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <thread>

#include "controller/journal/memory_journal.h"
#include "tests/controller/journal/journal_testing.h"

namespace headgate::journal {
namespace {

// A place where journals are kept; each Open is a controller that starts.
class Store {
 public:
  virtual ~Store() = default;
  virtual std::unique_ptr<Journal> Open() = 0;
};

class SqliteFile : public Store {
 public:
  std::unique_ptr<Journal> Open() override { return MustOpen(folder_ / "journal.db"); }

 private:
  const Folder folder_;
};

class Memory : public Store {
 public:
  std::unique_ptr<Journal> Open() override { return std::make_unique<MemoryJournal>(disk_); }

 private:
  MemoryDisk disk_;
};

struct Kind {
  std::string name;
  std::function<std::unique_ptr<Store>()> make;
};

class JournalContract : public testing::TestWithParam<Kind> {
 protected:
  const std::unique_ptr<Store> store_ = GetParam().make();
};

TEST_P(JournalContract, GivesBackEveryAcknowledgedEntryInOrder) {
  const std::string binary("\0\xff\n'; DROP TABLE entries", 24);
  {
    const auto journal = store_->Open();
    EXPECT_TRUE(journal->ReadAll()->empty());
    ASSERT_TRUE(journal->BeginReign(7).ok());
    EXPECT_EQ(*AppendAndWait(*journal, 7, "first"), 1U);
    EXPECT_EQ(*AppendAndWait(*journal, 7, binary), 2U);
    EXPECT_EQ(*AppendAndWait(*journal, 7, ""), 3U);
  }
  const auto entries = store_->Open()->ReadAll();
  ASSERT_TRUE(entries.ok()) << entries.status();
  ASSERT_EQ(entries->size(), 3U);
  EXPECT_EQ((*entries)[0].payload, "first");
  EXPECT_EQ((*entries)[1].payload, binary);
  EXPECT_EQ((*entries)[2].payload, "");
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ((*entries)[i].sequence, i + 1);
    EXPECT_EQ((*entries)[i].epoch, 7U);
  }
}

TEST_P(JournalContract, AReignMustBeAboveEveryOther) {
  {
    const auto journal = store_->Open();
    ASSERT_TRUE(journal->BeginReign(7).ok());
    EXPECT_EQ(journal->BeginReign(7).code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(journal->BeginReign(6).code(), absl::StatusCode::kFailedPrecondition);
  }
  // Also one that wrote nothing.
  const auto journal = store_->Open();
  EXPECT_EQ(journal->BeginReign(7).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(journal->BeginReign(8).ok());
}

TEST_P(JournalContract, AnEpochThatDoesNotReignAppendsNothing) {
  const auto journal = store_->Open();
  EXPECT_EQ(AppendAndWait(*journal, 1, "before any reign").status().code(),
            absl::StatusCode::kAborted);
  ASSERT_TRUE(journal->BeginReign(7).ok());
  ASSERT_TRUE(journal->BeginReign(9).ok());
  EXPECT_EQ(AppendAndWait(*journal, 7, "deposed").status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(AppendAndWait(*journal, 8, "never began").status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(AppendAndWait(*journal, 10, "not yet begun").status().code(),
            absl::StatusCode::kAborted);
  EXPECT_EQ(*AppendAndWait(*journal, 9, "reigns"), 1U);
}

TEST_P(JournalContract, AppendsOfManyThreadsGetOneSequenceEach) {
  const auto journal = store_->Open();
  ASSERT_TRUE(journal->BeginReign(7).ok());
  Answers answers;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 50; ++j) journal->Append(7, "entry", answers.Take());
    });
  }
  for (auto& thread : threads) thread.join();
  std::vector<std::uint64_t> sequences;
  for (const auto& answer : answers.Wait(200)) {
    ASSERT_TRUE(answer.ok()) << answer.status();
    sequences.push_back(*answer);
  }
  std::sort(sequences.begin(), sequences.end());
  for (std::size_t i = 0; i < sequences.size(); ++i) EXPECT_EQ(sequences[i], i + 1);
}

INSTANTIATE_TEST_SUITE_P(Journals, JournalContract,
                         testing::Values(Kind{"Sqlite",
                                              [] { return std::make_unique<SqliteFile>(); }},
                                         Kind{"Memory", [] { return std::make_unique<Memory>(); }}),
                         [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace headgate::journal
