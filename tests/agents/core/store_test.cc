#include "agents/core/store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "agents/core/files.h"
#include "common/base/bucket.h"
#include "tests/support/temp_folder.h"

namespace headgate::agent {
namespace {

Memory SomeMemory() {
  return Memory{
      {.gate = "shop",
       .version = {1'723'658'400, 7},
       .share = *Share::Parse("12.5%"),
       .no_raise = true,
       .retry_after_s = 30,
       .cookie_keys = {.issuing = 2,
                       .keys = {{1, std::string(32, 'a')}, {2, std::string(32, '\xff')}}}},
      *Share::Parse("5%")};
}

TEST(FileStore, FindsAgainWhatItSaved) {
  const test::TempFolder folder;
  FileStore store(folder.path(), "shop");
  EXPECT_EQ(*store.LoadMemory(), std::nullopt);
  EXPECT_FALSE(store.HasMemory());
  EXPECT_FALSE(FileStore(folder / "none", "shop").HasMemory());
  ASSERT_TRUE(store.SaveMemory(SomeMemory()).ok());
  EXPECT_TRUE(store.HasMemory());
  EXPECT_EQ(*store.LoadMemory(), SomeMemory());
  const LocalOverride exactly{
      .is_ceiling = false, .share = *Share::Parse("5%"), .until = FromUnixMillis(1234)};
  EXPECT_EQ(*store.LoadOverride(), std::nullopt);
  ASSERT_TRUE(store.SaveOverride(exactly).ok());
  EXPECT_EQ(*store.LoadOverride(), exactly);
  ASSERT_TRUE(store.ReleaseOverride().ok());
  EXPECT_TRUE(store.ReleaseOverride().ok());
  EXPECT_EQ(*store.LoadOverride(), std::nullopt);
}

TEST(FileStore, TellsADamagedStateFromALostOne) {
  const test::TempFolder folder;
  FileStore store(folder.path(), "shop");
  ASSERT_TRUE(store.SaveMemory(SomeMemory()).ok());
  const std::string good = test::ReadFile(store.memory_path());
  for (std::size_t size = 0; size + 2 < good.size(); size += 7) {
    test::WriteFile(store.memory_path(), good.substr(0, size));
    EXPECT_TRUE(absl::IsDataLoss(store.LoadMemory().status())) << size;
  }
  std::string other = good;
  other.replace(other.find("125000"), 6, "925000");
  test::WriteFile(store.memory_path(), other);
  EXPECT_TRUE(absl::IsDataLoss(store.LoadMemory().status()));
}

TEST(FileStore, ReadsAStateOfBeforeThereWereCookieKeys) {
  const test::TempFolder folder;
  FileStore store(folder.path(), "shop");
  const nlohmann::json content{{"gate", "shop"},       {"epoch", 7},        {"revision", 3},
                               {"share_ppm", 50'000},  {"no_raise", false}, {"retry_after_s", 10},
                               {"granted_ppm", 50'000}};
  test::WriteFile(store.memory_path(),
                  nlohmann::json{{"content", content},
                                 {"check", fmt::format("{:016x}", Hash64(content.dump()))}}
                      .dump());
  const auto memory = store.LoadMemory();
  ASSERT_TRUE(memory.ok() && memory->has_value()) << memory.status();
  EXPECT_EQ((*memory)->directive.share, *Share::Parse("5%"));
  EXPECT_TRUE((*memory)->directive.cookie_keys.empty());
}

TEST(FileStore, RefusesTheStateOfAnotherGate) {
  const test::TempFolder folder;
  FileStore shop(folder.path(), "shop");
  FileStore bank(folder.path(), "bank");
  ASSERT_TRUE(shop.SaveMemory(SomeMemory()).ok());
  std::filesystem::copy_file(shop.memory_path(), bank.memory_path());
  EXPECT_TRUE(absl::IsDataLoss(bank.LoadMemory().status()));
}

// `sudo headgate-agent lower` writes for an agent that is not root.
TEST(FileStore, AnOverrideBelongsToWhomTheFolderBelongs) {
  constexpr uid_t kAgent = 4711;
  const test::TempFolder folder;
  if (chown(folder.path().c_str(), kAgent, kAgent) != 0) {
    GTEST_SKIP() << "this user may not give folders away";
  }
  FileStore store(folder.path(), "shop");
  ASSERT_TRUE(store.SaveOverride({.share = *Share::Parse("5%"), .until = {}}).ok());
  struct stat found {};
  ASSERT_EQ(stat(store.override_path().c_str(), &found), 0);
  EXPECT_EQ(found.st_uid, kAgent);
  EXPECT_EQ(found.st_gid, kAgent);
}

TEST(Files, AFailedWriteLeavesTheOldFile) {
  const test::TempFolder folder;
  const std::string path = folder / "file";
  ASSERT_TRUE(WriteDurably(path, "old").ok());
  std::filesystem::create_directory(path + "." + std::to_string(getpid()) + ".tmp");
  EXPECT_FALSE(WriteDurably(path, "new").ok());
  EXPECT_EQ(*ReadSmallFile(path), "old");
}

TEST(Files, KeepsTheModeOfTheFileItReplaces) {
  const test::TempFolder folder;
  const std::string path = folder / "file";
  test::WriteFile(path, "old");
  std::filesystem::permissions(path, std::filesystem::perms(0644));
  ASSERT_TRUE(WriteDurably(path, "new").ok());
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0644));
}

TEST(Files, TheRoomThatWasKeptHoldsOneFileAfterTheOther) {
  const test::TempFolder folder;
  const std::string path = folder / "file";
  const std::string spare = folder / "spare";
  EXPECT_TRUE(absl::IsNotFound(WriteReserved(path, spare, "lost")));
  ASSERT_TRUE(Reserve(spare).ok());
  ASSERT_TRUE(WriteReserved(path, spare, "first").ok());
  EXPECT_FALSE(std::filesystem::exists(spare));
  ASSERT_TRUE(WriteReserved(path, spare, "second").ok());
  EXPECT_EQ(ReadSmallFile(path)->substr(0, 7), "second ");
  EXPECT_TRUE(absl::IsOutOfRange(WriteReserved(path, spare, std::string(kReservedBytes + 1, 'x'))));
  // A file that was not written into kept room has none to give.
  ASSERT_TRUE(WriteDurably(path, "small").ok());
  EXPECT_TRUE(absl::IsNotFound(WriteReserved(path, spare, "lost")));
  EXPECT_EQ(*ReadSmallFile(path), "small");
}

TEST(Files, AFileThatFitsIsWrittenIntoTheRoomOfTheOldOne) {
  const test::TempFolder folder;
  const std::string path = folder / "file";
  EXPECT_TRUE(absl::IsNotFound(WriteInPlace(path, "x")));
  test::WriteFile(path, "old\nold\n");
  ASSERT_TRUE(WriteInPlace(path, "new\n").ok());
  EXPECT_EQ(*ReadSmallFile(path), "new\n\n\n\n\n");
  EXPECT_TRUE(absl::IsOutOfRange(WriteInPlace(path, "far too long")));
  EXPECT_EQ(*ReadSmallFile(path), "new\n\n\n\n\n");
}

TEST(Files, SaysWhichFileAndWhy) {
  const test::TempFolder folder;
  const absl::Status status = WriteDurably(folder / "none/file", "x");
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("none/file"));
  test::WriteFile(folder / "big", std::string(kSmallFileBytesMax + 1, 'x'));
  EXPECT_TRUE(absl::IsOutOfRange(ReadSmallFile(folder / "big").status()));
}

}  // namespace
}  // namespace headgate::agent
