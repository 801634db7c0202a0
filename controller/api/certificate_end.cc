#include "controller/api/certificate_end.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/tls/credentials.h"

namespace headgate::api {
namespace {

constexpr Duration kLookEvery{60'000};

}  // namespace

CertificateEnd::CertificateEnd(Loop& loop, const Clock& clock,
                               const grpc::CallbackServerContext& context)
    : loop_(loop), clock_(clock), not_after_(tls::PeerCertificateEnd(*context.auth_context())) {}

void CertificateEnd::Begin(std::function<void(const absl::Status&)> end) {
  end_ = std::move(end);
  if (not_after_) Look();
}

void CertificateEnd::Look() {
  const Duration left = *not_after_ - clock_.WallNow();
  if (left > Duration(0)) {
    timer_ = loop_.After(std::min(left, kLookEvery), [this] { Look(); });
    return;
  }
  end_(absl::UnauthenticatedError(fmt::format(
      "the certificate that opened this ended at {}: issue a new one", FormatTime(*not_after_))));
}

}  // namespace headgate::api
