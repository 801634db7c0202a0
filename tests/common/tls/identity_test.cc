#include "common/tls/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headgate::tls {
namespace {

using testing::HasSubstr;

TEST(Identity, IsReadFromTheOneFormOfName) {
  const auto agent = ParseSpiffeUri("spiffe://example.org/headgate/agent/edge-1");
  ASSERT_TRUE(agent.ok()) << agent.status();
  EXPECT_EQ(*agent, (Identity{Role::kAgent, "edge-1", "example.org"}));
  for (const Role role :
       {Role::kViewer, Role::kOperator, Role::kApprover, Role::kAgent, Role::kController}) {
    const Identity identity{role, "Ada.L_1", "a-b.c_d"};
    const auto uri = SpiffeUri(identity);
    ASSERT_TRUE(uri.ok());
    EXPECT_EQ(*ParseSpiffeUri(*uri), identity);
    EXPECT_EQ(*ParseRole(RoleName(role)), role);
  }
}

TEST(Identity, RefusesEveryOtherFormAndShowsTheRightOne) {
  for (const char* uri : {"",
                          "spiffe://",
                          "https://example.org/headgate/agent/edge-1",
                          "SPIFFE://example.org/headgate/agent/edge-1",
                          "spiffe://example.org",
                          "spiffe:///headgate/agent/edge-1",
                          "spiffe://Example.org/headgate/agent/edge-1",
                          "spiffe://example.org:80/headgate/agent/edge-1",
                          "spiffe://example.org/other/agent/edge-1",
                          "spiffe://example.org/headgate/root/edge-1",
                          "spiffe://example.org/headgate/Agent/edge-1",
                          "spiffe://example.org/headgate/agent",
                          "spiffe://example.org/headgate/agent/",
                          "spiffe://example.org/headgate/agent/a/b",
                          "spiffe://example.org/headgate/agent/edge-1/",
                          "spiffe://example.org/headgate/agent/edge 1",
                          "spiffe://example.org/headgate/agent/..",
                          "spiffe://example.org/headgate/agent/a?b",
                          "spiffe://example.org//headgate/agent/a",
                          "spiffe://example.org/headgate/agent/a%2fb",
                          "spiffe://example.org/headgate/agent/\xc3\xa4"}) {
    const auto identity = ParseSpiffeUri(uri);
    ASSERT_FALSE(identity.ok()) << uri;
    EXPECT_THAT(std::string(identity.status().message()),
                HasSubstr("spiffe://<trust-domain>/headgate/<role>/<name>"));
  }
}

TEST(Identity, ANameHasAtMost63Bytes) {
  const std::string longest(kNameBytesMax, 'x');
  EXPECT_TRUE(SpiffeUri({Role::kAgent, longest, "example.org"}).ok());
  EXPECT_FALSE(SpiffeUri({Role::kAgent, longest + "x", "example.org"}).ok());
  EXPECT_FALSE(SpiffeUri({Role::kAgent, "x", std::string(kTrustDomainBytesMax + 1, 'x')}).ok());
}

TEST(Identity, AZeroByteDoesNotEndTheName) {
  using namespace std::string_view_literals;
  EXPECT_FALSE(ParseSpiffeUri("spiffe://example.org/headgate/agent/edge-1\0evil"sv).ok());
}

}  // namespace
}  // namespace headgate::tls
