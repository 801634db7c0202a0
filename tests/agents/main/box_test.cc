// The commands on the box, with the agent alive, hung and dead.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "agents/core/store.h"
#include "agents/main/lock.h"
#include "tests/agents/main/site.h"
#include "tests/support/places.h"

namespace headgate::test {
namespace {

using testing::HasSubstr;
using testing::Not;

enum class AgentIs { kAlive, kHung, kDead };

void Put(Site& site, AgentIs agent) {
  if (agent == AgentIs::kHung) site.agent->Signal(SIGSTOP);
  if (agent == AgentIs::kDead) site.KillAgent();
}

class BoxWithAgent : public testing::TestWithParam<AgentIs> {};

TEST_P(BoxWithAgent, LowersAtOnceAndSaysWhoConfirmed) {
  Site site;
  site.DirectAndWait(7, 1, "50%");
  Put(site, GetParam());
  const Finished lower = site.Run({"lower", "5%"});
  EXPECT_EQ(lower.exit_code, 0) << lower.output;
  EXPECT_THAT(lower.standard_output, HasSubstr("HAProxy enforces 5 % (read back; probes got"));
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("5%").Width());
  EXPECT_THAT(ReadFile(site.haproxy.map()), HasSubstr(std::to_string(Percent("5%").Width())));
  const Finished status = site.Run({"status"});
  EXPECT_EQ(status.exit_code, 0) << status.output;
  EXPECT_THAT(status.standard_output, HasSubstr("override    at most 5 % until released"));
  EXPECT_THAT(status.standard_output, HasSubstr("directive   7.1 says 50 %"));
}

TEST_P(BoxWithAgent, OverridesAndReleases) {
  Site site;
  site.DirectAndWait(7, 1, "50%");
  Put(site, GetParam());
  const Finished up = site.Run({"override", "80%", "--until", "5m"});
  EXPECT_EQ(up.exit_code, 0) << up.output;
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("80%").Width());
  const bool acts = GetParam() == AgentIs::kAlive;
  const auto endless = HasSubstr("nothing ends this at that time");
  EXPECT_THAT(up.standard_output, testing::Conditional(acts, Not(endless), endless));
  const Finished release = site.Run({"release"});
  EXPECT_EQ(release.exit_code, 0);
  EXPECT_THAT(release.standard_output, HasSubstr(acts ? "it goes to the 50 % of the directive 7.1"
                                                      : "the share stays as it is until it runs"));
  EXPECT_TRUE(site.WaitForWidth(acts ? "50%" : "80%"));
  EXPECT_THAT(site.Run({"release"}).standard_output, HasSubstr("there was no override"));
}

INSTANTIATE_TEST_SUITE_P(Agents, BoxWithAgent,
                         testing::Values(AgentIs::kAlive, AgentIs::kHung, AgentIs::kDead),
                         [](const testing::TestParamInfo<AgentIs>& agent) {
                           switch (agent.param) {
                             case AgentIs::kAlive:
                               return "Alive";
                             case AgentIs::kHung:
                               return "Hung";
                             case AgentIs::kDead:
                               return "Dead";
                           }
                           return "";
                         });

TEST(Box, ACeilingIsReportedAndStandsUntilItIsReleased) {
  Site site;
  site.DirectAndWait(7, 1, "50%");
  ASSERT_EQ(site.Run({"lower", "5%", "--gate", "shop"}).exit_code, 0);
  EXPECT_TRUE(Eventually([&] { return site.controller->report().has_override(); }));
  EXPECT_TRUE(site.controller->report().override().is_ceiling());
  EXPECT_EQ(site.controller->report().override().share_ppm(), 50'000U);
  site.controller->Direct(DirectiveOf(7, 2, "60%"));
  ASSERT_TRUE(Eventually([&] { return site.controller->report().version().revision() == 2; }));
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("5%").Width());
  site.KillAgent();
  site.StartAgent();
  ASSERT_TRUE(Eventually([&] { return site.controller->sessions() == 2; }));
  EXPECT_TRUE(Eventually([&] { return site.controller->report().has_override(); }));
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("5%").Width());
  ASSERT_EQ(site.Run({"release"}).exit_code, 0);
  EXPECT_TRUE(site.WaitForWidth("60%"));
  EXPECT_TRUE(Eventually([&] { return !site.controller->report().has_override(); }));
}

