// Which controller can be reached, and why not, told without a session.
#include "agents/main/reach.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/tls/authority.h"
#include "common/tls/credentials.h"
#include "tests/agents/main/silent_peer.h"
#include "tests/agents/main/site.h"

namespace headgate::test {
namespace {

using agent::ReachControllers;
using agent::Reached;
using testing::HasSubstr;

// An authority of its own, and what it issues.
class Authority {
 public:
  explicit Authority(TimePoint now) : now_(now) {
    EXPECT_TRUE(
        tls::CreateAuthority({.directory = folder_ / "ca", .trust_domain = "example.org"}, now)
            .ok());
  }
  // Unproven, as an expired one is.
  tls::Material Issue(tls::Role role, const std::string& name) const {
    const auto issued = tls::IssueCertificate({.authority_directory = folder_ / "ca",
                                               .directory = folder_ / "certs",
                                               .role = role,
                                               .name = name},
                                              now_);
    EXPECT_TRUE(issued.ok()) << issued.status();
    const auto material = tls::Load({.ca = folder_ / "ca/ca.crt",
                                     .certificate = issued->certificate_path,
                                     .key = issued->key_path},
                                    now_);
    EXPECT_TRUE(material.ok()) << material.status();
    return *material;
  }

 private:
  const TempFolder folder_;
  const TimePoint now_;
};

const TimePoint kToday = SteadyClock().Now();

std::string Why(const std::string& controller, const std::optional<tls::Material>& material) {
  const std::vector<Reached> all = ReachControllers({controller}, material);
  EXPECT_EQ(all.size(), 1U);
  EXPECT_FALSE(all[0].status.ok());
  return std::string(all[0].status.message());
}

TEST(Reach, SaysWhoAnswersWithoutASession) {
  const Authority authority(kToday);
  FakeController controller(FakeController::Options{
      .credentials = tls::ServerCredentials(authority.Issue(tls::Role::kController, "one"))});
  const std::vector<Reached> all =
      ReachControllers({controller.address()}, authority.Issue(tls::Role::kAgent, "edge-1"));
  ASSERT_TRUE(all[0].status.ok()) << all[0].status;
  EXPECT_THAT(all[0].words, HasSubstr("controller one, certificate until 20"));
  EXPECT_EQ(controller.sessions(), 0);
  FakeController plain;
  EXPECT_TRUE(ReachControllers({plain.address()}, std::nullopt)[0].status.ok());
  EXPECT_EQ(plain.sessions(), 0);
}

TEST(Reach, SaysWhichCertificateDoesNotFitAndHow) {
  const Authority authority(kToday);
  const Authority other(kToday);
  const tls::Material agent = authority.Issue(tls::Role::kAgent, "edge-1");
  const FakeController foreign(FakeController::Options{
      .credentials = tls::ServerCredentials(other.Issue(tls::Role::kController, "one"))});
  EXPECT_THAT(Why(foreign.address(), agent), HasSubstr("of another CA than tls.ca"));
  const FakeController posing(FakeController::Options{
      .credentials = tls::ServerCredentials(authority.Issue(tls::Role::kAgent, "edge-2"))});
  EXPECT_THAT(Why(posing.address(), agent), HasSubstr("not a controller's, but of agent edge-2"));
  const Authority old(kToday - 60 * tls::kDay);
  const FakeController expired(FakeController::Options{
      .credentials = tls::ServerCredentials(old.Issue(tls::Role::kController, "one"))});
  EXPECT_THAT(Why(expired.address(), old.Issue(tls::Role::kAgent, "edge-1")),
              HasSubstr("has expired at 20"));
  // It takes agents of another authority than it is of itself.
  tls::Material mixed = authority.Issue(tls::Role::kController, "one");
  mixed.ca_pem = other.Issue(tls::Role::kController, "two").ca_pem;
  const FakeController strict(
      FakeController::Options{.credentials = tls::ServerCredentials(mixed)});
  EXPECT_THAT(Why(strict.address(), agent), HasSubstr("it refuses this agent's certificate"));
}

TEST(Reach, SaysThatNobodyListensOrSomebodyElse) {
  const Authority authority(kToday);
  const tls::Material agent = authority.Issue(tls::Role::kAgent, "edge-1");
  EXPECT_THAT(Why("127.0.0.1:1", agent), HasSubstr("nobody listens there"));
  EXPECT_THAT(Why("127.0.0.1:1", std::nullopt), HasSubstr("nobody listens there"));
  const TestApp app;
  EXPECT_THAT(Why(fmt::format("127.0.0.1:{}", app.port()), agent), HasSubstr("no TLS handshake"));
  const FakeController plain;
  EXPECT_THAT(Why(plain.address(), agent), HasSubstr("no TLS handshake"));
  const FakeController secure(FakeController::Options{
      .credentials = tls::ServerCredentials(authority.Issue(tls::Role::kController, "one"))});
  EXPECT_FALSE(ReachControllers({secure.address()}, std::nullopt)[0].status.ok());
}

TEST(Reach, WaitsTwoSecondsForAllThatHangTogether) {
  const SilentPeer silent;
  const std::string& hung = silent.address();
  const FakeController alive;
  const auto began = std::chrono::steady_clock::now();
  const std::vector<Reached> all =
      ReachControllers({hung, hung, hung, alive.address()}, std::nullopt);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2 * agent::kReachMax);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(std::string(all[static_cast<std::size_t>(i)].status.message()),
                HasSubstr("no answer within 2 s"));
  }
  EXPECT_TRUE(all[3].status.ok());
}

}  // namespace
}  // namespace headgate::test
