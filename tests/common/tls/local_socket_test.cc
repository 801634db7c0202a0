#include "common/tls/local_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "tests/common/tls/pki.h"

namespace headgate::tls {
namespace {

using testing::HasSubstr;

int Listen(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(listen(fd, 1), 0);
  return fd;
}

TEST(LocalSocket, LiesInAFolderOfItsOwnerAlone) {
  const Folder folder;
  const auto address = PrepareLocalSocket(folder / "run/root.sock");
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(*address, "unix:" + (folder / "run/root.sock"));
  struct stat status {};
  ASSERT_EQ(stat((folder / "run").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST(LocalSocket, IsRefusedInAFolderThatOthersMayEnter) {
  const Folder folder;
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  const auto address = PrepareLocalSocket(folder / "root.sock");
  EXPECT_EQ(address.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(address.status().message()), HasSubstr("chmod 700"));
}

TEST(LocalSocket, ReplacesADeadSocketAndNeverALiveOneOrAFile) {
  const Folder folder;
  const std::string path = folder / "root.sock";
  const int fd = Listen(path);
  EXPECT_EQ(PrepareLocalSocket(path).status().code(), absl::StatusCode::kAlreadyExists);
  close(fd);
  EXPECT_TRUE(PrepareLocalSocket(path).ok());
  EXPECT_FALSE(std::filesystem::exists(path));
  WriteText(path, "precious");
  EXPECT_EQ(PrepareLocalSocket(path).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReadText(path), "precious");
}

TEST(LocalSocket, RefusesAPathThatNoSocketCanHave) {
  EXPECT_EQ(PrepareLocalSocket("relative.sock").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(PrepareLocalSocket("/" + std::string(200, 'x')).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace headgate::tls
