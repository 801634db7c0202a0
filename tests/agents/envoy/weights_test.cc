// The weights of a share, in Envoy's runtime and in its file.
#include "agents/envoy/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/bucket.h"

namespace headgate::envoy {
namespace {

const Gate kGate{"my-shop", {"web", "api"}};

Found Find(const Entries& entries) {
  return FoundIn(kGate, [&](const std::string& name) -> std::optional<std::string> {
    const auto entry = entries.find(name);
    if (entry == entries.end()) return std::nullopt;
    return entry->second;
  });
}

TEST(Weights, AddUpToTheBucketsForEveryCluster) {
  const Entries entries = EntriesOf(kGate, {1000, 7});
  EXPECT_EQ(entries.at("headgate.my-shop.web"), "1000");
  EXPECT_EQ(entries.at("headgate.my-shop.api"), "1000");
  EXPECT_EQ(entries.at("headgate.my-shop.headgate_my_shop_wait"), "1047576");
  EXPECT_EQ(entries.at("headgate.my-shop.new.web"), "0");
  EXPECT_EQ(entries.at("headgate.my-shop.new.headgate_my_shop_wait"), "1048576");
  EXPECT_EQ(entries.at("headgate.my-shop.retry_after"), "7");
  EXPECT_EQ(EntriesOf(kGate, {kBuckets, 7}).at("headgate.my-shop.new.web"), "1048576");
}

TEST(Weights, AreFoundAgain) {
  for (const std::uint32_t width : {0U, 1U, 1000U, kBuckets - 1, kBuckets}) {
    const Found found = Find(EntriesOf(kGate, {width, 7}));
    EXPECT_TRUE(found.fits);
    EXPECT_EQ(found.share, (agent::ShareFile{width, 7}));
  }
}

TEST(Weights, ThatAreMissingAdmitNobodyAsTheSnippetSays) {
  EXPECT_TRUE(Find({}).fits);
  EXPECT_EQ(Find({}).share.width, 0U);
}

TEST(Weights, ThatDoNotFitEachOtherAreFound) {
  for (const char* name :
       {"headgate.my-shop.web", "headgate.my-shop.api", "headgate.my-shop.headgate_my_shop_wait",
        "headgate.my-shop.new.web", "headgate.my-shop.new.headgate_my_shop_wait"}) {
    for (const char* value : {"7", "-1", "1e3", "", "99999999999"}) {
      Entries entries = EntriesOf(kGate, {1000, 7});
      entries[name] = value;
      // Without a number Envoy takes what its routes say, which may be right.
      const bool is_default =
          std::string(value) != "7" && std::string(name).find(".new.") != std::string::npos;
      EXPECT_EQ(Find(entries).fits, is_default) << name << " " << value;
    }
  }
}

TEST(Weights, AFileIsReadOnlyAsItWasWritten) {
  const agent::ShareForm form = FormOf(kGate);
  const std::string text = form.text({1000, 7});
  EXPECT_EQ(*form.parse(text), (agent::ShareFile{1000, 7}));
  for (const std::string& damaged : {std::string(), text.substr(0, text.size() / 2),
                                     text.substr(0, text.size() - 1), text + "x", "x" + text}) {
    EXPECT_FALSE(form.parse(damaged).ok()) << damaged;
  }
  // As a lowering leaves it on a full disk, where the text before was longer.
  EXPECT_EQ(*form.parse(text + "\n\n\n"), (agent::ShareFile{1000, 7}));
  EXPECT_FALSE(FormOf({"my-shop", {"web"}}).parse(text).ok());
}

}  // namespace
}  // namespace headgate::envoy
