#include "agents/core/share_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "agents/core/share_store.h"
#include "agents/core/user_key.h"
#include "common/base/bucket.h"
#include "tests/support/temp_folder.h"

namespace headgate::agent {
namespace {

TEST(ShareFile, ReadsWhatItWrote) {
  const ShareFile values{104858, 12};
  const auto read = ParseShareFile(ShareFileText(values));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, values);
}

TEST(ShareFile, AMissingEntryIsZeroAsInTheSnippet) {
  EXPECT_EQ(ParseShareFile("retry_after 5\n")->width, 0U);
  EXPECT_EQ(ParseShareFile("")->width, 0U);
}

TEST(ShareFile, RefusesWhatHaproxyWouldNotStartWith) {
  EXPECT_FALSE(ParseShareFile("admit_w many\n").ok());
  EXPECT_FALSE(ParseShareFile("admit_w 12 34\n").ok());
  EXPECT_FALSE(ParseShareFile("admit_w\n").ok());
}

TEST(ShareFile, EveryShareIsFoundAgainFromItsWidth) {
  for (std::uint32_t ppm = 0; ppm <= Share::kPpmMax; ++ppm) {
    const Share share = *Share::FromPpm(ppm);
    ASSERT_EQ(ShareOfWidth(share.Width()), share) << ppm;
  }
}

TEST(ShareStore,
     AFileThatIsMadeAnewIsReadByLoadBalancersOfAnotherUserAndOneThatIsThereKeepsItsMode) {
  const test::TempFolder folder;
  const std::string path = folder / "shop.share";
  const ShareStore store(path, "");
  const auto mode = [&] {
    struct stat found {};
    EXPECT_EQ(stat(path.c_str(), &found), 0);
    return found.st_mode & 0777U;
  };
  ASSERT_TRUE(store.Write({*Share::Parse("20%"), 10, Direction::kDown}).ok());
  EXPECT_EQ(mode(), 0644U);
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  ASSERT_TRUE(store.Write({*Share::Parse("10%"), 10, Direction::kDown}).ok());
  EXPECT_EQ(mode(), 0640U);
}

TEST(ProbeKeys, StandJustInsideAndJustOutside) {
  for (const std::uint32_t width : {1U, 52429U, 524288U, 1048575U}) {
    const ProbeKeys keys = FindProbeKeys(width, 7);
    EXPECT_EQ(BucketOf(keys.inside), width - 1);
    EXPECT_EQ(BucketOf(keys.outside), width);
  }
  EXPECT_EQ(FindProbeKeys(0, 7).inside, "");
  EXPECT_EQ(FindProbeKeys(kBuckets, 7).outside, "");
}

TEST(UserKey, ReadsTheThreeKindsAndRefusesOthers) {
  for (const char* text : {"cookie headgate_uid", "header X-User-Id", "client_address"}) {
    EXPECT_EQ(UserKey::Parse(text)->ToString(), text);
  }
  for (const char* text : {"", "cookie", "cookie a b", "session x", "header X\nY", "cookie a;b"}) {
    EXPECT_FALSE(UserKey::Parse(text).ok()) << text;
  }
}

}  // namespace
}  // namespace headgate::agent
