#include "agents/haproxy/stats_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <thread>

#include "agents/haproxy/haproxy.h"
#include "tests/support/temp_folder.h"

namespace headgate::haproxy {
namespace {

// Listens on a Unix socket and treats each connection as it is told.
class FakeSocket {
 public:
  using Behaviour = std::function<void(int fd)>;

  explicit FakeSocket(Behaviour behaviour) : behaviour_(std::move(behaviour)) {
    fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path().c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(fd_, 8), 0);
    thread_ = std::thread([this] {
      while (true) {
        const int connection = accept(fd_, nullptr, nullptr);
        if (connection < 0) return;
        behaviour_(connection);
        close(connection);
      }
    });
  }
  ~FakeSocket() {
    shutdown(fd_, SHUT_RDWR);
    thread_.join();
    close(fd_);
  }
  std::string path() const { return folder_ / "s"; }

 private:
  const Behaviour behaviour_;
  const test::TempFolder folder_;
  int fd_ = -1;
  std::thread thread_;
};

// Reads until the other end closes.
void Drain(int fd) {
  char chunk[1024];
  while (recv(fd, chunk, sizeof chunk, 0) > 0) {
  }
}

void Say(int fd, const std::string& text) {
  char chunk[1024];
  EXPECT_GT(recv(fd, chunk, sizeof chunk, 0), 0);
  EXPECT_EQ(send(fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
}

constexpr Duration kShort{50};

TEST(StatsSocket, GivesUpOnAHangingSocketInTime) {
  const FakeSocket hanging(&Drain);
  const auto before = std::chrono::steady_clock::now();
  const auto answer = StatsSocket(hanging.path(), kShort).Ask({"show info"});
  EXPECT_TRUE(absl::IsDeadlineExceeded(answer.status())) << answer.status();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(2));
}

TEST(StatsSocket, GivesUpOnADripThatNeverEnds) {
  const FakeSocket dripping([](int fd) {
    pollfd connection{fd, 0, 0};
    // A byte every 5 ms until the other end hangs up.
    while (poll(&connection, 1, 5) == 0 && send(fd, "x", 1, MSG_NOSIGNAL) == 1) {
    }
  });
  const auto answer = StatsSocket(dripping.path(), kShort).Ask({"show info"});
  EXPECT_TRUE(absl::IsDeadlineExceeded(answer.status())) << answer.status();
}

TEST(StatsSocket, GivesUpOnAFloodAtItsLimit) {
  const FakeSocket flooding([](int fd) {
    const std::string much(65536, 'x');
    while (send(fd, much.data(), much.size(), MSG_NOSIGNAL) > 0) {
    }
  });
  const auto answer = StatsSocket(flooding.path(), std::chrono::seconds(5)).Ask({"show info"});
  EXPECT_TRUE(absl::IsOutOfRange(answer.status())) << answer.status();
}

TEST(StatsSocket, SaysThatNobodyListens) {
  const test::TempFolder folder;
  const auto answer = StatsSocket(folder / "none").Ask({"show info"});
  EXPECT_TRUE(absl::IsUnavailable(answer.status()));
  EXPECT_THAT(std::string(answer.status().message()), testing::HasSubstr(folder / "none"));
}

Settings SettingsFor(const FakeSocket& fake, const test::TempFolder& folder) {
  test::WriteFile(folder / "shop.map", agent::ShareFileText({1000, 10}));
  return Settings{.gate = "shop",
                  .socket = fake.path(),
                  .map = folder / "shop.map",
                  .app_backend = "app",
                  .wait_backend = "wait",
                  .probe_url = "http://127.0.0.1:1/",
                  .key = {},
                  .slow_ms = {500}};
}

TEST(Haproxy, TellsGarbageEmptinessAndSilenceApartFromAReading) {
  const test::TempFolder folder;
  for (const std::string text : {"", "garbage\n\n\x01\x02\n\n", "a\n\nb\n\nc\n\nd\n\ne\n\nf\n\n"}) {
    const FakeSocket fake([&](int fd) { Say(fd, text); });
    Haproxy haproxy(SettingsFor(fake, folder));
    const agent::Reading reading = haproxy.Read();
    EXPECT_FALSE(reading.in_force.has_value()) << text;
    EXPECT_NE(reading.trouble, "") << text;
    EXPECT_EQ(reading.at_next_start, agent::ShareOfWidth(1000));
    EXPECT_FALSE(haproxy.ReadCounters().ok());
  }
}

TEST(Haproxy, WritesTheFileOfALoweringEvenIfTheSocketHangs) {
  const test::TempFolder folder;
  const FakeSocket hanging(&Drain);
  Haproxy haproxy(SettingsFor(hanging, folder));
  const agent::ApplyOutcome outcome =
      haproxy.Put({*Share::FromPpm(100), 10, agent::Direction::kDown});
  EXPECT_TRUE(absl::IsDeadlineExceeded(outcome.in_memory)) << outcome.in_memory;
  EXPECT_TRUE(outcome.at_next_start.ok());
  EXPECT_EQ(agent::ParseShareFile(test::ReadFile(folder / "shop.map"))->width,
            Share::FromPpm(100)->Width());
}

TEST(Haproxy, AnEmptyAnswerToSetMapIsNotTakenForSuccess) {
  const test::TempFolder folder;
  // Takes every `set map` in silence and changes nothing, as HAProxy does with a bad value.
  const FakeSocket deaf([](int fd) {
    char chunk[1024];
    const ssize_t n = recv(fd, chunk, sizeof chunk, 0);
    const bool is_get = std::string(chunk, static_cast<std::size_t>(n)).find("get map") == 0;
    const std::string answer = "found=yes, value=\"1000\", type=\"sint\"\n\n";
    const std::string text = is_get ? answer + answer : "\n\n";
    EXPECT_GT(send(fd, text.data(), text.size(), MSG_NOSIGNAL), 0);
  });
  Haproxy haproxy(SettingsFor(deaf, folder));
  const auto outcome = haproxy.Put({*Share::FromPpm(100), 10, agent::Direction::kDown});
  EXPECT_TRUE(absl::IsFailedPrecondition(outcome.in_memory)) << outcome.in_memory;
}

}  // namespace
}  // namespace headgate::haproxy
