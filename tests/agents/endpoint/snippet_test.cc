// What is pasted, and what is refused to be printed.
#include "agents/endpoint/snippet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headgate::endpoint {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

SnippetOptions Options() {
  return {.gate = "shop",
          .listen = {.path = "/run/headgate/shop.sock"},
          .remembered = "/var/cache/nginx/headgate-shop"};
}

std::string ErrorOf(const SnippetOptions& options) {
  return std::string(NginxSnippet(options).status().message());
}

TEST(Snippet, FailsStaticUnlessAnotherWordIsSaidAndOpenOnlyByItsOwn) {
  EXPECT_EQ(SnippetOptions().on_agent_failure, OnAgentFailure::kStatic);
  EXPECT_THAT(*NginxSnippet(Options()),
              AllOf(HasSubstr("proxy_cache_use_stale error timeout"), HasSubstr("return 403;")));
  SnippetOptions options = Options();
  options.on_agent_failure = OnAgentFailure::kClosed;
  EXPECT_THAT(*NginxSnippet(options),
              AllOf(Not(HasSubstr("proxy_cache")), HasSubstr("return 403;")));
  options.on_agent_failure = OnAgentFailure::kOpen;
  EXPECT_THAT(*NginxSnippet(options),
              AllOf(HasSubstr("return 204;"), Not(HasSubstr("return 403;"))));
  EXPECT_FALSE(ParseOnAgentFailure("opened").ok());
  EXPECT_FALSE(ParseOnAgentFailure("").ok());
}

TEST(Snippet, RefusesWhatNginxWouldReadOtherwise) {
  SnippetOptions options = Options();
  options.gate = "Shop";
  EXPECT_THAT(ErrorOf(options), HasSubstr("[a-z0-9-]"));
  options = Options();
  options.remembered = "/a b;";
  EXPECT_THAT(ErrorOf(options), HasSubstr("--remembered"));
  options.remembered = "";
  EXPECT_THAT(ErrorOf(options), HasSubstr("--remembered"));
  options = Options();
  options.listen.path = "/run/a;b";
  EXPECT_THAT(ErrorOf(options), HasSubstr("--listen"));
  options = Options();
  options.bypass = {"/healthz"};
  EXPECT_THAT(ErrorOf(options), HasSubstr("path=/healthz"));
  options = Options();
  options.key = *agent::UserKey::Parse("header X.User");
  EXPECT_THAT(ErrorOf(options), HasSubstr("dot"));
  options = Options();
  options.access_log = "10.0.0.1:9103";
  EXPECT_THAT(ErrorOf(options), HasSubstr("--access-log"));
}

// nginx would not start: "could not build variables_hash".
TEST(Snippet, OfALongNameItSaysWhatNginxNeeds) {
  SnippetOptions options{
      .gate = std::string(25, 'a'), .listen = {.path = "/run/a.sock"}, .remembered = "/var/kept"};
  EXPECT_THAT(*NginxSnippet(options), Not(HasSubstr("variables_hash_bucket_size")));
  options.gate += 'a';
  EXPECT_THAT(*NginxSnippet(options), HasSubstr("variables_hash_bucket_size 128;"));
}

TEST(Snippet, TakesTheKeyAsNginxNamesIt) {
  SnippetOptions options = Options();
  EXPECT_THAT(*NginxSnippet(options), HasSubstr("proxy_cache_key $cookie_headgate_uid;"));
  options.key = *agent::UserKey::Parse("header X-User-Id");
  EXPECT_THAT(*NginxSnippet(options), HasSubstr("proxy_cache_key $http_x_user_id;"));
  options.key = *agent::UserKey::Parse("client_address");
  EXPECT_THAT(*NginxSnippet(options), HasSubstr("proxy_cache_key $remote_addr;"));
}

}  // namespace
}  // namespace headgate::endpoint
