// What `snippet nginx` prints.
#include "agents/nginx/snippet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/process.h"
#include "tests/support/temp_folder.h"

namespace headgate::nginx {
namespace {

using testing::HasSubstr;

SnippetOptions Options() {
  return {.gate = "my-shop",
          .slow_ms = {500},
          .folder = "/etc/headgate/nginx",
          .share = "/var/lib/headgate/my-shop.share",
          .bypass = {"path=/healthz", "cidr=203.0.113.0/24"}};
}

TEST(Snippet, NamesTheGatesFilesAndRules) {
  const auto text = Snippet(Options());
  ASSERT_TRUE(text.ok()) << text.status();
  for (const char* part :
       {"\nlua_shared_dict headgate 1m;\n", "map \"\" $headgate_my_shop {",
        "geo $headgate_my_shop_net {", "203.0.113.0/24 1;",
        "dofile(\"/etc/headgate/nginx/my-shop.lua\")", "location = /.headgate/probe {",
        "location = /.headgate/control/my-shop {"}) {
    EXPECT_THAT(*text, HasSubstr(part));
  }
  const auto lua = Lua(Options());
  ASSERT_TRUE(lua.ok()) << lua.status();
  EXPECT_THAT(*lua, HasSubstr("paths = { [\"/healthz\"] = true, }"));
  EXPECT_THAT(*lua, HasSubstr("token = \"/etc/headgate/nginx/my-shop.token\""));
}

TEST(Snippet, RefusesWhatNginxWouldReadOtherwise) {
  SnippetOptions options = Options();
  options.share = "/tmp/a b";
  EXPECT_FALSE(Snippet(options).ok());
  options = Options();
  options.gate = "Shop";
  EXPECT_FALSE(Snippet(options).ok());
  options = Options();
  options.folder = "/tmp/\"; os.exit() --";
  EXPECT_FALSE(Lua(options).ok());
  options = Options();
  options.bypass = {"cidr=0.0.0.0/0"};
  EXPECT_FALSE(Snippet(options).ok());
}

TEST(Snippet, APageOfTheOperatorsOwnMayHoldAnything) {
  const test::TempFolder folder;
  test::WriteFile(folder / "wait.html", "]] \"quoted\" \\ \n\xc3\xa9 {{retry_after}}");
  SnippetOptions options = Options();
  options.pages = *agent::WaitPages::Load({folder / "wait.html"}, "en");
  const auto text = Lua(options);
  ASSERT_TRUE(text.ok());
  EXPECT_THAT(*text, HasSubstr("\"]] \\034quoted\\034 \\092 \\010\\195\\169 {{retry_after}}\""));
}

}  // namespace
}  // namespace headgate::nginx
