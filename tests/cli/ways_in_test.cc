// mTLS and the Unix socket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "cli/controller.h"
#include "common/tls/credentials.h"
#include "tests/cli/caller.h"
#include "tests/cli/fake_controller.h"
#include "tests/cli/gates.h"

namespace headgate::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class WaysIn : public testing::Test {
 protected:
  WaysIn() {
    std::string pattern = testing::TempDir() + "headgate-cli-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    controller_.Change("shop", [](v1::Gate& gate) { gate = AdmittingGate(); });
  }
  ~WaysIn() override { std::filesystem::remove_all(folder_); }

  void MakeAuthority(const std::string& name) {
    EXPECT_EQ(caller_.Type({"certs", "init", "--dir", folder_ + name, "--trust-domain", "t"}).code,
              0);
  }
  // The certificates are made with the program's own verb.
  tls::Files Issue(const std::string& authority, const std::string& role) {
    const Said said = caller_.Type({"certs", "issue", "--ca-dir", folder_ + authority, "--dir",
                                    folder_ + authority, "--role", role, "--name", "x"});
    EXPECT_EQ(said.code, 0) << said.err;
    const std::string base = folder_ + authority + "/" + role + "-x";
    return tls::Files{
        .ca = folder_ + authority + "/ca.crt", .certificate = base + ".crt", .key = base + ".key"};
  }
  void ServeAs(const tls::Files& files) {
    const auto material = tls::Load(files, SteadyClock().Now());
    ASSERT_TRUE(material.ok()) << material.status();
    controller_.Move("127.0.0.1:0", tls::ServerCredentials(*material));
  }
  void ComeAs(const tls::Files& files) {
    caller_.way_in = {"--controller", controller_.address(), "--ca",  files.ca,
                      "--cert",       files.certificate,     "--key", files.key};
  }

  std::string folder_;
  FakeController controller_;
  Caller caller_{controller_.address()};
};

TEST_F(WaysIn, CertificatesOfOneAuthorityLetAnOperatorIn) {
  MakeAuthority("/ca");
  ServeAs(Issue("/ca", "controller"));
  ComeAs(Issue("/ca", "operator"));
  const Said said = caller_.Type({"close", "shop"});
  EXPECT_EQ(said.code, 0) << said.err;
}

TEST_F(WaysIn, AServerThatIsNoControllerOrOfAnotherAuthorityIsNotBelieved) {
  MakeAuthority("/ca");
  MakeAuthority("/other");
  const tls::Files anna = Issue("/ca", "operator");
  for (const tls::Files& server : {Issue("/ca", "agent"), Issue("/other", "controller")}) {
    ServeAs(server);
    ComeAs(anna);
    const Said said = caller_.Type({"close", "shop"});
    EXPECT_EQ(said.code, 7) << said.err;
    EXPECT_THAT(said.err, HasSubstr("headgate-agent lower 0%"));
  }
  EXPECT_EQ(controller_.mutations(), 0);
}

TEST_F(WaysIn, AControllerThatHangsUpIsAskedWhetherItTrustsTheCertificate) {
  MakeAuthority("/ca");
  MakeAuthority("/other");
  ServeAs(Issue("/ca", "controller"));
  tls::Files stranger = Issue("/other", "operator");
  // She trusts the controller; it does not trust her.
  stranger.ca = folder_ + "/both.crt";
  std::ofstream(stranger.ca) << std::ifstream(folder_ + "/other/ca.crt").rdbuf()
                             << std::ifstream(folder_ + "/ca/ca.crt").rdbuf();
  ComeAs(stranger);
  const Said said = caller_.Type({"status"});
  EXPECT_EQ(said.code, 7);
  EXPECT_THAT(said.err, HasSubstr("does it trust your certificate?"));
}

TEST_F(WaysIn, WithoutTlsAControllerThatSpeaksItIsAskedAbout) {
  MakeAuthority("/ca");
  ServeAs(Issue("/ca", "controller"));
  caller_.way_in = {"--controller", controller_.address(), "--plaintext"};
  const Said said = caller_.Type({"status"});
  EXPECT_EQ(said.code, 7);
  EXPECT_THAT(said.err, HasSubstr("does it speak TLS? Then leave --plaintext out"));
}

