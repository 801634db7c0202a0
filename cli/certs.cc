// `headgate certs`.
#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "cli/json.h"
#include "cli/session.h"
#include "cli/text.h"
#include "common/base/rounded.h"
#include "common/tls/authority.h"
#include "common/tls/files.h"
#include "common/tls/identity.h"

namespace headgate::cli {
namespace {

ExitCode FailCerts(const absl::Status& status, Session& session) {
  session.terminal.err << "headgate: " << std::string(status.message()) << '\n';
  if (absl::IsInvalidArgument(status)) return ExitCode::kUsage;
  if (absl::IsAlreadyExists(status) || absl::IsFailedPrecondition(status)) {
    return ExitCode::kRefused;
  }
  if (absl::IsNotFound(status)) return ExitCode::kNotFound;
  if (absl::IsPermissionDenied(status)) return ExitCode::kNotAllowed;
  return ExitCode::kInternal;
}

absl::StatusOr<tls::Issued> Issue(const CertsFlags& flags, TimePoint now) {
  const absl::StatusOr<tls::Role> role = tls::ParseRole(flags.role);
  if (!role.ok()) return role.status();
  return tls::IssueCertificate(
      tls::IssueRequest{.authority_directory = flags.authority_directory,
                        .directory = flags.directory,
                        .role = *role,
                        .name = flags.name,
                        .dns_names = flags.dns_names,
                        .ip_addresses = flags.ip_addresses,
                        .lifetime = flags.lifetime.value_or(tls::kLeafLifetimeDefault),
                        .overwrite = flags.overwrite},
      now);
}

// A warning and no more: what a container mounts may be alone with it.
void WarnOfOpenKey(const std::string& path, std::ostream& err) {
  std::error_code error;
  const auto permissions = std::filesystem::status(path, error).permissions();
  if (error ||
      (permissions & std::filesystem::perms::others_read) == std::filesystem::perms::none) {
    return;
  }
  err << fmt::format("headgate: warning: everybody on this machine can read {}: chmod o= {}\n",
                     path, path);
}

// What to do with it: a file that does not work, or that ends too soon.
ExitCode CheckCerts(const Command& command, Session& session) {
  const Connection& connection = command.connection;
  const TimePoint now = session.clock.WallNow();
  if (connection.ca.empty() || connection.certificate.empty() || connection.key.empty()) {
    return Refuse(ExitCode::kUsage,
                  "--ca, --cert and --key are needed together (or HEADGATE_CA, HEADGATE_CERT, "
                  "HEADGATE_KEY)",
                  command, session);
  }
  const absl::StatusOr<tls::Material> material =
      tls::Load({connection.ca, connection.certificate, connection.key}, now);
  if (!material.ok()) {
    return Refuse(absl::IsNotFound(material.status()) ? ExitCode::kNotFound : ExitCode::kRefused,
                  std::string(material.status().message()), command, session);
  }
  const std::string role(tls::RoleName(material->identity.role));
  if (!command.certs.role.empty() && command.certs.role != role) {
    return Refuse(ExitCode::kRefused,
                  fmt::format("{} names the role {}, not {}: issue one with `headgate certs issue "
                              "--role {}`",
                              connection.certificate, role, command.certs.role, command.certs.role),
                  command, session);
  }
  if (command.open_for && material->not_after < now + *command.open_for) {
    return Refuse(ExitCode::kRefused,
                  fmt::format("{} ends at {}, within {}: renew it (docs/CERTIFICATES.md)",
                              connection.certificate, FormatTime(material->not_after),
                              FormatRounded(*command.open_for)),
                  command, session);
  }
  WarnOfOpenKey(connection.key, session.terminal.err);
  std::ostream& out = session.terminal.out;
  if (command.output == Output::kJson) {
    out << ToJson({{"role", role},
                   {"name", material->identity.name},
                   {"trust_domain", material->identity.trust_domain},
                   {"not_after", FormatTime(material->not_after)}});
    return ExitCode::kDone;
  }
  out << fmt::format("they work together: {} {} of {}\nvalid until {}\n", role,
                     material->identity.name, material->identity.trust_domain,
                     FormatTime(material->not_after));
  return ExitCode::kDone;
}

}  // namespace

ExitCode RunCerts(const Command& command, Session& session) {
  if (command.verb == Verb::kCertsCheck) return CheckCerts(command, session);
  const CertsFlags& flags = command.certs;
  const TimePoint now = session.clock.Now();
  const bool is_authority = command.verb == Verb::kCertsInit;
  const absl::StatusOr<tls::Issued> issued =
      is_authority
          ? tls::CreateAuthority(
                tls::AuthorityRequest{.directory = flags.directory,
                                      .trust_domain = flags.trust_domain,
                                      .lifetime = flags.lifetime.value_or(tls::kAuthorityLifetime),
                                      .overwrite = flags.overwrite},
                now)
          : Issue(flags, now);
  if (!issued.ok()) return FailCerts(issued.status(), session);
  std::ostream& out = session.terminal.out;
  if (command.output == Output::kJson) {
    out << ToJson({{"certificate", issued->certificate_path},
                   {"key", issued->key_path},
                   {"spiffe_uri", issued->spiffe_uri},
                   {"not_after", FormatTime(issued->not_after)}});
    return ExitCode::kDone;
  }
  out << fmt::format("certificate {}\nkey         {}\n", issued->certificate_path,
                     issued->key_path);
  if (!issued->spiffe_uri.empty()) out << "name        " << issued->spiffe_uri << '\n';
  out << "valid until " << FormatTime(issued->not_after) << '\n';
  if (is_authority) {
    out << "Whoever has the key can be anybody: keep it off the load balancers and controllers.\n";
  }
  return ExitCode::kDone;
}

}  // namespace headgate::cli
