#include "cli/certs_options.h"

#include <fmt/format.h>

#include "common/base/duration.h"
#include "common/tls/authority.h"

namespace headgate::cli {

void AddCertsOptions(const CertsVerbs& verbs, CertsFlags& flags, std::string& lifetime,
                     std::string& lasts) {
  const auto& [init, issue, check] = verbs;
  init.add_option("--dir", flags.directory, "where ca.crt and ca.key go")->required();
  init.add_option("--trust-domain", flags.trust_domain, "of every SPIFFE name, e.g. shop.example")
      ->required();
  issue.add_option("--ca-dir", flags.authority_directory, "where ca.crt and ca.key lie")
      ->required();
  issue.add_option("--dir", flags.directory, "where ROLE-NAME.crt and .key go")->required();
  issue.add_option("--role", flags.role, "viewer, operator, approver, agent or controller")
      ->required();
  issue.add_option("--name", flags.name, "the person's, agent's or controller's name")->required();
  issue.add_option("--dns", flags.dns_names, "a DNS name too")->allow_extra_args(false);
  issue.add_option("--ip", flags.ip_addresses, "an address too")->allow_extra_args(false);
  init.add_option("--lifetime", lifetime, "e.g. 90d, at most 365d [365d]");
  issue.add_option("--lifetime", lifetime, "e.g. 7d, at most 365d [30d]");
  for (CLI::App* verb : {&init, &issue}) {
    verb->add_flag("--overwrite", flags.overwrite, "replace files that are there");
  }
  check.add_option("--role", flags.role, "refuse a certificate of another role");
  check.add_option("--for", lasts, "refuse one that ends within this time, e.g. 14d");
}

std::string ReadLifetime(const std::string& text, CertsFlags& flags) {
  if (text.empty()) return "";
  const absl::StatusOr<Duration> lifetime = ParseDuration(text);
  if (!lifetime.ok() || *lifetime < tls::kLifetimeMin || *lifetime > tls::kAuthorityLifetime) {
    return fmt::format(
        "--lifetime '{}' is refused: write 1m to 365d, in m, h or d, such as 12h, 90d", text);
  }
  flags.lifetime = *lifetime;
  return "";
}

}  // namespace headgate::cli
