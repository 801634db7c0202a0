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

absl::Status Doors::OpenSecurePages(TimePoint now) {
  if (config_.metrics_tls.empty() || !config_.tls || secure_server_ != nullptr) {
    return absl::OkStatus();
  }
  if (!renewal_) {
    auto material = tls::Load(*config_.tls, now);
    if (!material.ok()) return material.status();
    renewal_.emplace(*config_.tls, *std::move(material));
  }
  auto server = http::StatusServer::Start(
      {.address = config_.metrics_tls, .tls = renewal_->in_use()}, pages_);
  if (!server.ok()) return server.status();
  secure_server_ = *std::move(server);
  return absl::OkStatus();
}

absl::Status Doors::OpenHealth() {
  if (config_.health.empty() || health_ != nullptr) return absl::OkStatus();
  auto listener = HealthListener::Start(config_.health);
  if (!listener.ok()) return listener.status();
  health_ = *std::move(listener);
  return absl::OkStatus();
}

void Doors::LookAtCertificate(TimePoint now) {
  if (!renewal_) return;
  const auto found = renewal_->Look(now);
  if (!found.ok()) {
    log_.Error("certificate_refused", {{"why", std::string(found.status().message())}});
    return;
  }
  if (found->has_value()) secure_server_.reset();
}

void Doors::Look(TimePoint now) {
  LookAtCertificate(now);
  Tell("no_metrics", OpenPages(), pages_told_);
  Tell("no_metrics_tls", OpenSecurePages(now), secure_told_);
  Tell("no_health", OpenHealth(), health_told_);
  if (health_ != nullptr) health_->Show(pages_.live().ok(), pages_.ready().ok());
}

}  // namespace headgate::agent
