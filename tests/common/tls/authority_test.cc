#include "common/tls/authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/common/tls/pki.h"

namespace headgate::tls {
namespace {

using testing::HasSubstr;

unsigned ModeOf(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 0777U;
}

TEST(Authority, KeepsKeysToTheirOwner) {
  const Folder folder;
  const std::string directory = folder / "new/ca";
  const auto made = CreateAuthority({.directory = directory, .trust_domain = "a.org"}, TrueNow());
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(ModeOf(directory), 0700U);
  EXPECT_EQ(ModeOf(directory + "/ca.key"), 0600U);
  EXPECT_EQ(ModeOf(directory + "/ca.crt"), 0644U);
  const auto issued = IssueCertificate({.authority_directory = directory,
                                        .directory = folder / "edge",
                                        .role = Role::kAgent,
                                        .name = "edge-1"},
                                       TrueNow());
  ASSERT_TRUE(issued.ok()) << issued.status();
  EXPECT_EQ(issued->certificate_path, folder / "edge/agent-edge-1.crt");
  EXPECT_EQ(issued->spiffe_uri, "spiffe://a.org/headgate/agent/edge-1");
  EXPECT_EQ(ModeOf(issued->key_path), 0600U);
  EXPECT_EQ(ModeOf(folder / "edge"), 0700U);
  int files = 0;
  for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(folder / "edge")) {
    ++files;
  }
  EXPECT_EQ(files, 2) << "something was left beside";
}

TEST(Authority, OverwritesNothingUnlessTold) {
  const Pki pki;
  const std::string ca_before = ReadText(pki.ca());
  const AuthorityRequest again{.directory = pki.folder().path(), .trust_domain = "example.org"};
  const auto refused = CreateAuthority(again, TrueNow());
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("ca.crt"));
  EXPECT_EQ(ReadText(pki.ca()), ca_before);

  IssueRequest request{.authority_directory = pki.folder().path(),
                       .directory = pki.folder().path(),
                       .role = Role::kAgent,
                       .name = "edge-1"};
  const auto first = IssueCertificate(request, TrueNow());
  ASSERT_TRUE(first.ok());
  const std::string key_before = ReadText(first->key_path);
  EXPECT_EQ(IssueCertificate(request, TrueNow()).status().code(), absl::StatusCode::kAlreadyExists);
  // Even if only one of the pair is left.
  std::filesystem::remove(first->certificate_path);
  EXPECT_EQ(IssueCertificate(request, TrueNow()).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ReadText(first->key_path), key_before);

  request.overwrite = true;
  const auto replaced = IssueCertificate(request, TrueNow());
  ASSERT_TRUE(replaced.ok()) << replaced.status();
  EXPECT_NE(ReadText(first->key_path), key_before);
  EXPECT_TRUE(Load({pki.ca(), replaced->certificate_path, replaced->key_path}, TrueNow()).ok());
}

TEST(Authority, ALeafNeverOutlivesItsAuthority) {
  const Pki pki;
  const TimePoint late = TrueNow() + 350 * kDay;
  const auto issued = IssueCertificate({.authority_directory = pki.folder().path(),
                                        .directory = pki.folder().path(),
                                        .role = Role::kAgent,
                                        .name = "edge-1"},
                                       late);
  ASSERT_TRUE(issued.ok()) << issued.status();
  EXPECT_LT(issued->not_after, late + 16 * kDay);
  EXPECT_TRUE(
      Load({pki.ca(), issued->certificate_path, issued->key_path}, issued->not_after - kDay).ok());
}

TEST(Authority, RefusesToIssueWhenItHasExpiredOrItsKeyIsNotItsOwn) {
  const Pki pki;
  IssueRequest request{.authority_directory = pki.folder().path(),
                       .directory = pki.folder().path(),
                       .role = Role::kAgent,
                       .name = "edge-1"};
  const auto expired = IssueCertificate(request, TrueNow() + 366 * kDay);
  EXPECT_EQ(expired.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(expired.status().message()), HasSubstr("certs init"));

  const Pki other;
  std::filesystem::copy_file(other.folder() / "ca.key", pki.folder() / "ca.key",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(IssueCertificate(request, TrueNow()).status().code(),
            absl::StatusCode::kFailedPrecondition);
  request.authority_directory = pki.folder() / "none";
  EXPECT_EQ(IssueCertificate(request, TrueNow()).status().code(), absl::StatusCode::kNotFound);
}

TEST(Authority, RefusesBadNamesAndTimes) {
  const Pki pki;
  const IssueRequest good{.authority_directory = pki.folder().path(),
                          .directory = pki.folder().path(),
                          .role = Role::kController,
                          .name = "one",
                          .dns_names = {"shop.example.org", "*.example.org"},
                          .ip_addresses = {"192.0.2.7", "2001:db8::7"}};
  const auto refused = [](const IssueRequest& request) {
    return IssueCertificate(request, TrueNow()).status().code() ==
           absl::StatusCode::kInvalidArgument;
  };
  IssueRequest bad = good;
  bad.name = "a/b";
  EXPECT_TRUE(refused(bad));
  bad = good;
  bad.dns_names = {"no name"};
  EXPECT_TRUE(refused(bad));
  bad = good;
  bad.ip_addresses = {"192.0.2.700"};
  EXPECT_TRUE(refused(bad));
  bad = good;
  bad.lifetime = kLeafLifetimeMax + Duration(1);
  EXPECT_TRUE(refused(bad));
  bad = good;
  bad.lifetime = Duration(0);
  EXPECT_TRUE(refused(bad));
  EXPECT_EQ(CreateAuthority({.directory = pki.folder() / "x", .trust_domain = "A B"}, TrueNow())
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);

  const auto issued = IssueCertificate(good, TrueNow());
  ASSERT_TRUE(issued.ok()) << issued.status();
  const auto certificate =
      std::move(ParseCertificates(ReadText(issued->certificate_path))->front());
  EXPECT_EQ(X509_check_host(certificate.get(), "shop.example.org", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_ip_asc(certificate.get(), "192.0.2.7", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(certificate.get(), "2001:db8::7", 0), 1);
}

TEST(Authority, SaysWhenItCannotWrite) {
  const Folder folder;
  WriteText(folder / "file", "");
  const auto made =
      CreateAuthority({.directory = folder / "file/ca", .trust_domain = "a.org"}, TrueNow());
  EXPECT_EQ(made.status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(made.status().message()), HasSubstr(folder / "file/ca"));
}

TEST(Authority, OpenSslsOwnToolAgrees) {
  const Pki pki;
  const Files files = pki.Issue(Role::kController, "one");
  const std::string command = "openssl verify -x509_strict -purpose sslserver -CAfile " + files.ca +
                              " " + files.certificate + " >/dev/null";
  EXPECT_EQ(system(command.c_str()), 0);
}

}  // namespace
}  // namespace headgate::tls
