#include "controller/main/doors.h"

#include <string>
#include <utility>

#include "controller/main/answering.h"

namespace headgate {
namespace {

constexpr Duration kAnswerMax{2'000};

std::string HostOf(const std::string& listen) {
  std::string host = listen.substr(0, listen.rfind(':'));
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return host;
}

// A free port that was taken is ours for as long as we run.
void KeepPort(std::string& listen, int port) {
  if (listen.ends_with(":0")) listen.replace(listen.size() - 1, 1, std::to_string(port));
}

}  // namespace

Doors::Doors(Options& options, Dependencies dependencies)
    : options_(options), dependencies_(std::move(dependencies)) {}

Doors::~Doors() { Close(); }

absl::Status Doors::Open(const std::optional<tls::Material>& material) {
  material_ = material;
  network_door_.is_wanted = options_.plaintext || material_.has_value();
  socket_door_.is_wanted = !options_.socket.empty();
  // Without a certificate nobody could be let in.
  status_door_.is_wanted =
      !options_.metrics_listen.empty() &&
      (options_.plaintext || options_.metrics_plaintext || material_.has_value());
  health_door_.is_wanted = !options_.health_listen.empty();
  Try(network_door_, &Doors::OpenNetwork);
  Try(socket_door_, &Doors::OpenSocket);
  Try(status_door_, &Doors::OpenStatus);
  Try(health_door_, &Doors::OpenHealth);
  if (network_door_.is_open || socket_door_.is_open) return absl::OkStatus();
  return network_door_.is_wanted ? network_door_.trouble : socket_door_.trouble;
}

absl::Status Doors::Trouble() const {
  for (const Door* door : {&network_door_, &socket_door_, &status_door_, &health_door_}) {
    if (!door->trouble.ok()) return door->trouble;
  }
  return absl::OkStatus();
}

int Doors::network_port() const { return network_ == nullptr ? 0 : network_->port(); }
int Doors::metrics_port() const { return status_ == nullptr ? 0 : status_->port(); }
int Doors::health_port() const { return health_ == nullptr ? 0 : health_->port(); }

absl::Status Doors::OpenNetwork() {
  auto listener = api::Listener::OnNetwork(options_.listen, material_, dependencies_.loop,
                                           dependencies_.conductor, dependencies_.databases);
  if (!listener.ok()) return listener.status();
  network_ = *std::move(listener);
  KeepPort(options_.listen, network_->port());
  return absl::OkStatus();
}

absl::Status Doors::OpenSocket() {
  auto listener = api::Listener::OnSocket(options_.socket, dependencies_.loop,
                                          dependencies_.conductor, dependencies_.databases);
  if (!listener.ok()) return listener.status();
  socket_ = *std::move(listener);
  return absl::OkStatus();
}

absl::Status Doors::OpenStatus() {
  http::StatusServerOptions options{
      .address = options_.metrics_listen,
      .plaintext_asked_for = options_.metrics_plaintext || options_.plaintext,
      .plaintext_flag = "--metrics-plaintext"};
  if (!options.plaintext_asked_for) options.tls = material_;
  auto server = http::StatusServer::Start(options, dependencies_.pages);
  if (!server.ok()) return server.status();
  status_ = *std::move(server);
  KeepPort(options_.metrics_listen, status_->port());
  return absl::OkStatus();
}

absl::Status Doors::OpenHealth() {
  auto listener = HealthListener::Start(
      options_.health_listen, [&metrics = dependencies_.metrics] { metrics.CountProbeEnded(); });
  if (!listener.ok()) return listener.status();
  health_ = *std::move(listener);
  health_->Show(true, is_ready_);
  KeepPort(options_.health_listen, health_->port());
  return absl::OkStatus();
}

void Doors::ShowReady(bool is_ready) {
  is_ready_ = is_ready;
  if (health_ != nullptr) health_->Show(true, is_ready);
}

void Doors::Try(Door& door, absl::Status (Doors::*open)()) {
  if (!door.is_wanted || door.is_open) return;
  const absl::Status opened = (this->*open)();
  // Once for each new reason.
  if (!opened.ok() && opened != door.trouble) {
    dependencies_.log.Error("cannot_listen", {{"listener", std::string(door.name)},
                                              {"why", std::string(opened.message())}});
  }
  door.trouble = opened;
  door.is_open = opened.ok();
  door.unanswered = 0;
}

void Doors::CloseOne(Door& door) {
  door.is_open = false;
  if (&door == &status_door_) {
    status_.reset();
    return;
  }
  std::unique_ptr<api::Listener>& listener = &door == &network_door_ ? network_ : socket_;
  if (listener == nullptr) return;
  // It waits for its calls, and a call may wait for agents.
  dependencies_.loop.Post([this] { dependencies_.conductor.EndCalls(); });
  listener.reset();
  dependencies_.loop.Post([this] { dependencies_.conductor.TakeCallsAgain(); });
}

void Doors::Reopen(Door& door, absl::Status (Doors::*open)(), const std::string& why) {
  dependencies_.log.Warning("listener_reopened",
                            {{"listener", std::string(door.name)}, {"why", why}});
  dependencies_.metrics.CountReopening();
  CloseOne(door);
  Try(door, open);
}

void Doors::Count(Door& door, bool is_silent) {
  door.unanswered = door.is_open && is_silent ? door.unanswered + 1 : 0;
}

void Doors::Look() {
  Try(network_door_, &Doors::OpenNetwork);
  Try(socket_door_, &Doors::OpenSocket);
  Try(status_door_, &Doors::OpenStatus);
  Try(health_door_, &Doors::OpenHealth);
  const std::string why = "it took no connections any more";
  if (network_door_.is_open) {
    Count(network_door_,
          AsksPort(HostOf(options_.listen), network_->port(), kAnswerMax) == Answering::kNo);
    if (network_door_.unanswered >= kUnansweredMax) {
      Reopen(network_door_, &Doors::OpenNetwork, why);
    }
  }
  if (socket_door_.is_open) {
    Count(socket_door_, AsksSocket(options_.socket, kAnswerMax) == Answering::kNo);
    if (socket_door_.unanswered >= kUnansweredMax) Reopen(socket_door_, &Doors::OpenSocket, why);
  }
}

void Doors::Renew(const tls::Material& material) {
  material_ = material;
  const std::string why = "the certificate was renewed";
  if (network_door_.is_wanted) Reopen(network_door_, &Doors::OpenNetwork, why);
  const bool has_certificate = !options_.metrics_plaintext && !options_.plaintext;
  if (status_door_.is_wanted && has_certificate) {
    Reopen(status_door_, &Doors::OpenStatus, why);
  }
}

void Doors::Close() {
  dependencies_.loop.Post([this] { dependencies_.conductor.EndCalls(); });
  network_.reset();
  socket_.reset();
  status_.reset();
  health_.reset();
}

}  // namespace headgate
