// What the journal's tests share: a folder, and appends that wait for their answers.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "controller/journal/journal.h"
#include "controller/journal/sqlite_journal.h"

namespace headgate::journal {

constexpr std::chrono::seconds kPatience{20};

class Folder {
 public:
  Folder() {
    std::string name =
        (std::filesystem::temp_directory_path() / "headgate-journal-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

// Answers of appends, in the order in which they came.
class Answers {
 public:
  AppendDone Take() {
    return [this](absl::StatusOr<std::uint64_t> answer) {
      const std::lock_guard lock(mutex_);
      answers_.push_back(std::move(answer));
      changed_.notify_all();
    };
  }
  std::vector<absl::StatusOr<std::uint64_t>> Wait(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return answers_.size() >= count; }))
        << answers_.size() << " answers of " << count;
    return answers_;
  }
  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return answers_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<absl::StatusOr<std::uint64_t>> answers_;
};

inline absl::StatusOr<std::uint64_t> AppendAndWait(Journal& journal, std::uint64_t epoch,
                                                   const std::string& payload) {
  Answers answers;
  journal.Append(epoch, payload, answers.Take());
  auto all = answers.Wait(1);
  return all.empty() ? absl::DeadlineExceededError("no answer") : all[0];
}

inline std::unique_ptr<SqliteJournal> MustOpen(const std::string& path) {
  auto journal = SqliteJournal::Open(path);
  EXPECT_TRUE(journal.ok()) << journal.status();
  return journal.ok() ? *std::move(journal) : nullptr;
}

// A closed journal with `count` entries of epoch 7: "payload 1", "payload 2", …
inline void MakeJournal(const std::string& path, int count) {
  const auto journal = MustOpen(path);
  ASSERT_NE(journal, nullptr);
  ASSERT_TRUE(journal->BeginReign(7).ok());
  for (int i = 1; i <= count; ++i) {
    ASSERT_TRUE(AppendAndWait(*journal, 7, "payload " + std::to_string(i)).ok());
  }
}

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void WriteFile(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

}  // namespace headgate::journal
