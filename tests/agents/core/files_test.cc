#include "agents/core/files.h"

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/temp_folder.h"

namespace headgate::agent {
namespace {

constexpr uid_t kAgent = 65'534;
constexpr gid_t kGroupOfWorkers = 33;

// In a process of its own: who has given up being root does not come back.
bool ReplaceAsAgent(const std::string& path) {
  const pid_t child = fork();
  if (child == 0) {
    const gid_t groups[] = {kGroupOfWorkers};
    const bool is_agent = setgroups(1, groups) == 0 && setgid(kAgent) == 0 && setuid(kAgent) == 0;
    _exit(is_agent && ReplaceFile(path, "new").ok() ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  return status == 0;
}

TEST(Files, WhatRootGaveAGroupStaysTheGroupsWhenAnAgentOfItWritesAnew) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to have a file of root's";
  const test::TempFolder folder;
  ASSERT_EQ(chmod(folder.path().c_str(), 0777), 0);
  const std::string path = folder / "shop.keys";
  test::WriteFile(path, "old");
  ASSERT_EQ(chown(path.c_str(), 0, kGroupOfWorkers), 0);
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);

  ASSERT_TRUE(ReplaceAsAgent(path));

  struct stat found {};
  ASSERT_EQ(stat(path.c_str(), &found), 0);
  EXPECT_EQ(test::ReadFile(path), "new");
  EXPECT_EQ(found.st_gid, kGroupOfWorkers);
  EXPECT_EQ(found.st_mode & 0777U, 0640U);
}

TEST(Files, NobodyWaitsForTheOtherEndOfAFifo) {
  const test::TempFolder folder;
  const std::string fifo = folder / "shop.map";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const absl::Status read = ReadSmallFile(fifo).status();
  EXPECT_EQ(std::string(read.message()), fifo + " is no regular file: put one in its place");
  EXPECT_FALSE(MakeDurable(fifo).ok());
  EXPECT_FALSE(WriteInPlace(fifo, "x").ok());
  EXPECT_FALSE(WriteReserved(folder / "other", fifo, "x").ok());
  const KeptFile kept(fifo);
  EXPECT_TRUE(ReplaceFile(fifo, "new").ok());
  EXPECT_EQ(ReadSmallFile(fifo).value_or(""), "new");
}

}  // namespace
}  // namespace headgate::agent
