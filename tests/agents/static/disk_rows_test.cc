// Rows of docs/FAILING_STATIC.md in which a file or a disk fails.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/agents/static/scene.h"
#include "tests/support/small_disk.h"

namespace headgate::test {
namespace {

using testing::HasSubstr;
using testing::Not;

bool FileSays(const Column& balancer, const char* share) {
  const auto found = balancer.Form().parse(ReadFile(balancer.ShareFile()));
  return found.ok() && found->width == Percent(share).Width();
}

TEST_P(FailingStatic, ShareFileTruncatedOrReplaced) {
  Scene scene(GetParam());
  const std::string good = ReadFile(scene.balancer().ShareFile());
  for (const std::string& text :
       {std::string(), good.substr(0, good.size() / 2), std::string("garbage\n"),
        scene.balancer().Form().text({Share::All().Width(), 10})}) {
    WriteFile(scene.balancer().ShareFile(), text);
    EXPECT_TRUE(Eventually([&] { return FileSays(scene.balancer(), "20%"); })) << text;
    scene.ExpectReady();
  }
  scene.balancer().Reload();
  scene.ExpectStaticWithoutAGap();
  scene.ExpectLowersOnTheBox();
}

// A folder in its place is read and written by nobody, root included.
TEST_P(FailingStatic, ShareFileUnreadable) {
  Scene scene(GetParam());
  const std::string path = scene.balancer().ShareFile();
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  scene.ExpectNotReady(path);
  scene.ExpectStaticWithoutAGap();
  scene.controller().Direct(DirectiveOf(7, 2, "30%"));
  scene.ExpectRefusal(v1::Refusal::DISK);
  scene.ExpectStaticWithoutAGap();
  scene.ExpectMetric("unsaved", 1);
  scene.ExpectLowersOnTheBox(/*is_sure_to_stay=*/false);
  EXPECT_THAT(scene.site().Run({"lower", "0.5%"}).standard_output, HasSubstr("UNSAVED: a re"));
  std::filesystem::remove(path);
  EXPECT_TRUE(Eventually([&] { return FileSays(scene.balancer(), "0.5%"); }));
  scene.ExpectReady();
}

TEST_P(FailingStatic, DiskFull) {
  const SmallDisk disk;
  if (!disk.is_there()) GTEST_SKIP() << "this user may not mount a small disk";
  Scene scene(GetParam(),
              {.site = {.state_dir = disk.path() + "/state"}, .share_folder = disk.path()});
  disk.Fill();
  scene.controller().Direct(DirectiveOf(7, 2, "30%"));
  scene.ExpectNotReady("No space left on device");
  scene.ExpectRefusal(v1::Refusal::DISK);
  scene.ExpectMetric("unsaved", 1);
  scene.ExpectStaticWithoutAGap();
  scene.LetInsideGo();
  const Finished lower = scene.site().Run({"lower", "5%"});
  EXPECT_EQ(lower.exit_code, 0) << lower.output;
  // Into the room that the old share had: the next start finds the new one.
  EXPECT_THAT(lower.standard_output, Not(HasSubstr("UNSAVED")));
  scene.site().KillAgent();
  scene.balancer().KillAndStart();
  scene.ExpectIsAtMost("5%");
  scene.ExpectLowersOnTheBox();
}

TEST_P(FailingStatic, AgentsStateTruncatedOrUnreadable) {
  Scene scene(GetParam());
  const std::string path = scene.site().state_dir() + "/shop.state.json";
  for (const bool is_folder : {false, true}) {
    scene.site().KillAgent();
    const std::string text = ReadFile(path);
    std::filesystem::remove(path);
    if (is_folder) std::filesystem::create_directory(path);
    if (!is_folder) WriteFile(path, text.substr(0, text.size() / 2));
    scene.site().StopController();
    scene.site().StartAgent();
    scene.ExpectNotReady(path);
    scene.ExpectMetric("stage{gate=\"shop\",stage=\"IDLE\"}", 1);
    scene.ExpectMetric("enforced_share_ratio", 0.2);
    scene.ExpectStaticWithoutAGap();
  }
  scene.ExpectLowersOnTheBox();
}

TEST_P(FailingStatic, AgentsDiskLost) {
  Scene scene(GetParam());
  scene.LetInsideGo();
  EXPECT_EQ(scene.site().Run({"lower", "5%"}).exit_code, 0);
  scene.ExpectMetric("overridden", 1);
  // At once: file by file the agent would write them again meanwhile.
  std::filesystem::rename(scene.site().state_dir(), scene.site().folder / "lost");
  scene.ExpectNotReady("shop.state.json");
  scene.ExpectMetric("unsaved", 1);
  // A lost folder is nobody's release.
  scene.ExpectIsAtMost("5%");
  scene.ExpectMetric("overridden", 1);
  // There is no place for its word: it is in force, and not sure to last.
  const Finished lower = scene.site().Run({"lower", "1%"});
  EXPECT_EQ(lower.exit_code, 11) << lower.output;
  EXPECT_THAT(lower.standard_output, HasSubstr("shop: UNSAVED"));
  scene.ExpectIsAtMost("1%");
  std::filesystem::create_directory(scene.site().state_dir());
  scene.ExpectReady();
  scene.ExpectMetric("unsaved", 0);
  scene.ExpectMetric("overridden", 1);
}

TEST_P(FailingStatic, AgentsDiskLostBeforeARestart) {
  Scene scene(GetParam());
  scene.site().StopController();
  scene.site().KillAgent();
  std::filesystem::remove_all(scene.site().state_dir());
  scene.site().StartAgent();
  scene.ExpectNotReady("no controller has welcomed us");
  scene.ExpectMetric("stage{gate=\"shop\",stage=\"IDLE\"}", 1);
  scene.ExpectMetric("enforced_share_ratio", 0.2);
  scene.ExpectStaticWithoutAGap();
  scene.ExpectLowersOnTheBox();
}

}  // namespace
}  // namespace headgate::test
