// Where the endpoint listens, and what a killed agent leaves behind.
#include "agents/endpoint/listening.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "tests/support/temp_folder.h"

namespace headgate::endpoint {
namespace {

using testing::HasSubstr;

int Bind(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return fd;
}

TEST(Listening, IsAUnixSocketOrLoopback) {
  EXPECT_EQ(ParseListen("listen", "unix:/run/headgate/shop.sock")->path, "/run/headgate/shop.sock");
  EXPECT_EQ(ParseListen("listen", "127.0.0.1:9101")->ToString(), "127.0.0.1:9101");
  EXPECT_EQ(ParseListen("listen", "localhost:9101")->ToString(), "127.0.0.1:9101");
  EXPECT_EQ(ParseListen("listen", "[::1]:9101")->ToString(), "[::1]:9101");
  for (const char* text : {"", "unix:", "unix:shop.sock", "0.0.0.0:9101", "10.0.0.1:9101",
                           "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "shop:9101"}) {
    const auto listen = ParseListen("gates[0].endpoint.listen", text);
    ASSERT_FALSE(listen.ok()) << text;
    EXPECT_THAT(std::string(listen.status().message()), HasSubstr("gates[0].endpoint.listen"));
  }
  EXPECT_FALSE(ParseListen("listen", "unix:/" + std::string(108, 'a')).ok());
}

TEST(Listening, RemovesASocketThatNobodyListensOnAndNoOther) {
  const test::TempFolder folder;
  const std::string path = folder / "a.sock";
  EXPECT_TRUE(RemoveStaleSocket(path).ok());
  close(Bind(path));
  EXPECT_TRUE(RemoveStaleSocket(path).ok());
  EXPECT_FALSE(std::filesystem::exists(path));
  const int fd = Bind(path);
  ASSERT_EQ(listen(fd, 1), 0);
  EXPECT_EQ(RemoveStaleSocket(path).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(std::filesystem::exists(path));
  close(fd);
  test::WriteFile(folder / "file", "");
  EXPECT_THAT(std::string(RemoveStaleSocket(folder / "file").message()), HasSubstr("is no socket"));
  EXPECT_THAT(std::string(RemoveStaleSocket(folder / "no/a.sock").message()),
              HasSubstr("no folder for the socket"));
}

TEST(Listening, SetsWhoMayConnect) {
  const test::TempFolder folder;
  const std::string path = folder / "a.sock";
  close(Bind(path));
  ASSERT_TRUE(SetAccess(path, 0620, "").ok());
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0620U);
  EXPECT_THAT(std::string(SetAccess(path, 0660, "no-such-group").message()), HasSubstr("usermod"));
}

}  // namespace
}  // namespace headgate::endpoint
