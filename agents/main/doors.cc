#include "agents/main/doors.h"

#include <utility>

namespace headgate::agent {

void Doors::Tell(const char* event, const absl::Status& status, absl::Status& told) {
  if (!status.ok() && status != told) {
    log_.Error(event, {{"why", std::string(status.message())}});
  }
  told = status;
}

absl::Status Doors::OpenPages() {
  if (config_.metrics.empty() || pages_server_ != nullptr) return absl::OkStatus();
  auto server = http::StatusServer::Start({.address = config_.metrics,
                                           .tls = std::nullopt,
                                           .plaintext_asked_for = true,
                                           .plaintext_flag = "metrics: 127.0.0.1:PORT"},
                                          pages_);
  if (!server.ok()) return server.status();
  pages_server_ = *std::move(server);
  return absl::OkStatus();
}

absl::Status Doors::OpenSecurePages() {
  if (config_.metrics_tls.empty() || !certificate_.is_wanted()) return absl::OkStatus();
  const std::optional<tls::Material> newest = certificate_.in_use();
  if (!newest)
    return absl::FailedPreconditionError("no certificate works: see certificate_refused");
  if (secure_server_ != nullptr && served_ == newest) return absl::OkStatus();
  secure_server_.reset();
  auto server = http::StatusServer::Start({.address = config_.metrics_tls, .tls = *newest}, pages_);
  if (!server.ok()) return server.status();
  secure_server_ = *std::move(server);
  served_ = newest;
  return absl::OkStatus();
}

absl::Status Doors::OpenHealth() {
  if (config_.health.empty() || health_ != nullptr) return absl::OkStatus();
  auto listener = HealthListener::Start(config_.health, [this] { ++probes_ended_; });
  if (!listener.ok()) return listener.status();
  health_ = *std::move(listener);
  return absl::OkStatus();
}

void Doors::Look(bool is_live, bool is_ready) {
  Tell("no_metrics", OpenPages(), pages_told_);
  Tell("no_metrics_tls", OpenSecurePages(), secure_told_);
  Tell("no_health", OpenHealth(), health_told_);
  if (health_ != nullptr) health_->Show(is_live, is_ready);
}

}  // namespace headgate::agent
