// What a gate in Envoy keeps when something fails: Envoy, the agent, the file, the admin interface.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <thread>

#include "agents/envoy/envoy.h"
#include "common/base/bucket.h"
#include "tests/support/test_app.h"
#include "tests/support/test_envoy.h"

namespace headgate::envoy {
namespace {

using agent::ApplyOutcome;
using agent::Direction;
using agent::Reading;
using test::Eventually;
using test::TestApp;
using test::TestEnvoy;
using testing::HasSubstr;

Share Percent(const char* text) { return *Share::Parse(text); }

void ExpectEnforced(const TestEnvoy& real, Share share) {
  for (int i = 0; i < 50; ++i) {
    const std::string user = "user-" + std::to_string(i);
    ASSERT_EQ(real.StatusFor(user), IsAdmitted(BucketOf(user), share) ? 200 : 503) << user;
  }
}

TEST(EnvoyGate, ARestartWithoutTheAgentTakesTheShareOfTheFile) {
  HEADGATE_NEEDS_ENVOY();
  const TestApp app;
  TestEnvoy real({.app_port = app.port()});
  std::string before;
  {
    Envoy envoy(real.settings());
    before = envoy.Read().instance;
    ASSERT_TRUE(envoy.Put({Percent("20%"), 7, Direction::kDown}).in_memory.ok());
  }
  // The agent is gone.
  ExpectEnforced(real, Percent("20%"));
  real.Kill();
  real.Start();
  ExpectEnforced(real, Percent("20%"));
  Envoy envoy(real.settings());
  EXPECT_EQ(envoy.Read().in_force, Percent("20%"));
}

TEST(EnvoyGate, ARestartIsNoticed) {
  HEADGATE_NEEDS_ENVOY();
  const TestApp app;
  TestEnvoy real({.app_port = app.port(), .share = Percent("20%")});
  Envoy envoy(real.settings());
  const std::string before = envoy.Read().instance;
  EXPECT_EQ(envoy.Read().instance, before);
  EXPECT_THAT(envoy.Describe().load_balancer, HasSubstr("envoy 1."));
  // Its uptime comes in whole seconds.
  ASSERT_TRUE(Eventually([&] {
    const auto stats = Admin(real.admin()).ReadStats("^server.uptime$");
    return stats.ok() && stats->counts.at("server.uptime") >= 1;
  }));
  envoy.Read();
  real.Kill();
  const Reading dead = envoy.Read();
  EXPECT_FALSE(dead.in_force.has_value());
  EXPECT_EQ(dead.at_next_start, Percent("20%"));
  EXPECT_FALSE(envoy.ReadCounters().ok());
  real.Start();
  EXPECT_NE(envoy.Read().instance, before);
}

TEST(EnvoyGate, AFileThatFailsWhileItRunsChangesNothingOnceTheAgentHasSetAShare) {
  HEADGATE_NEEDS_ENVOY();
  const TestApp app;
  TestEnvoy real({.app_port = app.port()});
  Envoy envoy(real.settings());
  ASSERT_TRUE(envoy.Put({Percent("50%"), 7, Direction::kDown}).in_memory.ok());
  for (const std::string& text :
       {std::string(), std::string("garbage: ["), real.FileText(Share::All())}) {
    test::WriteFile(real.folder() + "/next", text);
    std::filesystem::rename(real.folder() + "/next", real.share_file());
    // Envoy has looked at it: it counts that it did.
    real.Modify({{"unrelated", "1"}});
    ExpectEnforced(real, Percent("50%"));
    EXPECT_EQ(envoy.Read().in_force, Percent("50%")) << text;
  }
}

TEST(EnvoyGate, AStartWithAFileThatSaysNoShareAdmitsNobody) {
  HEADGATE_NEEDS_ENVOY();
  const TestApp app;
  TestEnvoy real({.app_port = app.port()});
  for (const char* text : {"", "garbage: [", "{}", "version_info: a\n"}) {
    real.Stop();
    test::WriteFile(real.share_file(), text);
    real.Start();
    EXPECT_EQ(real.StatusFor("a"), 503) << text;
    Envoy envoy(real.settings());
    EXPECT_EQ(envoy.Read().in_force, Share::None());
    EXPECT_THAT(envoy.Read().trouble, HasSubstr("not as the agent writes it"));
  }
  real.Stop();
  std::filesystem::remove(real.share_file());
  const test::Finished finished = real.RunToEnd();
  EXPECT_NE(finished.exit_code, 0);
  EXPECT_THAT(finished.output, HasSubstr("shop.yaml' does not exist"));
}

TEST(EnvoyGate, ARaiseIsWrittenBeforeItIsEnforcedEvenRightAfterAStart) {
  HEADGATE_NEEDS_ENVOY();
  const TestApp app;
  const TestEnvoy real({.app_port = app.port(), .share = Percent("20%")});
  Envoy envoy(real.settings());
  ASSERT_TRUE(envoy.Write({Percent("80%"), 7, Direction::kUp}).ok());
  real.Modify({{"unrelated", "1"}});
  ExpectEnforced(real, Percent("20%"));
  EXPECT_EQ(envoy.Read().in_force, Percent("20%"));
  EXPECT_EQ(envoy.Read().at_next_start, Percent("80%"));
  ASSERT_TRUE(envoy.Put({Percent("80%"), 7, Direction::kUp}).in_memory.ok());
  ExpectEnforced(real, Percent("80%"));
}

TEST(EnvoyGate, MendsWeightsThatSomebodyElseHasChanged) {
  HEADGATE_NEEDS_ENVOY();
  const TestApp app;
  const TestEnvoy real({.app_port = app.port(), .share = Percent("50%")});
  Envoy envoy(real.settings());
  for (const Entries& foreign :
       {Entries{{"headgate.shop.app", "-5"}}, Entries{{"headgate.shop.app", "many"}},
        Entries{{"headgate.shop.headgate_shop_wait", "0"}},
        Entries{{"headgate.shop.app", "0"}, {"headgate.shop.headgate_shop_wait", "0"}},
        Entries{{"headgate.shop.new.app", "1048576"}},
        Entries{{"headgate.shop.app", "4294967295"}}}) {
    real.Modify(foreign);
    const Reading reading = envoy.Read();
    EXPECT_THAT(reading.trouble, HasSubstr("do not fit each other"));
    // Whatever the gate wants, it differs from this.
    EXPECT_EQ(reading.retry_after_s, 0U);
    ASSERT_TRUE(envoy.Put({Percent("50%"), 7, Direction::kDown}).in_memory.ok());
    EXPECT_EQ(envoy.Read().trouble, "");
  }
  ExpectEnforced(real, Percent("50%"));
}

TEST(EnvoyGate, EveryChangeReachesBothWorkers) {
  HEADGATE_NEEDS_ENVOY();
  const TestApp app;
  const TestEnvoy real({.app_port = app.port()});
  Envoy envoy(real.settings());
  // Each request is a connection of its own, which either worker may take.
  const auto all_get = [&](int status) {
    for (int i = 0; i < 20; ++i) {
      if (real.StatusFor("a") != status) return false;
    }
    return true;
  };
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(envoy.Put({Share::None(), 7, Direction::kDown}).in_memory.ok());
    EXPECT_TRUE(Eventually([&] { return all_get(503); }));
    ASSERT_TRUE(envoy.Put({Share::All(), 7, Direction::kUp}).in_memory.ok());
    EXPECT_TRUE(Eventually([&] { return all_get(200); }));
  }
}

TEST(EnvoyGate, AnEnvoyThatHangsHoldsNobodyUp) {
  HEADGATE_NEEDS_ENVOY();
  const TestApp app;
  const TestEnvoy real({.app_port = app.port(), .share = Percent("50%")});
  Envoy envoy(real.settings());
  ASSERT_TRUE(envoy.Read().in_force.has_value());
  real.Signal(SIGSTOP);
  const SteadyClock clock;
  const TimePoint before = clock.Now();
  EXPECT_THAT(envoy.Read().trouble, HasSubstr("cannot be asked"));
  EXPECT_LE(clock.Now() - before, agent::Enforcer::kCallMax);
  const ApplyOutcome outcome = envoy.Put({Percent("5%"), 7, Direction::kDown});
  EXPECT_FALSE(outcome.in_memory.ok());
  EXPECT_TRUE(outcome.at_next_start.ok());
  EXPECT_FALSE(envoy.Try(Percent("50%")).ok());
  EXPECT_LE(clock.Now() - before, 3 * agent::Enforcer::kCallMax);
  real.Signal(SIGCONT);
  EXPECT_TRUE(Eventually([&] {
    return envoy.Put({Percent("5%"), 7, Direction::kDown}).in_memory.ok();
  }));
  ExpectEnforced(real, Percent("5%"));
}

TEST(EnvoyGate, WhateverElseListensOnTheAdminsSocketIsNotBelieved) {
  test::TempFolder folder;
  const std::string path = folder / "admin.sock";
  for (const std::string& body : {std::string("hello"), std::string("{}"), std::string("[]"),
                                  std::string(2 * Admin::kAnswerBytesMax, 'x'),
                                  std::string("{\"layers\":{},\"entries\":1}")}) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    unlink(path.c_str());
    // NOLINTNEXTLINE: the sockets API wants this cast.
    ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(listen(fd, 4), 0);
    std::thread server([&] {
      const int client = accept(fd, nullptr, nullptr);
      const std::string text = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body;
      for (std::size_t sent = 0; sent < text.size();) {
        const ssize_t n = send(client, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) break;
        sent += static_cast<std::size_t>(n);
      }
      close(client);
    });
    Envoy envoy({.gate = "shop",
                 .admin = path,
                 .probe_url = "http://127.0.0.1:1/",
                 .share = folder / "shop.yaml",
                 .app_clusters = {"app"}});
    const Reading reading = envoy.Read();
    EXPECT_FALSE(reading.in_force.has_value());
    EXPECT_NE(reading.trouble, "");
    server.join();
    close(fd);
  }
}

}  // namespace
}  // namespace headgate::envoy