TEST_F(WaysIn, WhatIsThereAlreadyIsReplacedOnlyWithOverwrite) {
  MakeAuthority("/ca");
  const std::vector<std::string> again = {"certs",         "init",           "--dir",
                                          folder_ + "/ca", "--trust-domain", "t"};
  const Said said = caller_.Type(again);
  EXPECT_EQ(said.code, 3);
  EXPECT_THAT(said.err, HasSubstr("is there already, and is not overwritten; remove it, or give "
                                  "--overwrite"));
}

TEST_F(WaysIn, CertsCheckSaysWhetherFilesWorkTogetherAndForHowLong) {
  MakeAuthority("/ca");
  MakeAuthority("/other");
  const tls::Files agent = Issue("/ca", "agent");
  const auto check = [&](const tls::Files& files, std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"certs",  "check",           "--ca",  files.ca,
                                      "--cert", files.certificate, "--key", files.key};
    words.insert(words.end(), more.begin(), more.end());
    caller_.way_in = {};
    return caller_.Type(words);
  };
  EXPECT_EQ(check(agent).code, 0);
  EXPECT_THAT(check(agent).out, HasSubstr("they work together: agent x of t"));
  EXPECT_EQ(check(agent, {"--role", "agent", "--for", "29d"}).code, 0);
  EXPECT_THAT(check(agent, {"-o", "json"}).out, HasSubstr("\"role\": \"agent\""));

  EXPECT_EQ(check(agent).err, "");
  ASSERT_EQ(chmod(agent.key.c_str(), 0644), 0);
  const Said open_key = check(agent);
  EXPECT_EQ(open_key.code, 0);
  EXPECT_THAT(open_key.err, HasSubstr("everybody on this machine can read " + agent.key));

  const Said too_short = check(agent, {"--for", "31d"});
  EXPECT_EQ(too_short.code, 3);
  EXPECT_THAT(too_short.err, HasSubstr("renew it"));
  const Said role = check(agent, {"--role", "controller"});
  EXPECT_EQ(role.code, 3);
  EXPECT_THAT(role.err, HasSubstr("names the role agent, not controller"));
  EXPECT_EQ(check({folder_ + "/other/ca.crt", agent.certificate, agent.key}).code, 3);
  EXPECT_EQ(check({agent.ca, agent.certificate, Issue("/other", "agent").key}).code, 3);
  EXPECT_EQ(check({agent.ca, agent.certificate, "/no/key"}).code, 4);
  caller_.way_in = {};
  EXPECT_EQ(caller_.Type({"certs", "check", "--ca", agent.ca}).code, 2);
}

TEST_F(WaysIn, DoctorSaysWhetherTheControllerIsWell) {
  EXPECT_EQ(caller_.Type({"doctor"}).code, 0);
  EXPECT_THAT(caller_.Type({"doctor"}).out, HasSubstr("All is well."));
  controller_.FailJournal();
  const Said ill = caller_.Type({"doctor"});
  EXPECT_EQ(ill.code, 3);
  EXPECT_THAT(ill.out, HasSubstr("the journal: disk full: nothing is raised"));
  // One that waits for its disk is not helped by being ended.
  EXPECT_EQ(caller_.Type({"doctor", "--live"}).code, 0);
  controller_.Kill();
  EXPECT_EQ(caller_.Type({"doctor", "--live"}).code, 7);
}

