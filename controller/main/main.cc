// headgated: builds every room, runs until SIGTERM or SIGINT, and takes them down in order. The
// agents keep what they enforce: stopping the controller changes nothing for users.
#include <fmt/format.h>
#include <pthread.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "common/base/clock.h"
#include "common/base/quiet_grpc.h"
#include "common/http/status_server.h"
#include "common/log/log.h"
#include "common/loop/loop.h"
#include "common/metrics/exposition.h"
#include "common/tls/address.h"
#include "common/tls/files.h"
#include "controller/api/server.h"
#include "controller/conductor/conductor.h"
#include "controller/journal/sqlite_journal.h"
#include "controller/main/options.h"
#include "controller/plan/plan.h"
#include "controller/signals/signals.h"

namespace headgate {
namespace {

constexpr int kFailed = 1;

// What /readyz says; written by the loop's thread, read by the listener's.
class Readiness {
 public:
  void Set(absl::Status status) {
    const std::lock_guard lock(mutex_);
    status_ = std::move(status);
  }
  absl::Status Get() const {
    const std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  mutable std::mutex mutex_;
  absl::Status status_ = absl::UnavailableError("starting");
};

// Every thread inherits this mask, so that only WaitForSignal sees them.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

// gRPC stops listening for good once descriptors run out: take all that may be had.
void TakeDescriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int WaitForSignal(const sigset_t& signals) {
  int signal = 0;
  while (sigwait(&signals, &signal) != 0) {
  }
  return signal;
}

class Program {
 public:
  explicit Program(Options options)
      : options_(std::move(options)),
        log_(clock_, {.format = Log::FormatForStderr()}),
        loop_(clock_),
        metrics_(*registry_) {}

  int Run(const sigset_t& signals) {
    const absl::Status status = Start();
    if (!status.ok()) {
      log_.Error("cannot_start", {{"why", std::string(status.message())}});
      log_.Flush(Duration(500));
      std::fprintf(stderr, "headgated: %s\n", std::string(status.message()).c_str());
      return kFailed;
    }
    std::thread loop([this] { loop_.Run(); });
    const absl::Status served = Serve();
    if (served.ok()) {
      const int signal = WaitForSignal(signals);
      log_.Info("stopping", {{"signal", signal}});
    } else {
      log_.Error("cannot_start", {{"why", std::string(served.message())}});
      std::fprintf(stderr, "headgated: %s\n", std::string(served.message()).c_str());
    }
    Stop();
    loop_.Stop();
    loop.join();
    // The loop asked them for readings until now.
    signals_.reset();
    // The journal writes what it was given before the loop, which hears of it, is gone.
    journal_.reset();
    return served.ok() ? 0 : kFailed;
  }

 private:
  absl::Status Start() {
    if (!options_.plaintext) {
      absl::StatusOr<tls::Material> material =
          tls::Load({options_.ca, options_.cert, options_.key}, clock_.Now());
      if (!material.ok()) return material.status();
      if (material->identity.role != tls::Role::kController) {
        return absl::FailedPreconditionError(fmt::format(
            "{} names the role {}, not that of a controller: issue one with `headgate certs issue "
            "--role controller`",
            options_.cert, tls::RoleName(material->identity.role)));
      }
      material_ = *std::move(material);
    }
    const absl::Status allowed =
        options_.plaintext
            ? tls::CheckPlaintextAllowed(options_.listen, options_.plaintext, "--plaintext")
            : absl::OkStatus();
    if (!allowed.ok()) return allowed;
    OpenJournal();
    BuildRooms();
    recovered_ = conductor_->Recover();
    if (!recovered_.ok()) log_.Error("lower_only", {{"why", std::string(recovered_.message())}});
    return absl::OkStatus();
  }

  // Without one the program starts all the same: an operator must be able to close the gate.
  void OpenJournal() {
    auto journal = journal::SqliteJournal::Open(options_.journal);
    if (journal.ok()) {
      journal_ = *std::move(journal);
    } else {
      journal_trouble_ = std::string(journal.status().message());
      log_.Error("journal_unusable", {{"why", journal_trouble_}});
    }
  }

  void BuildRooms() {
    signals_ = std::make_unique<signals::Signals>(
        [this](signals::Reading reading) {
          loop_.Post([this, reading = std::move(reading)] { conductor_->OnReading(reading); });
        },
        clock_);
    conductor_ = std::make_unique<conductor::Conductor>(conductor::Conductor::Dependencies{
        .loop = loop_,
        .clock = clock_,
        .log = log_,
        .journal = journal_.get(),
        .journal_trouble = journal_trouble_,
        .metrics = metrics_,
        .plan_from_source = [](const std::string& source) -> absl::StatusOr<engine::Plan> {
          auto plan = plan::FromSource(source);
          if (!plan.ok()) return plan.status();
          return plan::ToEngine(*plan);
        },
        .follow =
            [this](std::vector<signals::SignalSpec> specs) { signals_->Follow(std::move(specs)); },
        .refresh = [this](const std::string& name) { signals_->Refresh(name); },
        .default_prometheus_url = options_.prometheus_url,
        .controller_name = options_.name});
  }

  absl::Status Serve() {
    if (!options_.metrics_listen.empty()) {
      http::StatusServerOptions options{
          .address = options_.metrics_listen,
          .plaintext_asked_for = options_.metrics_plaintext || options_.plaintext,
          .plaintext_flag = "--metrics-plaintext"};
      if (!options.plaintext_asked_for) options.tls = material_;
      auto server =
          http::StatusServer::Start(options, {.metrics = [this] { return Exposition(*registry_); },
                                              .live = [] { return absl::OkStatus(); },
                                              .ready = [this] { return readiness_.Get(); }});
      if (!server.ok()) return server.status();
      status_server_ = *std::move(server);
    }
    auto servers = api::Servers::Start(
        {.listen = options_.listen, .tls = material_, .socket = options_.socket}, loop_,
        *conductor_);
    if (!servers.ok()) return servers.status();
    servers_ = *std::move(servers);
    readiness_.Set(recovered_.ok() ? recovered_
                                   : absl::UnavailableError("lower only: " +
                                                            std::string(recovered_.message())));
    log_.Info("ready", {{"listen_port", servers_->port()},
                        {"metrics_port", status_server_ ? status_server_->port() : 0},
                        {"version", HEADGATE_VERSION}});
    return absl::OkStatus();
  }

  void Stop() {
    readiness_.Set(absl::UnavailableError("stopping"));
    loop_.Post([this] { conductor_->EndCalls(); });
    servers_.reset();
    status_server_.reset();
  }

  const Options options_;
  SteadyClock clock_;
  Log log_;
  // Shared, as prometheus-cpp wants it.
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  Readiness readiness_;
  absl::Status recovered_;
  Loop loop_;
  conductor::ConductorMetrics metrics_;
  std::optional<tls::Material> material_;
  std::unique_ptr<journal::SqliteJournal> journal_;
  std::string journal_trouble_;
  std::unique_ptr<signals::Signals> signals_;
  std::unique_ptr<conductor::Conductor> conductor_;
  std::unique_ptr<http::StatusServer> status_server_;
  std::unique_ptr<api::Servers> servers_;
};

}  // namespace
}  // namespace headgate

int main(int argc, char** argv) {
  headgate::QuietGrpc();
  headgate::TakeDescriptors();
  const sigset_t signals = headgate::BlockSignals();
  int exit_code = 0;
  std::optional<headgate::Options> options = headgate::ParseOptions(argc, argv, exit_code);
  if (!options) return exit_code;
  return headgate::Program(*std::move(options)).Run(signals);
}