TEST(Box, ReleasePromisesNoRaiseWhereTheDirectiveForbidsIt) {
  Site site;
  site.DirectAndWait(7, 1, "50%");
  Directive directive = DirectiveOf(7, 2, "50%");
  directive.no_raise = true;
  site.controller->Direct(directive);
  ASSERT_TRUE(Eventually([&] {
    const v1::Report report = site.controller->report();
    return report.version().revision() == 2 && !report.unsaved();
  }));
  ASSERT_EQ(site.Run({"lower", "5%"}).exit_code, 0);
  const Finished release = site.Run({"release"});
  EXPECT_THAT(release.standard_output,
              HasSubstr("the directive 7.2 says 50 % at most, and no raise: a higher share goes "
                        "down to that at once, a lower one stays until a restoration"));
  EXPECT_TRUE(Eventually([&] { return !site.controller->report().has_override(); }));
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("5%").Width());
}

TEST(Box, AnOverrideEndsByItselfAtItsTime) {
  Site site;
  site.DirectAndWait(7, 1, "50%");
  ASSERT_EQ(site.Run({"override", "20%", "--until", "8s"}).exit_code, 0);
  EXPECT_TRUE(Eventually([&] { return site.controller->report().has_override(); }));
  EXPECT_TRUE(site.WaitForWidth("50%"));
  EXPECT_FALSE(std::filesystem::exists(site.state_dir() + "/shop.override.json"));
}

TEST(Box, AHungAgentHonoursTheOverrideWhenItGoesOn) {
  Site site;
  site.DirectAndWait(7, 1, "50%");
  site.agent->Signal(SIGSTOP);
  ASSERT_EQ(site.Run({"lower", "1%"}).exit_code, 0);
  EXPECT_THAT(site.Run({"status"}).standard_output, HasSubstr("stopped, it does nothing"));
  site.agent->Signal(SIGCONT);
  EXPECT_TRUE(Eventually([&] { return site.controller->report().has_override(); }));
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("1%").Width());
}

TEST(Box, AHungAgentThatHasTheTurnHoldsNoLoweringUp) {
  Site site;
  site.DirectAndWait(7, 1, "50%");
  // As one that is stopped while it ends an override.
  const auto turn = agent::FileStore(site.state_dir(), "shop").TakeTurn(Duration(0));
  ASSERT_TRUE(turn.ok()) << turn.status();
  site.agent->Signal(SIGSTOP);
  const Finished lower = site.Run({"lower", "5%"});
  EXPECT_EQ(lower.exit_code, 0) << lower.output;
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("5%").Width());
  const Finished closer = site.Run({"override", "1%", "--until", "5m"});
  EXPECT_EQ(closer.exit_code, 0) << closer.output;
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("1%").Width());
}

TEST(Box, WithHaproxyDeadALoweringIsForItsNextStartAndNotConfirmed) {
  Site site({.start_agent = false});
  site.haproxy.Stop();
  const Finished lower = site.Run({"lower", "5%"});
  EXPECT_EQ(lower.exit_code, 11) << lower.output;
  EXPECT_THAT(lower.standard_output, HasSubstr("NOT CONFIRMED"));
  site.haproxy.Start();
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("5%").Width());
  EXPECT_EQ(site.Run({"status"}).exit_code, 0);
}

TEST(Box, WithHaproxyDeadALoweringLeavesALowerFileAsItIs) {
  Site site({.share = Share::None(), .start_agent = false});
  site.haproxy.Stop();
  EXPECT_EQ(site.Run({"lower", "5%"}).exit_code, 11);
  site.haproxy.Start();
  EXPECT_EQ(site.haproxy.WidthInMemory(), 0);
}

