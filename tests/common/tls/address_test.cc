#include "common/tls/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace headgate::tls {
namespace {

using testing::HasSubstr;

TEST(Loopback, IsOnlyWhatNoOtherMachineReaches) {
  for (const char* address :
       {"127.0.0.1", "127.0.0.1:7443", "127.9.9.9:1", "[::1]", "[::1]:7443", "::1", "localhost",
        "localhost:80", "[::ffff:127.0.0.1]:80", "unix:/run/headgate/root.sock"}) {
    EXPECT_TRUE(IsLoopback(address)) << address;
  }
  for (const char* address : {"", ":7443", "0.0.0.0:7443", "[::]:7443", "::", "10.0.0.1",
                              "128.0.0.1", "127.0.0.1.example.org", "localhost.example.org",
                              "example.org:80", "[::ffff:10.0.0.1]:80", "*:80", "[::1", "127.1"}) {
    EXPECT_FALSE(IsLoopback(address)) << address;
  }
}

TEST(HostPort, HasBothAndSaysHowTheyAreWritten) {
  for (const char* address : {"127.0.0.1:7443", "localhost:1", "[::1]:65535", "a.example:7443"}) {
    EXPECT_TRUE(CheckHostPort(address, "--controller").ok()) << address;
  }
  for (const char* address : {"", "localhost", ":7443", "localhost:", "localhost:0", "a:65536",
                              "a:-1", "a:7443x", "::1", "::1:7443", "[::1]"}) {
    const absl::Status refused = CheckHostPort(address, "--controller");
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << address;
    EXPECT_THAT(std::string(refused.message()),
                HasSubstr(std::string("--controller '") + address + "' is not HOST:PORT"));
  }
}

TEST(Plaintext, NeedsTheFlagAndLoopback) {
  EXPECT_TRUE(CheckPlaintextAllowed("127.0.0.1:80", true, "--plaintext").ok());

  const absl::Status unasked = CheckPlaintextAllowed("127.0.0.1:80", false, "--plaintext");
  EXPECT_EQ(unasked.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(unasked.message()), HasSubstr("--plaintext"));

  const absl::Status outside = CheckPlaintextAllowed("0.0.0.0:80", true, "--plaintext");
  EXPECT_EQ(outside.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(outside.message()), HasSubstr("0.0.0.0:80"));
  EXPECT_THAT(std::string(outside.message()), HasSubstr("127.0.0.1"));
}

}  // namespace
}  // namespace headgate::tls
