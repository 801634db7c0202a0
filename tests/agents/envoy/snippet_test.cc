// What `snippet envoy` prints.
#include "agents/envoy/snippet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/process.h"
#include "tests/support/temp_folder.h"

namespace headgate::envoy {
namespace {

using testing::HasSubstr;

SnippetOptions Options() {
  return {.gate = "my-shop",
          .app_clusters = {"web", "api"},
          .slow_ms = {500},
          .share = "/var/lib/headgate/my-shop.yaml",
          .bypass = {"path=/healthz"}};
}

TEST(Snippet, NamesTheGatesPartsAndStaysClosedWithoutTheRuntime) {
  const auto text = Snippet(Options());
  ASSERT_TRUE(text.ok()) << text.status();
  for (const char* part :
       {"name: headgate_my_shop\n", "path_config_source: {path: /var/lib/headgate/my-shop.yaml}",
        "runtime_key_prefix: headgate.my-shop\n", "runtime_key_prefix: headgate.my-shop.new\n",
        "- match: {path: /healthz}", "- name: api\n                      weight: 0\n",
        "- name: headgate_my_shop_wait\n                      weight: 1048576\n",
        "buckets: [500, 3600000]", "path: /run/envoy/admin.sock, mode: 432"}) {
    EXPECT_THAT(*text, HasSubstr(part));
  }
}

TEST(Snippet, RefusesWhatEnvoyWouldReadOtherwise) {
  for (const auto& spoil : std::vector<std::function<void(SnippetOptions&)>>{
           [](SnippetOptions& o) { o.gate = "Shop"; },
           [](SnippetOptions& o) { o.share = "/tmp/a b"; },
           [](SnippetOptions& o) { o.app_clusters = {}; },
           [](SnippetOptions& o) {
             o.app_clusters = {"a", "b}"};
           },
           [](SnippetOptions& o) { o.app_clusters.resize(17, "a"); },
           [](SnippetOptions& o) { o.bypass = {"cidr=203.0.113.0/24"}; },
           [](SnippetOptions& o) { o.bypass = {"path=/a}"}; },
           [](SnippetOptions& o) { o.slow_ms = {505}; }, [](SnippetOptions& o) { o.listen = "80"; },
           [](SnippetOptions& o) { o.app_address = "a:b"; },
           [](SnippetOptions& o) { o.admin = "localhost"; }}) {
    SnippetOptions options = Options();
    spoil(options);
    EXPECT_FALSE(Snippet(options).ok());
  }
}

TEST(Snippet, APageOfTheOperatorsOwnMayHoldAnything) {
  const test::TempFolder folder;
  test::WriteFile(folder / "wait.html", "]] \"quoted\" \\ \n\xc3\xa9 {{retry_after}}");
  SnippetOptions options = Options();
  options.pages = *agent::WaitPages::Load({folder / "wait.html"}, "en");
  const auto text = Snippet(options);
  ASSERT_TRUE(text.ok());
  EXPECT_THAT(*text, HasSubstr("\"]] \\034quoted\\034 \\092 \\010\\195\\169 {{retry_after}}\""));
}

}  // namespace
}  // namespace headgate::envoy
