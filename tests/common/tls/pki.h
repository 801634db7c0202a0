// A folder with a private authority, for tests; removed at the end.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "common/tls/authority.h"
#include "common/tls/certificate.h"
#include "common/tls/files.h"

namespace headgate::tls {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "headgate-tls-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

// gRPC and OpenSSL compare with the true time, so these certificates are issued at it.
inline TimePoint TrueNow() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

inline std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void WriteText(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::trunc) << text;
}

class Pki {
 public:
  explicit Pki(const std::string& trust_domain = "example.org", TimePoint now = TrueNow()) {
    const auto made =
        CreateAuthority({.directory = folder_.path(), .trust_domain = trust_domain}, now);
    EXPECT_TRUE(made.ok()) << made.status();
  }

  Files Issue(Role role, const std::string& name, TimePoint now = TrueNow()) const {
    const auto issued = IssueCertificate({.authority_directory = folder_.path(),
                                          .directory = folder_ / "issued",
                                          .role = role,
                                          .name = name,
                                          .overwrite = true},
                                         now);
    EXPECT_TRUE(issued.ok()) << issued.status();
    if (!issued.ok()) return {};
    return {ca(), issued->certificate_path, issued->key_path};
  }

  // A certificate that Headgate itself never issues: with any URI names and any dates.
  Files IssueOdd(std::vector<std::string> uris, TimePoint not_before, TimePoint not_after) const {
    return IssueAs({.common_name = "odd",
                    .uris = std::move(uris),
                    .may_serve = true,
                    .not_before = not_before,
                    .not_after = not_after},
                   **MakeKey());
  }

  // With any key too.
  Files IssueAs(const CertificateSpec& spec, EVP_PKEY& key) const {
    auto authority = std::move(ParseCertificates(ReadText(ca()))->front());
    const auto authority_key = *ParseKey(ReadText(folder_ / "ca.key"));
    const Issuer issuer{*authority, *authority_key};
    const auto certificate = *MakeCertificate(spec, key, &issuer);
    WriteText(folder_ / "odd.crt", ToPem(*certificate));
    WriteText(folder_ / "odd.key", ToPem(key));
    return {ca(), folder_ / "odd.crt", folder_ / "odd.key"};
  }

  std::string ca() const { return folder_ / "ca.crt"; }
  const Folder& folder() const { return folder_; }

 private:
  Folder folder_;
};

// As it stands in the files, without the checks of Load: what a peer might present.
inline Material Unproven(const Files& files) {
  return {.ca_pem = ReadText(files.ca),
          .certificate_pem = ReadText(files.certificate),
          .key_pem = ReadText(files.key),
          .identity = {.trust_domain = "example.org"},
          .not_after = {}};
}

}  // namespace headgate::tls
