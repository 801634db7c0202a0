// The agent's program between a controller and a real HAProxy.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "agents/core/forecast.h"
#include "common/base/bucket.h"
#include "common/tls/authority.h"
#include "common/tls/credentials.h"
#include "tests/agents/main/site.h"
#include "tests/support/places.h"

namespace headgate::test {
namespace {

using testing::HasSubstr;

TEST(Agent, TouchesNothingUntilItsFirstDirective) {
  Site site;
  ASSERT_TRUE(Eventually([&] { return site.controller->report().stage() == v1::IDLE; }));
  EXPECT_EQ(site.haproxy.WidthInMemory(), kBuckets);
  EXPECT_FALSE(std::filesystem::exists(site.state_dir() + "/shop.state.json"));
  EXPECT_EQ(site.controller->agent(), "edge-1");
  EXPECT_EQ(site.controller->hello().labels().at("zone"), "eu-1");
  EXPECT_TRUE(Eventually([&] {
    return site.controller->report().admit_by() == "cookie headgate_uid" &&
           site.controller->report().slow_thresholds_ms_size() == 1;
  }));
}

TEST(Agent, EnforcesDirectivesAndProvesThem) {
  Site site;
  site.DirectAndWait(7, 1, "0%");
  EXPECT_EQ(site.haproxy.StatusFor("anybody"), 503);
  site.DirectAndWait(7, 2, "50%");
  site.DirectAndWait(7, 3, "5%");
  const v1::Report report = site.controller->report();
  EXPECT_EQ(report.enforced_ppm(), 50'000U);
  EXPECT_EQ(report.trouble(), "");
  EXPECT_EQ(site.Page("/readyz").status, 200) << site.Page("/readyz").body;
  EXPECT_THAT(site.Page("/metrics").body,
              HasSubstr("headgate_local_enforced_share_ratio{gate=\"shop\"}"));
}

TEST(Agent, TellsThoseWhoWaitWhatTheControllerForesees) {
  Site site({.share = Share::All(), .more_config = "time_zone: Asia/Tokyo\n"});
  const TimePoint in_an_hour = SteadyClock().WallNow() + std::chrono::hours(1);
  site.controller->Foretell({{{*Share::Parse("50%"), in_an_hour}, {Share::All(), {}}}});
  site.DirectAndWait(7, 1, "0%");
  std::string soon;
  std::string late;
  for (int i = 0; soon.empty() || late.empty(); ++i) {
    const std::string user = "user-" + std::to_string(i);
    (IsAdmitted(BucketOf(user), *Share::Parse("50%")) ? soon : late) = user;
  }
  const auto reads = [&](const std::string& user, const std::string& words) {
    return Eventually([&] {
      return site.haproxy.Get("/", {"Accept: text/html", "Cookie: headgate_uid=" + user})
                 .body.find(words) != std::string::npos;
    });
  };
  const std::string time = agent::ForecastOf({{{Share::All(), in_an_hour}}}, Share::None(),
                                             "Asia/Tokyo", SteadyClock().WallNow())
                               .rows[0]
                               .time;
  EXPECT_TRUE(reads(soon, "returns at <b>50&nbsp;%</b>, about <b>" + time + "</b>&nbsp;JST."));
  EXPECT_TRUE(reads(late, "returns at <b>100&nbsp;%</b>. When that will be is not known yet."));
  // It holds.
  site.controller->Foretell({{{*Share::Parse("50%"), {}}, {Share::All(), {}}}});
  site.DirectAndWait(7, 2, "0%");
  EXPECT_TRUE(reads(soon, "returns at <b>50&nbsp;%</b>. When that will be is not known yet."));
  // An outlook that is not sound keeps no directive from being obeyed.
  site.controller->Foretell({{{Share::All(), in_an_hour}, {Share::None(), {}}}});
  site.DirectAndWait(7, 3, "50%");
  EXPECT_TRUE(reads(late, "When that will be is not known yet."));
}

TEST(Agent, PushesCountersFourTimesASecondWithoutAGap) {
  Site site;
  site.DirectAndWait(7, 1, "50%");
  for (int i = 0; i < 40; ++i) site.haproxy.StatusFor("user-" + std::to_string(i));
  const std::uint64_t sequence = site.controller->counters().sequence();
  EXPECT_TRUE(Eventually([&] {
    const v1::GateCounters counters = site.controller->gate_counters();
    return counters.live() && counters.admitted() + counters.refused() >= 40;
  })) << site.controller->counters().DebugString();
  EXPECT_TRUE(Eventually([&] { return site.controller->counters().sequence() > sequence + 3; }));
  EXPECT_EQ(site.controller->gaps(), 0);
  site.controller->AskFullState();
  EXPECT_TRUE(Eventually([&] { return site.controller->hellos() == 2; }));
}

TEST(Agent, KilledAndRestartedWithoutAControllerItKeepsItsShare) {
  Site site;
  site.DirectAndWait(7, 1, "5%");
  site.StopController();
  site.KillAgent();
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("5%").Width());
  site.StartAgent();
  ASSERT_TRUE(Eventually([&] {
    const std::string body = site.Page("/readyz").body;
    return body.find("no controller has renewed version 7.1") != std::string::npos;
  }));
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("5%").Width());
  // The map alone may be wrong, too: more than the state allows is lowered.
  site.haproxy.Ask("set map " + site.haproxy.map() + " admit_w 1048576");
  EXPECT_TRUE(site.WaitForWidth("5%"));
}

TEST(Agent, KeepsItsShareWhenTheRenewalIsOverdueAndSaysSo) {
  Site site({.valid_for = std::chrono::milliseconds(1500)});
  site.DirectAndWait(7, 1, "20%");
  EXPECT_TRUE(Eventually([&] { return site.controller->report().expired(); }));
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("20%").Width());
  EXPECT_EQ(site.Page("/readyz").status, 503);
  EXPECT_EQ(site.Page("/livez").status, 200);
}

