#include "common/systemd/credential.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/temp_folder.h"

namespace headgate::systemd {
namespace {

TEST(Credential, IsTheManagersCopyWhereThereIsOne) {
  const test::TempFolder folder;
  test::WriteFile(folder / "agent.key", "copy");
  setenv("CREDENTIALS_DIRECTORY", folder.path().c_str(), 1);
  EXPECT_EQ(CredentialOr("/etc/headgate/agent.key"), folder / "agent.key");
  EXPECT_EQ(CredentialOr("/etc/headgate/other.key"), "/etc/headgate/other.key");
  unsetenv("CREDENTIALS_DIRECTORY");
}

TEST(Credential, IsTheFileItselfWithoutAManager) {
  unsetenv("CREDENTIALS_DIRECTORY");
  EXPECT_EQ(CredentialOr("/etc/headgate/agent.key"), "/etc/headgate/agent.key");
}

}  // namespace
}  // namespace headgate::systemd