TEST_F(WaysIn, ATrustDomainThatCannotBeOneIsNamed) {
  const Said said =
      caller_.Type({"certs", "init", "--dir", folder_ + "/ca", "--trust-domain", "Shop Example"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("the trust domain \"Shop Example\" is refused: write 1 to 255 of "
                                  "a-z, 0-9, '.', '_' and '-', such as shop.example"));
}

TEST_F(WaysIn, CertificatesThatCannotBeReadAreTold) {
  caller_.way_in = {
      "--controller", controller_.address(), "--ca", "/no/ca", "--cert", "/no/cert", "--key",
      "/no/key"};
  const Said status = caller_.Type({"status"});
  EXPECT_EQ(status.code, 2);
  EXPECT_THAT(status.err, HasSubstr("/no/"));
  // Who must lower is told what to type on the boxes, as where no controller answers.
  for (const char* verb : {"close", "hold", "retreat", "abort"}) {
    const Said said = caller_.Type({verb, "shop"});
    EXPECT_EQ(said.code, 7);
    EXPECT_THAT(said.err, AllOf(HasSubstr("/no/"), HasSubstr("headgate-agent lower")));
  }
  EXPECT_THAT(caller_.Type({"close", "shop", "-o", "json"}).out, HasSubstr("\"exit\": 7"));
}

// The kernel takes connections for it, as for a process that was stopped.
class StandsStill {
 public:
  StandsStill() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in any{.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(any);
    auto* address = reinterpret_cast<sockaddr*>(&any);
    EXPECT_EQ(bind(socket_, address, size), 0);
    EXPECT_EQ(listen(socket_, 8), 0);
    EXPECT_EQ(getsockname(socket_, address, &size), 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(any.sin_port));
  }
  ~StandsStill() { close(socket_); }
  const std::string& address() const { return address_; }

 private:
  const int socket_;
  std::string address_;
};

TEST_F(WaysIn, OfAControllerThatStandsStillItIsSaidThatItGivesNoAnswer) {
  MakeAuthority("/ca");
  const tls::Files files = Issue("/ca", "operator");
  const StandsStill controller;
  for (const bool is_plaintext : {false, true}) {
    caller_.way_in = {"--controller", controller.address()};
    const std::vector<std::string> rest =
        is_plaintext ? std::vector<std::string>{"--plaintext"}
                     : std::vector<std::string>{"--ca",  files.ca, "--cert", files.certificate,
                                                "--key", files.key};
    caller_.way_in.insert(caller_.way_in.end(), rest.begin(), rest.end());
    const Said said = caller_.Type({"close", "shop"});
    EXPECT_EQ(said.code, 7);
    EXPECT_THAT(said.err, AllOf(HasSubstr(controller.address() + " gives no answer within 2 s\n"),
                                HasSubstr("headgate-agent lower 0%")));
  }
}

TEST_F(WaysIn, NoOptionKeepsAnybodyFromClosingAndOneLineSaysSo) {
  const Said said = caller_.Type({"close", "shop", "--timeout", "2m"});
  EXPECT_EQ(said.code, 0);
  EXPECT_EQ(said.err, "headgate: --timeout 2m is above 60s; waits for 60s\n");
  EXPECT_EQ(controller_.last_mutation().wait_timeout().seconds(), 60);
}

TEST_F(WaysIn, ALoweringTriesBothTheSocketAndTheControllers) {
  caller_.way_in.insert(caller_.way_in.end(), {"--socket", folder_ + "/none"});
  const Said said = caller_.Type({"close", "shop"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.err, HasSubstr("two ways in; tries both"));
}

TEST_F(WaysIn, TheUnixSocketNeedsNoCertificate) {
  controller_.Move("unix:" + folder_ + "/s", tls::LocalServerCredentials());
  caller_.way_in = {"--socket", folder_ + "/s"};
  const Said said = caller_.Type({"close", "shop"});
  EXPECT_EQ(said.code, 0) << said.err;
}

TEST(Endpoints, SayWhichFlagIsMissing) {
  const TimePoint now;
  EXPECT_THAT(std::string(OpenEndpoints(Connection{}, false, now).status().message()),
              HasSubstr("--controller HOST:PORT"));
  Connection connection{.controllers = {"10.0.0.1:7001"}};
  EXPECT_THAT(std::string(OpenEndpoints(connection, false, now).status().message()),
              HasSubstr("--ca, --cert and --key"));
  connection.plaintext = true;
  EXPECT_THAT(std::string(OpenEndpoints(connection, false, now).status().message()),
              HasSubstr("loopback only"));
  connection = Connection{.controllers = {"127.0.0.1:7443", "localhost"}, .plaintext = true};
  const absl::Status no_port = OpenEndpoints(connection, false, now).status();
  EXPECT_EQ(no_port.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(no_port.message()),
              HasSubstr("--controller 'localhost' is not HOST:PORT"));
  connection = Connection{.socket = "/no/such", .is_socket_given = true};
  EXPECT_EQ(OpenEndpoints(connection, false, now)->front().address, "/no/such");
}

}  // namespace
}  // namespace headgate::cli