TEST(Agent, RefusesAnOlderReignAfterARestartToo) {
  Site site;
  site.DirectAndWait(7, 3, "20%");
  site.KillAgent();
  site.controller->Direct(DirectiveOf(6, 99, "100%"));
  site.StartAgent();
  ASSERT_TRUE(Eventually(
      [&] { return site.controller->report().refusal().code() == v1::Refusal::STALE_EPOCH; }));
  const v1::Report report = site.controller->report();
  EXPECT_EQ(report.refusal().highest_seen().epoch(), 7U);
  EXPECT_EQ(report.refusal().highest_seen().revision(), 3U);
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("20%").Width());
}

TEST(Agent, RefusesAnotherContentOfTheSameVersionAndAWrongDigest) {
  Site site;
  site.DirectAndWait(7, 3, "20%");
  site.controller->Direct(DirectiveOf(7, 3, "90%"));
  EXPECT_TRUE(Eventually(
      [&] { return site.controller->report().refusal().code() == v1::Refusal::DIGEST_MISMATCH; }));
  site.controller->DirectWithDigest(DirectiveOf(7, 4, "90%"), 1);
  EXPECT_TRUE(Eventually(
      [&] { return site.controller->report().refusal().code() == v1::Refusal::CORRUPT; }));
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("20%").Width());
}

