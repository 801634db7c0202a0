#include "common/tls/renewal.h"

#include <fmt/format.h>

#include <utility>

namespace headgate::tls {
namespace {

std::string NameOf(const Identity& identity) {
  return fmt::format("{} {} of {}", RoleName(identity.role), identity.name, identity.trust_domain);
}

}  // namespace

absl::StatusOr<std::optional<Material>> Renewal::Look(TimePoint now) {
  absl::StatusOr<Material> found = Load(files_, now);
  if (found.ok() && found->identity != in_use_.identity) {
    found = absl::FailedPreconditionError(fmt::format(
        "{}: names {}, and this program runs as {}; put the right certificate there, or start the "
        "program again to change what it is",
        files_.certificate, NameOf(found->identity), NameOf(in_use_.identity)));
  }
  if (!found.ok()) {
    std::string why(found.status().message());
    // One that is not valid yet says what time it is, anew each time.
    std::erase_if(why, [](char letter) { return letter >= '0' && letter <= '9'; });
    if (why == told_) return std::nullopt;
    told_ = std::move(why);
    return found.status();
  }
  told_.clear();
  if (*found == in_use_) return std::nullopt;
  in_use_ = *std::move(found);
  return in_use_;
}

}  // namespace headgate::tls
