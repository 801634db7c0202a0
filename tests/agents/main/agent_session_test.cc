// With which controller the agent has a session, and by which certificate.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "common/tls/authority.h"
#include "common/tls/credentials.h"
#include "tests/agents/main/site.h"

namespace headgate::test {
namespace {

using testing::HasSubstr;

TEST(Agent, ItsCertificateNamesIt) {
  const TempFolder folder;
  const SteadyClock clock;
  const std::string authority = folder / "ca";
  ASSERT_TRUE(
      tls::CreateAuthority({.directory = authority, .trust_domain = "example.org"}, clock.Now())
          .ok());
  const auto issue = [&](tls::Role role, const std::string& name) {
    const auto issued = tls::IssueCertificate({.authority_directory = authority,
                                               .directory = folder / "certs",
                                               .role = role,
                                               .name = name},
                                              clock.Now());
    EXPECT_TRUE(issued.ok()) << issued.status();
    return tls::Files{.ca = authority + "/ca.crt",
                      .certificate = issued->certificate_path,
                      .key = issued->key_path};
  };
  const auto material = tls::Load(issue(tls::Role::kController, "one"), clock.Now());
  ASSERT_TRUE(material.ok()) << material.status();
  const tls::Files agent = issue(tls::Role::kAgent, "edge-7");
  FakeController controller(
      FakeController::Options{.credentials = tls::ServerCredentials(*material)});
  Site site({.start_agent = false});
  std::string text = site.ConfigText("");
  text.replace(
      text.find("plaintext: true"), 15,
      fmt::format("tls: {{ca: {}, cert: {}, key: {}}}", agent.ca, agent.certificate, agent.key));
  text.replace(text.find("controllers:"),
               text.find('\n', text.find("controllers:")) - text.find("controllers:"),
               fmt::format("controllers: ['{}']", controller.address()));
  site.WriteConfig(text);
  site.StartAgent();
  EXPECT_TRUE(Eventually([&] { return controller.sessions() == 1; })) << site.agent->Output();
  EXPECT_EQ(controller.agent(), "spiffe://example.org/headgate/agent/edge-7");
}

TEST(Agent, ABadPairOnDiskTakesNoSessionAway) {
  const TempFolder folder;
  const SteadyClock clock;
  const std::string authority = folder / "ca";
  ASSERT_TRUE(
      tls::CreateAuthority({.directory = authority, .trust_domain = "example.org"}, clock.Now())
          .ok());
  const auto issue = [&](tls::Role role) {
    const auto issued = tls::IssueCertificate({.authority_directory = authority,
                                               .directory = folder / "certs",
                                               .role = role,
                                               .name = "one"},
                                              clock.Now());
    EXPECT_TRUE(issued.ok()) << issued.status();
    return tls::Files{authority + "/ca.crt", issued->certificate_path, issued->key_path};
  };
  const auto material = tls::Load(issue(tls::Role::kController), clock.Now());
  ASSERT_TRUE(material.ok()) << material.status();
  const tls::Files agent = issue(tls::Role::kAgent);
  const int port = FreePort();
  const auto serve = [&] {
    return std::make_unique<FakeController>(
        FakeController::Options{.port = port, .credentials = tls::ServerCredentials(*material)});
  };
  auto controller = serve();
  Site site({.start_agent = false});
  std::string text = site.ConfigText("");
  text.replace(
      text.find("plaintext: true"), 15,
      fmt::format("tls: {{ca: {}, cert: {}, key: {}}}", agent.ca, agent.certificate, agent.key));
  const std::size_t at = text.find("controllers:");
  text.replace(at, text.find('\n', at) - at, fmt::format("controllers: ['127.0.0.1:{}']", port));
  site.WriteConfig(text);
  site.StartAgent();
  ASSERT_TRUE(Eventually([&] { return controller->sessions() == 1; })) << site.agent->Output();

  WriteFile(agent.key, "half a ke");
  controller.reset();
  controller = serve();

  EXPECT_TRUE(Eventually([&] { return controller->sessions() == 1; }, std::chrono::seconds(30)))
      << site.agent->Output();
  EXPECT_TRUE(Eventually([&] {
    return site.Page("/metrics").body.find("headgate_local_certificate_refused 1") !=
           std::string::npos;
  }));
  EXPECT_THAT(site.agent->Output(), HasSubstr("certificate_refused"));
}

// One that was frozen when another took over, and goes on: it knows nothing of that.
TEST(Agent, LeavesAControllerOfAnOlderReignForTheOneThatLeads) {
  Site site;
  site.DirectAndWait(7, 3, "20%");
  FakeController old;
  old.Direct(DirectiveOf(6, 99, "100%"));
  std::string text = site.ConfigText("");
  text.replace(text.find("controllers: ["), 14, fmt::format("controllers: ['{}', ", old.address()));
  site.WriteConfig(text);
  // With whom it begins is random.
  while (old.hellos() == 0) {
    const int before = site.controller->hellos();
    site.KillAgent();
    site.StartAgent();
    ASSERT_TRUE(Eventually([&] { return old.hellos() + site.controller->hellos() > before; }));
  }
  EXPECT_TRUE(
      Eventually([&] { return old.report().refusal().code() == v1::Refusal::STALE_EPOCH; }));
  site.controller->Direct(DirectiveOf(7, 4, "5%"));
  EXPECT_TRUE(site.WaitForWidth("5%"));
  EXPECT_THAT(site.agent->Output(), HasSubstr("controller_left"));
}

TEST(Agent, FindsTheControllerThatLives) {
  Site site({.start_agent = false});
  std::string text = site.ConfigText("");
  text.replace(text.find("controllers: ["), 14,
               fmt::format("controllers: ['127.0.0.1:{}', ", FreePort()));
  site.WriteConfig(text);
  site.StartAgent();
  EXPECT_TRUE(Eventually([&] { return site.controller->sessions() == 1; }));
}

}  // namespace
}  // namespace headgate::test