TEST(Agent, AReloadUnderLoadAdmitsNobodyNewAndIsObservedAgain) {
  Site site;
  site.DirectAndWait(7, 1, "0%");
  std::atomic<bool> stop{false};
  std::atomic<int> admitted{0};
  std::atomic<int> refused{0};
  std::thread user([&] {
    while (!stop) {
      const int status = site.haproxy.StatusFor("abc");
      if (status == 200) ++admitted;
      if (status == 503) ++refused;
    }
  });
  for (int i = 0; i < 3; ++i) site.haproxy.Reload();
  site.haproxy.Kill();
  site.haproxy.Start();
  const int seen = refused;
  EXPECT_TRUE(Eventually([&] { return refused > seen + 20; }));
  stop = true;
  user.join();
  EXPECT_EQ(admitted, 0);
  EXPECT_TRUE(Eventually([&] { return site.controller->report().stage() == v1::OBSERVED; }))
      << site.controller->report().DebugString();
}

TEST(Agent, RefutesAShareThatOnlyItsProbesSee) {
  Site site;
  site.DirectAndWait(7, 1, "0%");
  LetEverybodyThrough(site.haproxy);
  site.haproxy.Reload();
  EXPECT_TRUE(Eventually([&] {
    site.haproxy.StatusFor("a");
    const v1::Report report = site.controller->report();
    return report.stage() == v1::REFUSED && report.refusal().code() == v1::Refusal::LOAD_BALANCER;
  })) << site.controller->report().DebugString();
  // Who shows both says it once.
  const v1::Report report = site.controller->report();
  EXPECT_THAT(report.refusal().detail(), HasSubstr("at 0 %"));
  EXPECT_THAT(report.trouble(), testing::Not(HasSubstr("use_backend")));
}

TEST(Agent, MendsAMapFileThatSomebodyReplacedBeforeAReload) {
  Site site;
  site.DirectAndWait(7, 1, "5%");
  WriteFile(site.haproxy.map(), "admit_w 1048576\nretry_after 10\n");
  EXPECT_TRUE(Eventually([&] {
    return ReadFile(site.haproxy.map()).find(std::to_string(Percent("5%").Width())) !=
           std::string::npos;
  }));
}

TEST(Agent, CountersGoOnOverAReload) {
  Site site;
  site.DirectAndWait(7, 1, "100%");
  for (int i = 0; i < 10; ++i) site.haproxy.StatusFor("a");
  ASSERT_TRUE(Eventually([&] { return site.controller->gate_counters().admitted() >= 10; }));
  site.haproxy.Reload();
  for (int i = 0; i < 10; ++i) site.haproxy.StatusFor("a");
  EXPECT_TRUE(Eventually([&] { return site.controller->gate_counters().admitted() >= 20; }))
      << site.controller->counters().DebugString();
  EXPECT_EQ(site.controller->gate_counters().admitted(), 20U);
}

TEST(Agent, WithoutItsStateFolderItLowersAndDoesNotRaise) {
  Site site;
  site.DirectAndWait(7, 1, "20%");
  // At once: file by file the agent would write them again meanwhile.
  std::filesystem::rename(site.state_dir(), site.folder / "lost");
  site.controller->Direct(DirectiveOf(7, 2, "50%"));
  ASSERT_TRUE(Eventually([&] {
    return site.controller->report().refusal().code() == v1::Refusal::DISK;
  })) << site.controller->report().DebugString();
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("20%").Width());
  site.controller->Direct(DirectiveOf(7, 3, "1%"));
  EXPECT_TRUE(site.WaitForWidth("1%"));
  EXPECT_TRUE(Eventually([&] { return site.controller->report().unsaved(); }));
  std::filesystem::create_directory(site.state_dir());
  EXPECT_TRUE(Eventually([&] { return !site.controller->report().unsaved(); }));
}

TEST(Agent, RailsRefuseAStepThatIsTooSteep) {
  Site site({.more_config = "rails: {step_up_max: 10%}\n"});
  site.DirectAndWait(7, 1, "5%");
  site.controller->Direct(DirectiveOf(7, 2, "50%"));
  ASSERT_TRUE(
      Eventually([&] { return site.controller->report().refusal().code() == v1::Refusal::RAIL; }));
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("5%").Width());
  site.DirectAndWait(7, 3, "15%");
}

