// How a session with MariaDB is encrypted, against real servers with certificates made here.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "controller/database/maria_session.h"
#include "tests/controller/database/maria_lab.h"
#include "tests/support/process.h"
#include "tests/support/temp_folder.h"

namespace headgate::database {
namespace {

using ::headgate::testing::MariaServer;
using ::testing::HasSubstr;
using ::testing::Not;

void Make(const std::vector<std::string>& argv) {
  const auto finished = test::RunToEnd(argv);
  ASSERT_EQ(finished.exit_code, 0) << finished.output;
}

class MariaTlsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<test::TempFolder>();
    for (const char* name : {"ca", "other-ca"}) {
      Make({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
            fmt::format("/CN={}", name), "-keyout", Path(name, "key"), "-out", Path(name, "pem")});
    }
    Make({"openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout",
          Path("server", "key"), "-out", Path("server", "csr")});
    Make({"openssl", "x509", "-req", "-days", "2", "-in", Path("server", "csr"), "-CA",
          Path("ca", "pem"), "-CAkey", Path("ca", "key"), "-CAcreateserial", "-out",
          Path("server", "pem")});
    encrypted_ = std::make_unique<MariaServer>(
        MariaServer::Settings{.folder = *folder_ / "encrypted",
                              .id = 1,
                              .more = {fmt::format("--ssl-cert={}", Path("server", "pem")),
                                       fmt::format("--ssl-key={}", Path("server", "key"))}});
    plain_ = std::make_unique<MariaServer>(
        MariaServer::Settings{.folder = *folder_ / "plain", .id = 2, .more = {"--skip-ssl"}});
    for (const MariaServer* server : {encrypted_.get(), plain_.get()}) {
      server->Sql("CREATE USER headgate@'%' IDENTIFIED BY 'hunter2'");
    }
    test::WriteFile(*folder_ / "headgate.cnf", "[client]\nuser=headgate\npassword=hunter2\n");
  }
  static void TearDownTestSuite() {
    encrypted_.reset();
    plain_.reset();
    folder_.reset();
  }

  static std::string Path(const std::string& name, const std::string& ending) {
    return *folder_ / fmt::format("{}.{}", name, ending);
  }

  // The cipher in use, "" without one.
  absl::StatusOr<std::string> CipherOf(const MariaServer& server, const std::string& host,
                                       const std::string& more) const {
    MariaSession session(fmt::format("host={} port={} option_file={} {}", host, server.port(),
                                     *folder_ / "headgate.cnf", more));
    session.Begin({{.sql = "SHOW STATUS LIKE 'Ssl_cipher'"}}, {}, clock_.Now());
    RunSessions({&session}, clock_, -1);
    const auto& answer = session.Answers().front();
    if (!answer.ok()) return answer.status();
    return answer->front().at(1).value_or("");
  }

  static std::unique_ptr<test::TempFolder> folder_;
  static std::unique_ptr<MariaServer> encrypted_;
  static std::unique_ptr<MariaServer> plain_;
  SteadyClock clock_;
};

std::unique_ptr<test::TempFolder> MariaTlsTest::folder_;
std::unique_ptr<MariaServer> MariaTlsTest::encrypted_;
std::unique_ptr<MariaServer> MariaTlsTest::plain_;

TEST_F(MariaTlsTest, IsUsedWithACertificateOfTheNamedAuthorityAlone) {
  const auto cipher =
      CipherOf(*encrypted_, "127.0.0.1", fmt::format("ssl_ca={}", Path("ca", "pem")));
  ASSERT_TRUE(cipher.ok()) << cipher.status();
  EXPECT_NE(*cipher, "");
  const auto other =
      CipherOf(*encrypted_, "127.0.0.1", fmt::format("ssl_ca={}", Path("other-ca", "pem")));
  EXPECT_TRUE(absl::IsUnknown(other.status())) << other.status();
  EXPECT_THAT(std::string(other.status().message()), Not(HasSubstr("hunter2")));
}

TEST_F(MariaTlsTest, IsNeverLeftOutWhenItIsAskedFor) {
  const std::string ca = fmt::format("ssl_ca={}", Path("ca", "pem"));
  const auto refused = CipherOf(*plain_, "127.0.0.1", ca);
  EXPECT_TRUE(absl::IsUnknown(refused.status())) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("does not encrypt"));
  EXPECT_EQ(CipherOf(*plain_, "127.0.0.1", "").value(), "");
}

TEST_F(MariaTlsTest, HoldsTheNameInTheCertificateAgainstTheHostsIfAskedTo) {
  const std::string ca = fmt::format("ssl_ca={}", Path("ca", "pem"));
  const auto named = CipherOf(*encrypted_, "localhost", ca + " ssl_verify_name=yes");
  ASSERT_TRUE(named.ok()) << named.status();
  EXPECT_NE(*named, "");
  const auto address = CipherOf(*encrypted_, "127.0.0.1", ca + " ssl_verify_name=yes");
  EXPECT_TRUE(absl::IsUnknown(address.status())) << address.status();
}

}  // namespace
}  // namespace headgate::database