TEST(Box, WithoutAStateFolderItLowersAndSaysThatItIsUnsaved) {
  Site site;
  site.DirectAndWait(7, 1, "50%");
  site.KillAgent();
  std::filesystem::remove_all(site.state_dir());
  const Finished lower = site.Run({"lower", "5%"});
  EXPECT_EQ(lower.exit_code, 0) << lower.output;
  EXPECT_THAT(lower.standard_output, HasSubstr("UNSAVED"));
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("5%").Width());
  const Finished up = site.Run({"override", "90%", "--until", "5m"});
  EXPECT_EQ(up.exit_code, 11) << up.output;
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("5%").Width());
}

TEST(Box, AFifoInAFilesPlaceHoldsNoLoweringUp) {
  Site site({.start_agent = false});
  const std::string folder = site.state_dir();
  for (const std::string& path : {site.haproxy.map(), folder + "/shop.state.json",
                                  folder + "/shop.override.json", folder + "/agent.lock"}) {
    std::filesystem::remove(path);
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0) << path;
  }
  const Finished check =
      RunToEnd({BuiltProgram("headgate-agent"), "check", "--config", site.config()},
               std::chrono::seconds(20));
  EXPECT_THAT(check.output, HasSubstr(site.haproxy.map() + " is no regular file"));
  EXPECT_THAT(check.output, HasSubstr("shop.state.json is no regular file"));
  const Finished lower =
      RunToEnd({BuiltProgram("headgate-agent"), "lower", "5%", "--config", site.config()},
               std::chrono::seconds(20));
  EXPECT_EQ(lower.exit_code, 0) << lower.output;
  EXPECT_THAT(lower.standard_output, HasSubstr("shop.override.json is no regular file"));
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("5%").Width());
}

