#include "common/tls/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sys/stat.h>

#include "tests/common/tls/pki.h"

namespace headgate::tls {
namespace {

using testing::HasSubstr;

void ExpectRefusal(const Files& files, absl::StatusCode code, const std::string& text,
                   TimePoint now = TrueNow()) {
  const auto material = Load(files, now);
  ASSERT_FALSE(material.ok()) << "expected: " << text;
  EXPECT_EQ(material.status().code(), code) << material.status();
  EXPECT_THAT(std::string(material.status().message()), HasSubstr(text));
}

TEST(TlsFiles, GiveTheIdentityAndTheEndOfTheirCertificate) {
  const Pki pki;
  const auto material = Load(pki.Issue(Role::kAgent, "edge-1"), TrueNow());
  ASSERT_TRUE(material.ok()) << material.status();
  EXPECT_EQ(material->identity, (Identity{Role::kAgent, "edge-1", "example.org"}));
  EXPECT_GT(material->not_after, TrueNow() + 29 * kDay);
  EXPECT_LE(material->not_after, TrueNow() + 30 * kDay);
  EXPECT_THAT(material->key_pem, HasSubstr("PRIVATE KEY"));
}

TEST(TlsFiles, ThatAreMissingOrNoPemAreRefusedByName) {
  const Pki pki;
  const Files good = pki.Issue(Role::kAgent, "edge-1");
  const std::string missing = pki.folder() / "missing.crt";
  ExpectRefusal({missing, good.certificate, good.key}, absl::StatusCode::kNotFound, missing);
  ExpectRefusal({good.ca, pki.folder().path(), good.key}, absl::StatusCode::kPermissionDenied,
                "not a regular file");

  const std::string garbage = pki.folder() / "garbage";
  WriteText(garbage, "no PEM at all");
  ExpectRefusal({garbage, good.certificate, good.key}, absl::StatusCode::kInvalidArgument, garbage);
  ExpectRefusal({good.ca, garbage, good.key}, absl::StatusCode::kInvalidArgument, garbage);
  ExpectRefusal({good.ca, good.certificate, garbage}, absl::StatusCode::kInvalidArgument, garbage);
  WriteText(garbage, "");
  ExpectRefusal({good.ca, garbage, good.key}, absl::StatusCode::kInvalidArgument, garbage);
  const std::string half = ReadText(good.certificate);
  WriteText(garbage, half.substr(0, half.size() / 2));
  ExpectRefusal({good.ca, garbage, good.key}, absl::StatusCode::kInvalidArgument, "broken");
  WriteText(garbage, std::string(kPemBytesMax + 1, 'x'));
  ExpectRefusal({good.ca, garbage, good.key}, absl::StatusCode::kInvalidArgument, "at most");
}

TEST(TlsFiles, AKeyOfAnotherCertificateIsRefused) {
  const Pki pki;
  const Files one = pki.Issue(Role::kAgent, "edge-1");
  const Files other = pki.Issue(Role::kAgent, "edge-2");
  ExpectRefusal({one.ca, one.certificate, other.key}, absl::StatusCode::kFailedPrecondition,
                other.key + ": not the key of " + one.certificate);
}

TEST(TlsFiles, ACertificateThatExpiredOrIsNotYetValidIsRefused) {
  const Pki pki;
  const Files files = pki.Issue(Role::kAgent, "edge-1");
  ExpectRefusal(files, absl::StatusCode::kFailedPrecondition, "expired at", TrueNow() + 31 * kDay);
  ExpectRefusal(files, absl::StatusCode::kFailedPrecondition, "check the clock",
                TrueNow() - 1 * kDay);
}

TEST(TlsFiles, AnExpiredAuthorityIsRefused) {
  const Pki pki;
  const Files files = pki.IssueOdd({"spiffe://example.org/headgate/agent/edge-1"}, TrueNow(),
                                   TrueNow() + 1'000 * kDay);
  ExpectRefusal(files, absl::StatusCode::kFailedPrecondition, "not signed by the authority",
                TrueNow() + 400 * kDay);
}

TEST(TlsFiles, ACertificateOfAnotherAuthorityIsRefused) {
  const Pki ours;
  const Pki theirs;
  Files files = ours.Issue(Role::kAgent, "edge-1");
  files.ca = theirs.ca();
  ExpectRefusal(files, absl::StatusCode::kFailedPrecondition, "not signed by the authority in");
}

TEST(TlsFiles, ACaFileMayHoldSeveralAuthorities) {
  const Pki ours;
  const Pki theirs;
  Files files = ours.Issue(Role::kAgent, "edge-1");
  WriteText(ours.folder() / "both", ReadText(theirs.ca()) + ReadText(ours.ca()));
  files.ca = ours.folder() / "both";
  EXPECT_TRUE(Load(files, TrueNow()).ok());
}

TEST(TlsFiles, ACertificateWithTwoNamesOrNoneIsRefused) {
  const Pki pki;
  const TimePoint now = TrueNow();
  const std::string agent = "spiffe://example.org/headgate/agent/edge-1";
  const std::string approver = "spiffe://example.org/headgate/approver/ada";
  ExpectRefusal(pki.IssueOdd({agent, approver}, now, now + kDay),
                absl::StatusCode::kInvalidArgument, "2 URI names");
  ExpectRefusal(pki.IssueOdd({}, now, now + kDay), absl::StatusCode::kInvalidArgument,
                "0 URI names");
  ExpectRefusal(pki.IssueOdd({"https://example.org"}, now, now + kDay),
                absl::StatusCode::kInvalidArgument, "names nobody in Headgate");
}

TEST(TlsFiles, APipeInTheirPlaceIsRefusedAndNotWaitedFor) {
  const Pki pki;
  const Files good = pki.Issue(Role::kAgent, "edge-1");
  const std::string pipe = pki.folder() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const Files& files :
       {Files{pipe, good.certificate, good.key}, Files{good.ca, pipe, good.key},
        Files{good.ca, good.certificate, pipe}}) {
    ExpectRefusal(files, absl::StatusCode::kPermissionDenied, pipe + ": cannot be read");
  }
}

CertificateSpec OfAController() {
  return {.common_name = "odd",
          .uris = {"spiffe://example.org/headgate/controller/ctl-1"},
          .may_serve = true,
          .not_before = TrueNow() - kDay,
          .not_after = TrueNow() + kDay};
}

// OpenSSL says it only when a listener is built on it, or when a peer comes: too late.
TEST(TlsFiles, AKeyThatTlsDoesNotTakeIsRefused) {
  const Pki pki;
  const KeyPtr short_one(EVP_RSA_gen(1024));
  ASSERT_NE(short_one, nullptr);
  ExpectRefusal(pki.IssueAs(OfAController(), *short_one), absl::StatusCode::kFailedPrecondition,
                "ee key too small");
  const KeyPtr unspoken(EVP_EC_gen("secp256k1"));
  ASSERT_NE(unspoken, nullptr);
  ExpectRefusal(pki.IssueAs(OfAController(), *unspoken), absl::StatusCode::kFailedPrecondition,
                "TLS refuses it as a server's certificate");
  const KeyPtr long_one(EVP_RSA_gen(2048));
  ASSERT_NE(long_one, nullptr);
  EXPECT_TRUE(Load(pki.IssueAs(OfAController(), *long_one), TrueNow()).ok());
}

TEST(TlsFiles, AControllersCertificateThatMayNotServeIsRefused) {
  const Pki pki;
  const KeyPtr key = *MakeKey();
  CertificateSpec spec = OfAController();
  spec.may_serve = false;
  ExpectRefusal(pki.IssueAs(spec, *key), absl::StatusCode::kFailedPrecondition, "purpose");
  // Who only calls needs none that serves.
  spec.uris = {"spiffe://example.org/headgate/operator/ada"};
  EXPECT_TRUE(Load(pki.IssueAs(spec, *key), TrueNow()).ok());
}

TEST(TlsFiles, AKeyWithAPassphraseIsRefusedAndNotAskedFor) {
  const Pki pki;
  Files files = pki.Issue(Role::kAgent, "edge-1");
  const auto key = *ParseKey(ReadText(files.key));
  const BioPtr memory(BIO_new(BIO_s_mem()));
  ASSERT_EQ(PEM_write_bio_PKCS8PrivateKey(memory.get(), key.get(), EVP_aes_128_cbc(), "secret", 6,
                                          nullptr, nullptr),
            1);
  const char* text = nullptr;
  const auto size = BIO_get_mem_data(memory.get(), &text);
  WriteText(files.key, std::string(text, static_cast<std::size_t>(size)));
  ExpectRefusal(files, absl::StatusCode::kInvalidArgument, "passphrase");
}

}  // namespace
}  // namespace headgate::tls