TEST(Agent, StopsCleanlyAndLeavesTheLoadBalancerAsItIs) {
  Site site;
  site.DirectAndWait(7, 1, "20%");
  site.agent->Signal(SIGTERM);
  EXPECT_EQ(site.agent->Wait(std::chrono::seconds(5)), 0);
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("20%").Width());
}

TEST(Agent, ASecondAgentOnTheSameFolderIsRefused) {
  Site site;
  ASSERT_TRUE(Eventually([&] { return site.controller->sessions() == 1; }));
  const Finished second = site.Run({"run"});
  EXPECT_EQ(second.exit_code, 3);
  EXPECT_THAT(second.output, HasSubstr("already runs on"));
}

// Each would undo what the other was told.
TEST(Agent, ASecondAgentOfTheSameLoadBalancerIsRefusedThoughItsStateIsItsOwn) {
  Site site;
  site.DirectAndWait(7, 1, "50%");
  std::string text = site.ConfigText("");
  const std::string own = "state_dir: ";
  text.insert(text.find(own) + own.size() + text.substr(text.find(own) + own.size()).find('\n'),
              "-2");
  WriteFile(site.config() + "-2", text);
  const Finished second =
      RunToEnd({BuiltProgram("headgate-agent"), "run", "--config", site.config() + "-2"});
  EXPECT_EQ(second.exit_code, 3);
  EXPECT_THAT(second.output, HasSubstr(fmt::format("another agent (pid {}) writes {}",
                                                   site.agent->pid(), site.haproxy.map())));
}

TEST(Agent, ComesBackWhenItsControllerDoes) {
  Site site;
  site.DirectAndWait(7, 1, "20%");
  site.StopController();
  site.StartController();
  site.DirectAndWait(8, 1, "30%");
}

TEST(Agent, KeepsSeveralGatesApart) {
  const TestApp other_app;
  TestHaproxy other({.app_port = other_app.port(), .gate = "bank"});
  const haproxy::Settings settings = other.settings();
  Site site({.more_config = fmt::format("  - name: bank\n    haproxy: {{socket: {}, map: {}, "
                                        "app_backend: app, probe_url: '{}', slow: [500ms]}}\n",
                                        settings.socket, settings.map, settings.probe_url)});
  site.DirectAndWait(7, 1, "20%");
  site.controller->Direct(DirectiveOf(7, 1, "1%", "bank"));
  EXPECT_TRUE(Eventually([&] { return site.controller->report("bank").stage() == v1::OBSERVED; }));
  EXPECT_EQ(other.WidthInMemory(), Percent("1%").Width());
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("20%").Width());
  EXPECT_TRUE(Eventually([&] { return site.controller->gate_counters("bank").live(); }));
  // Who is not ready says so of each gate.
  other.Stop();
  site.haproxy.Stop();
  EXPECT_TRUE(Eventually([&] {
    const std::string body = site.Page("/readyz").body;
    return body.find("gate shop: ") != std::string::npos &&
           body.find("gate bank: ") != std::string::npos;
  })) << site.Page("/readyz").body;
}

TEST(Agent, NamesItsLoadBalancerAlsoWhereThatDoesNotRun) {
  Site site({.start_agent = false});
  site.haproxy.Stop();
  site.StartAgent();
  ASSERT_TRUE(Eventually([&] { return site.controller->sessions() == 1; }));
  EXPECT_EQ(site.controller->hello().load_balancer(), "HAProxy");
}

TEST(Agent, RefusesAGateThatItDoesNotHave) {
  Site site;
  site.controller->Direct(DirectiveOf(7, 1, "20%", "bank"));
  EXPECT_TRUE(Eventually([&] {
    return site.controller->report("bank").refusal().code() == v1::Refusal::UNKNOWN_GATE;
  }));
  EXPECT_EQ(site.haproxy.WidthInMemory(), kBuckets);
}

}  // namespace
}  // namespace headgate::test
