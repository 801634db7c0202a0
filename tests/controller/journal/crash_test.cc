// Processes that share a journal, and one that is killed while it writes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>

#include "tests/controller/journal/journal_testing.h"

namespace headgate::journal {
namespace {

using testing::HasSubstr;

// A child that runs `body` with the writing end of a pipe; killed at the latest at the end.
class Child {
 public:
  explicit Child(const std::function<void(int)>& body) {
    EXPECT_EQ(pipe(pipe_.data()), 0);
    pid_ = fork();
    if (pid_ == 0) {
      close(pipe_[0]);
      body(pipe_[1]);
      _exit(0);
    }
    close(pipe_[1]);
  }
  ~Child() {
    Kill();
    close(pipe_[0]);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  // False at the end of what the child wrote.
  bool Read(std::uint64_t& number) {
    return read(pipe_[0], &number, sizeof(number)) == sizeof(number);
  }
  pid_t pid() const { return pid_; }

 private:
  std::array<int, 2> pipe_{-1, -1};
  pid_t pid_ = -1;
};

void Tell(int fd, std::uint64_t number) {
  if (write(fd, &number, sizeof(number)) != sizeof(number)) _exit(1);
}

TEST(JournalCrash, ASecondProcessIsRefusedUntilTheFirstDies) {
  const Folder folder;
  const std::string path = folder / "journal.db";
  Child child([&path](int fd) {
    const auto journal = SqliteJournal::Open(path);
    Tell(fd, journal.ok() ? 1 : 0);
    pause();
  });
  std::uint64_t opened = 0;
  ASSERT_TRUE(child.Read(opened));
  ASSERT_EQ(opened, 1U);

  const auto refused = SqliteJournal::Open(path);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.status().message()),
              HasSubstr("process " + std::to_string(child.pid())));
  child.Kill();
  EXPECT_TRUE(SqliteJournal::Open(path).ok());
}

TEST(JournalCrash, EverythingAcknowledgedBeforeAKillIsThere) {
  const Folder folder;
  const std::string path = folder / "journal.db";
  std::uint64_t acknowledged = 0;
  constexpr std::uint64_t kKills = 5;
  for (std::uint64_t epoch = 1; epoch <= kKills; ++epoch) {
    Child child([&path, epoch](int fd) {
      const auto journal = SqliteJournal::Open(path);
      if (!journal.ok() || !(*journal)->BeginReign(epoch).ok()) _exit(1);
      while (true) {
        if ((*journal)->Waiting() > 50) continue;
        (*journal)->Append(epoch, "entry of epoch " + std::to_string(epoch),
                           [fd](absl::StatusOr<std::uint64_t> sequence) {
                             if (sequence.ok()) Tell(fd, *sequence);
                           });
      }
    });
    const std::uint64_t goal = acknowledged + 100 * epoch;
    while (acknowledged < goal && child.Read(acknowledged)) {
    }
    ASSERT_GE(acknowledged, goal);
    child.Kill();
    // What it had said before it died.
    while (child.Read(acknowledged)) {
    }
  }
  const auto entries = MustOpen(path)->ReadAll();
  ASSERT_TRUE(entries.ok()) << entries.status();
  EXPECT_GE(entries->size(), acknowledged);
  for (const Entry& entry : *entries) {
    EXPECT_EQ(entry.payload, "entry of epoch " + std::to_string(entry.epoch));
  }
}

TEST(JournalCrash, AKillWhileTheFileIsMadeLeavesNothingInTheWay) {
  const Folder folder;
  WriteFile(folder / "journal.db.creating", "half a file");
  WriteFile(folder / "journal.db.creating-journal", "half a journal of it");
  const auto journal = MustOpen(folder / "journal.db");
  ASSERT_NE(journal, nullptr);
  EXPECT_TRUE(journal->BeginReign(1).ok());
}

}  // namespace
}  // namespace headgate::journal