// A disk of a few pages, full to the last byte. Needs the right to mount.
TEST(Box, OnAFullDiskTheRoomThatWasKeptHoldsTheOverride) {
  Site site({.start_agent = false});
  if (mount("none", site.state_dir().c_str(), "tmpfs", 0, "size=64k") != 0) {
    GTEST_SKIP() << "this user may not mount a small disk";
  }
  site.StartAgent();
  site.DirectAndWait(7, 1, "50%");
  std::ofstream filler(site.state_dir() + "/filler", std::ios::binary);
  while (filler.write(std::string(512, 'x').c_str(), 512).flush()) {
  }
  site.controller->Direct(DirectiveOf(7, 2, "60%"));
  EXPECT_TRUE(Eventually([&] {
    return site.controller->report().refusal().code() == v1::Refusal::DISK;
  })) << site.controller->report().DebugString();
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("50%").Width());
  const Finished lower = site.Run({"lower", "5%"});
  EXPECT_EQ(lower.exit_code, 0) << lower.output;
  EXPECT_THAT(lower.standard_output, Not(HasSubstr("UNSAVED")));
  EXPECT_TRUE(Eventually([&] { return site.controller->report().has_override(); }));
  // The override itself is room for the next one.
  const Finished again = site.Run({"lower", "1%"});
  EXPECT_EQ(again.exit_code, 0) << again.output;
  EXPECT_TRUE(
      Eventually([&] { return site.controller->report().override().share_ppm() == 10'000; }));
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("1%").Width());
  // Released, its room is kept again.
  EXPECT_EQ(site.Run({"release"}).exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(site.state_dir() + "/shop.override.spare"));
  site.agent.reset();
  filler.close();
  EXPECT_EQ(umount(site.state_dir().c_str()), 0);
}

TEST(Box, AnAgentOnADiskThatTakesNoMoreWritesStartsAndLowersAndIsTheOnlyOne) {
  Site site({.start_agent = false});
  const std::string folder = site.state_dir();
  if (mount("none", folder.c_str(), "tmpfs", 0, "size=1m") != 0) {
    GTEST_SKIP() << "this user may not mount a disk";
  }
  site.StartAgent();
  site.DirectAndWait(7, 1, "50%");
  site.agent.reset();
  ASSERT_EQ(mount("none", folder.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
  site.StartAgent();
  site.controller->Direct(DirectiveOf(7, 2, "20%"));
  EXPECT_TRUE(Eventually([&] { return site.haproxy.WidthInMemory() == Percent("20%").Width(); }));
  EXPECT_EQ(agent::FindAgent(folder).pid, site.agent->pid());
  const Finished second = site.Run({"run"});
  EXPECT_EQ(second.exit_code, 3);
  EXPECT_THAT(second.output, HasSubstr("already runs on"));
  site.agent.reset();
  EXPECT_EQ(umount(folder.c_str()), 0);
}

TEST(Box, WhatCouldNotBePrintedIsNoSuccessButAWordThatIsInForceIs) {
  Site site;
  site.DirectAndWait(7, 1, "50%");
  const auto into_full_disk = [](const std::string& words) {
    return RunToEnd(
        {"/bin/sh", "-c", BuiltProgram("headgate-agent") + " " + words + " > /dev/full"});
  };
  const Finished snippet =
      into_full_disk("snippet haproxy --gate shop --app-backend app --map /tmp/shop.map");
  EXPECT_EQ(snippet.exit_code, 1) << snippet.output;
  EXPECT_THAT(snippet.output, HasSubstr("cannot write to standard output: No space left"));
  EXPECT_EQ(into_full_disk("bucket anybody").exit_code, 1);
  const Finished lower = into_full_disk("lower 5% --config " + site.config());
  EXPECT_EQ(lower.exit_code, 0) << lower.output;
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("5%").Width());
}

TEST(Box, SaysWhatWasWrongWithWhatWasTyped) {
  Site site({.start_agent = false});
  EXPECT_EQ(site.Run({"lower", "130%"}).exit_code, 2);
  EXPECT_EQ(site.Run({"lower"}).exit_code, 2);
  const Finished mistyped = site.Run({"statsu"});
  EXPECT_EQ(mistyped.exit_code, 2);
  EXPECT_THAT(mistyped.output, HasSubstr("unknown subcommand 'statsu'; did you mean 'status'?"));
  EXPECT_THAT(site.Run({"foo"}).output,
              HasSubstr("unknown subcommand 'foo': write one of run, check, doctor, status,"));
  EXPECT_THAT(RunToEnd({BuiltProgram("headgate-agent"), "snippet", "apache"}).output,
              HasSubstr("unknown subcommand 'apache': write one of haproxy, nginx, envoy"));
  const Finished nothing = RunToEnd({BuiltProgram("headgate-agent"), "snippet"});
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_THAT(nothing.output,
              HasSubstr("headgate-agent: A subcommand is required: haproxy or "
                        "nginx or envoy or envoy-ext-authz or nginx-auth-request or "
                        "caddy; "
                        "`headgate-agent snippet --help` tells more"));
  EXPECT_THAT(RunToEnd({BuiltProgram("headgate-agent"), "check", "--config", "/nope"}).output,
              HasSubstr("/nope"));
  EXPECT_EQ(site.Run({"override", "5%"}).exit_code, 2);
  EXPECT_EQ(site.Run({"override", "5%", "--until", "yesterday"}).exit_code, 2);
  EXPECT_EQ(site.Run({"lower", "5%", "--gate", "nope"}).exit_code, 4);
  const Finished unset = site.Run({"lower", "5%", "--gate", ""});
  EXPECT_EQ(unset.exit_code, 2);
  EXPECT_THAT(unset.output, HasSubstr("--gate: '' is empty: write a gate's name, or leave it out"));
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("100%").Width());
}

TEST(Box, StatusIsJsonForPrograms) {
  Site site({.share = Percent("20%"), .start_agent = false});
  const Finished status = site.Run({"status", "-o", "json"});
  EXPECT_EQ(status.exit_code, 0);
  EXPECT_THAT(status.standard_output, HasSubstr("\"enforced_ppm\": 200000"));
  EXPECT_THAT(status.standard_output, HasSubstr("\"agent\": \"not running\""));
}

}  // namespace
}  // namespace headgate::test
