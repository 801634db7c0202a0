// The folders and the lock of the agent, and what is said of it while it has them or not.
#include "agents/main/folders.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "agents/main/lock.h"
#include "tests/agents/main/site.h"
#include "tests/support/places.h"

namespace headgate::test {
namespace {

using agent::AgentSeen;
using testing::HasSubstr;

unsigned ModeOf(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0 ? found.st_mode & 07777U : 0;
}

agent::Config ConfigOf(const std::string& state_dir, const std::string& map) {
  agent::Config config;
  config.state_dir = state_dir;
  config.gates.resize(1);
  config.gates[0].load_balancer = haproxy::Settings{.map = map};
  return config;
}

TEST(Folders, TheStateIsForTheAgentAloneUnlessAMapLiesThere) {
  const TempFolder folder;
  const auto mode_with = [&](const std::string& state, const std::string& map) {
    EXPECT_TRUE(agent::MakeStateFolder(ConfigOf(folder / state, folder / map)).ok());
    return ModeOf(folder / state);
  };
  EXPECT_EQ(mode_with("a", "maps/shop.map"), 0700U);
  EXPECT_EQ(mode_with("b", "bb/shop.map"), 0700U);
  EXPECT_EQ(mode_with("c", "c/shop.map"), 0755U);
  EXPECT_EQ(mode_with("d/e", "d/e/maps/shop.map"), 0755U);
  EXPECT_EQ(mode_with("f/", "g/../f/shop.map"), 0755U);
}

TEST(Folders, OneThatIsThereIsLeftAsItIs) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "state");
  chmod((folder / "state").c_str(), 0750);
  EXPECT_TRUE(agent::MakeFolder(folder / "state", 0700).ok());
  EXPECT_EQ(ModeOf(folder / "state"), 0750U);
}

TEST(Folders, RunMakesThem) {
  Site site({.start_agent = false});
  std::filesystem::remove_all(site.state_dir());
  site.StartAgent();
  site.DirectAndWait(7, 1, "20%");
  EXPECT_EQ(ModeOf(site.state_dir()), 0700U);
  EXPECT_THAT(site.Run({"status"}).standard_output,
              HasSubstr(fmt::format("agent       running (pid {})", site.agent->pid())));
}

TEST(Folders, RunDoesNotStartWithoutThem) {
  Site site({.start_agent = false});
  std::filesystem::remove_all(site.state_dir());
  WriteFile(site.state_dir(), "in the way");
  const Finished run = site.Run({"run"});
  EXPECT_EQ(run.exit_code, 3) << run.output;
  EXPECT_THAT(run.output, HasSubstr("start_refused"));
  EXPECT_THAT(run.output, HasSubstr(site.state_dir()));
}

TEST(Folders, RunDoesNotStartWithoutItsLock) {
  Site site({.start_agent = false});
  std::filesystem::create_directory(site.state_dir() + "/agent.lock");
  const Finished run = site.Run({"run"});
  EXPECT_EQ(run.exit_code, 3) << run.output;
  EXPECT_THAT(run.output, HasSubstr("cannot open"));
  EXPECT_EQ(site.controller->sessions(), 0);
}

TEST(Folders, ASecondAgentIsToldThePidOfTheFirst) {
  Site site;
  ASSERT_TRUE(Eventually([&] { return site.controller->sessions() == 1; }));
  const Finished second = site.Run({"run"});
  EXPECT_EQ(second.exit_code, 3);
  EXPECT_THAT(second.output,
              HasSubstr(fmt::format("an agent (pid {}) already runs on", site.agent->pid())));
}

TEST(Folders, SnippetMakesTheMapsFolderSoThatHaproxyCanReadIt) {
  const TempFolder folder;
  const mode_t before = umask(077);
  const Finished snippet =
      RunToEnd({BuiltProgram("headgate-agent"), "snippet", "haproxy", "--gate", "shop",
                "--app-backend", "app", "--map", folder / "x/maps/shop.map", "--write-map"});
  umask(before);
  EXPECT_EQ(snippet.exit_code, 0) << snippet.output;
  EXPECT_THAT(snippet.output, HasSubstr("/maps made"));
  EXPECT_EQ(ModeOf(folder / "x/maps"), 0755U);
  EXPECT_EQ(ModeOf(folder / "x/maps/shop.map"), 0644U);
}

TEST(Lock, AnAgentThatLostItsFolderIsNotSaidToBeDead) {
  Site site;
  site.DirectAndWait(7, 1, "20%");
  // At once: file by file the agent would write them again meanwhile.
  std::filesystem::rename(site.state_dir(), site.folder / "lost");
  const Finished status = site.Run({"status"});
  EXPECT_THAT(status.standard_output, HasSubstr("agent       unknown: one answers at 127.0.0.1:"));
  EXPECT_THAT(status.standard_output, HasSubstr("was that folder removed?"));
}

TEST(Lock, WhoMayNotLookIsToldSo) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to become somebody else";
  const TempFolder folder;
  const auto lock = agent::FolderLock::Take(folder.path());
  ASSERT_TRUE(lock.ok()) << lock.status();
  chmod((folder / "agent.lock").c_str(), 0600);
  EXPECT_EQ(agent::FindAgent(folder / "none").is, AgentSeen::Is::kNotRunning);
  constexpr uid_t kNobody = 65534;
  ASSERT_EQ(seteuid(kNobody), 0);
  const AgentSeen seen = agent::FindAgent(folder.path());
  ASSERT_EQ(seteuid(0), 0);
  EXPECT_EQ(seen.is, AgentSeen::Is::kUnknown);
  EXPECT_TRUE(seen.MayRun());
  EXPECT_THAT(seen.ToString(), HasSubstr("ask as root, or as the agent's user"));
}

TEST(Folders, AMapThatIsMadeAdmitsWhatIsSaidUntilAnAgentHasTheControllersWord) {
  const TempFolder folder;
  const auto make = [&](const std::string& map, const std::string& share) {
    return RunToEnd({BuiltProgram("headgate-agent"), "snippet", "haproxy", "--gate", "shop",
                     "--app-backend", "app", "--map", map, "--write-map", "--bootstrap-share",
                     share});
  };
  const std::string map = folder / "shop.map";
  EXPECT_EQ(make(map, "0%").exit_code, 0);
  EXPECT_THAT(ReadFile(map), HasSubstr("admit_w 0\n"));
  EXPECT_EQ(make(map, "100%").exit_code, 0);
  EXPECT_THAT(ReadFile(map), HasSubstr("admit_w 0\n")) << "one that is there is left as it is";
  const Finished wrong = make(folder / "other.map", "half");
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.output, HasSubstr("--bootstrap-share"));
}

}  // namespace
}  // namespace headgate::test
