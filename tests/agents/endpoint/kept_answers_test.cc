// The folder in which nginx keeps answers: full, read-only, or another than the agent's.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/endpoint/remembered.h"
#include "common/base/bucket.h"
#include "tests/agents/endpoint/asked_site.h"
#include "tests/support/small_disk.h"

namespace headgate::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

Share Percent(const char* text) { return *Share::Parse(text); }

// Of half of the users.
std::string SomebodyOutside() {
  for (int i = 0;; ++i) {
    const std::string user = "user-" + std::to_string(i);
    if (!IsAdmitted(BucketOf(user), Percent("50%"))) return user;
  }
}

// nginx would end the request of whom it cannot keep.
TEST(KeptAnswers, WhereNothingCanBeKeptUsersComeInByTheAgentsWordAndItSaysSo) {
  const SmallDisk disk;
  if (!disk.is_there()) GTEST_SKIP() << "this user may not mount a small disk";
  AskedSite site({.share = Percent("50%"), .remembered = disk.path() + "/kept"});
  const std::string out = SomebodyOutside();
  int number = 0;
  // Each of somebody of whom nothing is kept.
  const auto next = [&] {
    std::string user;
    do user = fmt::format("somebody-{}", number++);
    while (!IsAdmitted(BucketOf(user), Percent("50%")));
    return site.StatusFor(user);
  };
  EXPECT_EQ(next(), 200);
  const auto says = [&](const char* words) {
    return Eventually([&] { return site.Readiness().find(words) != std::string::npos; });
  };
  disk.Fill();
  ASSERT_TRUE(says("nginx is told to keep no more answers in"));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(next(), 200);
  EXPECT_EQ(site.StatusFor(out), 503);
  disk.MakeRoom();
  disk.TakeNoWrites(true);
  ASSERT_TRUE(says("its disk takes no writes"));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(next(), 200);
  EXPECT_EQ(site.StatusFor(out), 503);
  disk.TakeNoWrites(false);
  ASSERT_TRUE(
      Eventually([&] { return site.Readiness().find("nginx is told") == std::string::npos; }));
  EXPECT_EQ(next(), 200);
}

// What nginx keeps elsewhere no lowering takes back.
TEST(KeptAnswers, AFolderThatIsNotThereIsNoneThatAnythingWasRemovedFrom) {
  const TempFolder folder;
  EXPECT_TRUE(endpoint::ForgetAnswers(folder.path(), 0).ok());
  EXPECT_THAT(std::string(endpoint::ForgetAnswers(folder / "kpet", 0).message()),
              HasSubstr("kpet is not there, though nginx makes it at its start"));
}

// No cache may give one person's cookie to others.
TEST(KeptAnswers, ANewCookieIsPrivateWhateverTheApplicationSaysOfItsAnswer) {
  for (const auto asker : {AskedSite::Asker::kNginx, AskedSite::Asker::kEnvoy}) {
    AskedSite site({.asker = asker});
    site.app.AnswerPublic();
    const HttpAnswer given = site.Get("/", {"Accept: text/html", "Sec-Fetch-Mode: navigate"});
    EXPECT_EQ(given.status, 200);
    EXPECT_THAT(given.headers, HasSubstr("headgate_uid="));
    EXPECT_THAT(given.headers, AnyOf(HasSubstr("\nCache-Control: private\r"),
                                     HasSubstr("\ncache-control: private\r")));
    const HttpAnswer other = site.Get("/", {"Cookie: headgate_uid=a"});
    EXPECT_EQ(other.headers.find("private"), std::string::npos) << other.headers;
    EXPECT_THAT(other.headers, HasSubstr("public, max-age=600"));
  }
}

}  // namespace
}  // namespace headgate::test
