#include "controller/database/session.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "controller/database/postgres_probe.h"
#include "controller/database/servers.h"

namespace headgate::database {
namespace {

using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::Values;

// A loopback port at which connections are accepted by the kernel and nobody ever answers; closed,
// one at which nobody listens.
class SilentServer {
 public:
  SilentServer() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(fd_, generic, size), 0);
    EXPECT_EQ(listen(fd_, 16), 0);
    EXPECT_EQ(getsockname(fd_, generic, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~SilentServer() { Close(); }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;

  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }
  int port() const { return port_; }

 private:
  int fd_;
  int port_ = 0;
};

class SessionTest : public ::testing::TestWithParam<Engine> {
 protected:
  static absl::Status Ask(const std::string& dsn, const Session::Deadlines& deadlines) {
    const SteadyClock clock;
    const std::unique_ptr<Session> session = MakeSession(GetParam(), dsn);
    session->Begin({{.sql = "SELECT 1", .parameters = {}}}, deadlines, clock.Now());
    RunSessions({session.get()}, clock, -1);
    return session->Answers().at(0).status();
  }
};

INSTANTIATE_TEST_SUITE_P(Engines, SessionTest, Values(Engine::kPostgres, Engine::kMariadb),
                         [](const auto& test) {
                           return test.param == Engine::kPostgres ? "Postgres" : "Mariadb";
                         });

TEST_P(SessionTest, GivesUpOnAServerThatAcceptsAndSaysNothing) {
  const SilentServer server;
  const SteadyClock clock;
  const TimePoint began = clock.Now();
  Session::Deadlines deadlines;
  deadlines.connect = Duration(200);
  const absl::Status status = Ask(fmt::format("host=127.0.0.1 port={}", server.port()), deadlines);
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  EXPECT_LT(clock.Now() - began, Duration(600));
}

TEST_P(SessionTest, TellsARefusedConnectionFromOneThatIsMerelyLost) {
  SilentServer server;
  server.Close();
  const absl::Status status = Ask(fmt::format("host=127.0.0.1 port={}", server.port()), {});
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("Is the server running")));
}

TEST_P(SessionTest, ResolvesNamesWithinItsDeadline) {
  SilentServer server;
  server.Close();
  const absl::Status refused = Ask(fmt::format("host=localhost port={}", server.port()), {});
  EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
  const SteadyClock clock;
  const TimePoint began = clock.Now();
  EXPECT_FALSE(Ask("host=no-such-host.invalid", {}).ok());
  EXPECT_LT(clock.Now() - began, Duration(1'500));
}

TEST(PostgresProbeWithoutServers, NeverTellsAPassword) {
  SilentServer server;
  server.Close();
  Inventory inventory;
  inventory.primary_dsn =
      fmt::format("postgresql://headgate:hunter2@127.0.0.1:{}/shop", server.port());
  inventory.replicas = {{.name = "db2",
                         .dsn = "host=db2 passwordd=hunter2",
                         .kind = ReplicaKind::kPhysical,
                         .out = false},
                        {.name = "db3", .dsn = "", .kind = ReplicaKind::kLogical, .out = false}};
  const SteadyClock clock;
  PostgresProbe probe(inventory);
  const Report look = probe.Look(clock);
  EXPECT_THAT(look.findings, SizeIs(3));
  EXPECT_THAT(look.findings, Each(Field(&Finding::text, Not(HasSubstr("hunter2")))));
  EXPECT_EQ(look.findings[0].severity, Severity::kFailed);
  EXPECT_EQ(look.findings[0].kind, "unreachable");
  EXPECT_EQ(look.findings[1].kind, "dsn");
  EXPECT_EQ(look.findings[2].severity, Severity::kUnknown);
  const Report fingerprint = probe.Fingerprint(clock);
  EXPECT_THAT(fingerprint.findings, SizeIs(1));
  EXPECT_EQ(fingerprint.findings[0].severity, Severity::kUnknown);
  EXPECT_THAT(fingerprint.findings, Each(Field(&Finding::text, Not(HasSubstr("hunter2")))));
}

}  // namespace
}  // namespace headgate::database
