#include "common/systemd/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "tests/support/temp_folder.h"

namespace headgate::systemd {
namespace {

using testing::ElementsAre;

// The service manager's end.
class FakeManager {
 public:
  FakeManager() : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    const std::string path = folder_ / "notify.sock";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  ~FakeManager() {
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    close(fd_);
  }
  FakeManager(const FakeManager&) = delete;
  FakeManager& operator=(const FakeManager&) = delete;

  // All that has come since it was last asked.
  std::vector<std::string> Heard() const {
    std::vector<std::string> heard;
    char text[4096];
    for (ssize_t got = 0; (got = recv(fd_, text, sizeof text, 0)) > 0;) {
      heard.emplace_back(text, static_cast<std::size_t>(got));
    }
    return heard;
  }

 private:
  test::TempFolder folder_;
  const int fd_;
};

TEST(Service, TellsTheManagerInItsOwnWords) {
  const FakeManager manager;
  Service service;
  service.Ready();
  service.Alive();
  service.Say("serves\nall");
  service.Stopping();
  EXPECT_THAT(manager.Heard(),
              ElementsAre("READY=1", "WATCHDOG=1", "STATUS=serves all", "STOPPING=1"));
}

TEST(Service, SaysTheSameStatusOnce) {
  const FakeManager manager;
  Service service;
  service.Say("one");
  service.Say("one");
  service.Say("two");
  EXPECT_THAT(manager.Heard(), ElementsAre("STATUS=one", "STATUS=two"));
}

TEST(Service, LivesAThirdOfTheTimeAfterWhichItIsEnded) {
  const FakeManager manager;
  setenv("WATCHDOG_USEC", "30000000", 1);
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  EXPECT_EQ(Service().alive_every(), Duration(10'000));
}

TEST(Service, IsNotWatchedForAnotherProcess) {
  const FakeManager manager;
  setenv("WATCHDOG_USEC", "30000000", 1);
  setenv("WATCHDOG_PID", std::to_string(getppid()).c_str(), 1);
  EXPECT_EQ(Service().alive_every(), std::nullopt);
}

TEST(Service, DoesNothingWhereNobodyAsked) {
  unsetenv("NOTIFY_SOCKET");
  Service service;
  service.Ready();
  service.Say("alone");
  EXPECT_EQ(service.alive_every(), std::nullopt);
}

TEST(Service, OutlivesAManagerThatIsGone) {
  {
    const FakeManager manager;
    setenv("GONE", getenv("NOTIFY_SOCKET"), 1);
  }
  setenv("NOTIFY_SOCKET", getenv("GONE"), 1);
  Service service;
  service.Ready();
  service.Alive();
  unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace headgate::systemd
