#include "agents/main/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/tls/pki.h"

namespace headgate::agent {
namespace {

using testing::HasSubstr;

using tls::kDay;

class CertificateTest : public testing::Test {
 protected:
  std::string Pem(Certificate& certificate) {
    const auto newest = certificate.Newest();
    EXPECT_TRUE(newest.ok()) << newest.status();
    return newest.ok() ? newest->certificate_pem : "";
  }

  ManualClock clock_{tls::TrueNow()};
  Log log_{clock_, {.level = LogLevel::kError}};
  const tls::Pki pki_;
};

TEST_F(CertificateTest, ABadPairOnDiskNeverTakesTheGoodOneAway) {
  const tls::Files files = pki_.Issue(tls::Role::kAgent, "edge-1");
  Certificate certificate(files, clock_, log_);
  const std::string before = Pem(certificate);
  for (const std::string& bad : {std::string("half a ke"), std::string()}) {
    tls::WriteText(files.key, bad);
    EXPECT_EQ(Pem(certificate), before);
    EXPECT_TRUE(certificate.is_refused());
    EXPECT_TRUE(certificate.end().has_value());
  }
}

TEST_F(CertificateTest, AGoodPairAfterABadOneIsTaken) {
  const tls::Files files = pki_.Issue(tls::Role::kAgent, "edge-1");
  Certificate certificate(files, clock_, log_);
  const std::string before = Pem(certificate);
  tls::WriteText(files.certificate, "no certificate");
  EXPECT_EQ(Pem(certificate), before);
  pki_.Issue(tls::Role::kAgent, "edge-1");
  EXPECT_NE(Pem(certificate), before);
  EXPECT_FALSE(certificate.is_refused());
}

TEST_F(CertificateTest, AnotherAgentsPairIsRefused) {
  const tls::Files files = pki_.Issue(tls::Role::kAgent, "edge-1");
  Certificate certificate(files, clock_, log_);
  const std::string before = Pem(certificate);
  const tls::Files other = pki_.Issue(tls::Role::kAgent, "edge-2");
  tls::WriteText(files.certificate, tls::ReadText(other.certificate));
  tls::WriteText(files.key, tls::ReadText(other.key));
  EXPECT_EQ(Pem(certificate), before);
  EXPECT_TRUE(certificate.is_refused());
}

TEST_F(CertificateTest, WhatHasEndedIsNotUsed) {
  const tls::Files files = pki_.Issue(tls::Role::kAgent, "edge-1");
  Certificate certificate(files, clock_, log_);
  Pem(certificate);
  clock_.Advance(31 * kDay);
  EXPECT_THAT(std::string(certificate.Newest().status().message()), HasSubstr("expired"));
  EXPECT_EQ(certificate.end(), std::nullopt);
}

TEST_F(CertificateTest, OneThatWasMissingAtTheStartIsTakenWhenItComes) {
  const tls::Files files = pki_.Issue(tls::Role::kAgent, "edge-1");
  const std::string key = tls::ReadText(files.key);
  tls::WriteText(files.key, "missing");
  Certificate certificate(files, clock_, log_);
  EXPECT_FALSE(certificate.Newest().ok());
  EXPECT_TRUE(certificate.is_refused());
  tls::WriteText(files.key, key);
  EXPECT_NE(Pem(certificate), "");
  EXPECT_FALSE(certificate.is_refused());
}

TEST_F(CertificateTest, IsLookedAtBeforeItIsNeeded) {
  const tls::Files files = pki_.Issue(tls::Role::kAgent, "edge-1");
  Certificate certificate(files, clock_, log_);
  certificate.Look();
  tls::WriteText(files.key, "bad");
  certificate.Look();
  EXPECT_FALSE(certificate.is_refused());
  clock_.Advance(Certificate::kLookEvery);
  certificate.Look();
  EXPECT_TRUE(certificate.is_refused());
}

TEST_F(CertificateTest, AnAgentWithoutCertificatesLooksAtNone) {
  Certificate certificate(std::nullopt, clock_, log_);
  certificate.Look();
  EXPECT_FALSE(certificate.is_wanted());
  EXPECT_FALSE(certificate.is_refused());
}

}  // namespace
}  // namespace headgate::agent
