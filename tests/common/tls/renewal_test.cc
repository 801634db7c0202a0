#include "common/tls/renewal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/tls/pki.h"

namespace headgate::tls {
namespace {

using testing::HasSubstr;

class RenewalTest : public testing::Test {
 protected:
  static Material MustLoad(const Files& files) {
    auto material = Load(files, TrueNow());
    EXPECT_TRUE(material.ok()) << material.status();
    return *std::move(material);
  }
  const Pki pki_;
};

TEST_F(RenewalTest, SaysNothingWhileTheFilesHoldWhatIsInUse) {
  const Files files = pki_.Issue(Role::kController, "one");
  Renewal renewal(files, MustLoad(files));
  const auto looked = renewal.Look(TrueNow());
  ASSERT_TRUE(looked.ok()) << looked.status();
  EXPECT_FALSE(looked->has_value());
}

TEST_F(RenewalTest, GivesANewPairOnce) {
  const Files files = pki_.Issue(Role::kController, "one");
  const Material before = MustLoad(files);
  Renewal renewal(files, before);
  pki_.Issue(Role::kController, "one");
  const auto looked = renewal.Look(TrueNow());
  ASSERT_TRUE(looked.ok() && looked->has_value()) << looked.status();
  EXPECT_NE((*looked)->certificate_pem, before.certificate_pem);
  EXPECT_EQ(renewal.in_use().certificate_pem, (*looked)->certificate_pem);
  EXPECT_FALSE(renewal.Look(TrueNow())->has_value());
}

TEST_F(RenewalTest, AHalfWrittenPairIsToldOnceAndWhatIsInUseGoesOn) {
  const Files files = pki_.Issue(Role::kController, "one");
  const std::string key = ReadText(files.key);
  const Material before = MustLoad(files);
  Renewal renewal(files, before);
  pki_.Issue(Role::kController, "one");
  const std::string new_key = ReadText(files.key);

  WriteText(files.key, key);
  EXPECT_EQ(renewal.Look(TrueNow()).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(renewal.Look(TrueNow()).ok());
  EXPECT_EQ(renewal.in_use().certificate_pem, before.certificate_pem);

  WriteText(files.key, new_key);
  EXPECT_TRUE(renewal.Look(TrueNow())->has_value());
}

TEST_F(RenewalTest, AnotherIdentityIsRefused) {
  const Files files = pki_.Issue(Role::kController, "one");
  Renewal renewal(files, MustLoad(files));
  const Files other = pki_.Issue(Role::kViewer, "eve");
  WriteText(files.certificate, ReadText(other.certificate));
  WriteText(files.key, ReadText(other.key));
  const auto looked = renewal.Look(TrueNow());
  ASSERT_FALSE(looked.ok());
  EXPECT_THAT(std::string(looked.status().message()), HasSubstr("names viewer eve"));
}

TEST_F(RenewalTest, TellsOnceOfACertificateThatIsNotValidYet) {
  const Files files = pki_.Issue(Role::kController, "one");
  Renewal renewal(files, MustLoad(files));
  const TimePoint earlier = TrueNow() - 2 * kDay;
  EXPECT_FALSE(renewal.Look(earlier).ok());
  EXPECT_TRUE(renewal.Look(earlier + Duration(5'000)).ok());
}

TEST_F(RenewalTest, TellsOnceThatWhatIsInUseHasExpired) {
  const Files files = pki_.Issue(Role::kController, "one");
  Renewal renewal(files, MustLoad(files));
  const TimePoint later = TrueNow() + kLeafLifetimeDefault + kDay;
  const auto looked = renewal.Look(later);
  ASSERT_FALSE(looked.ok());
  EXPECT_THAT(std::string(looked.status().message()), HasSubstr("expired"));
  EXPECT_TRUE(renewal.Look(later).ok());
}

}  // namespace
}  // namespace headgate::tls
