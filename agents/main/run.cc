#include "agents/main/run.h"

#include <fmt/format.h>
#include <grpcpp/security/credentials.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <utility>

#include "agents/core/runner.h"
#include "agents/core/session.h"
#include "agents/core/store.h"
#include "agents/endpoint/endpoint.h"
#include "agents/endpoint/ext_authz.h"
#include "agents/main/certificate.h"
#include "agents/main/doors.h"
#include "agents/main/exit_codes.h"
#include "agents/main/folders.h"
#include "agents/main/load_balancer.h"
#include "agents/main/lock.h"
#include "agents/main/metrics.h"
#include "common/log/log.h"
#include "common/metrics/exposition.h"
#include "common/systemd/credential.h"
#include "common/systemd/service.h"
#include "common/tls/credentials.h"

namespace headgate::agent {
namespace {

// A runner that has said nothing for so long hangs: its calls are all bounded far below.
constexpr Duration kAliveWithin = std::chrono::seconds(15);

std::string NewBootId() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

// What a former run was allowed at most; unset if nobody knows.
std::optional<Share> GrantedOf(FileStore& store) {
  const auto memory = store.LoadMemory();
  if (!memory.ok() || !*memory) return std::nullopt;
  return (*memory)->granted;
}

// Of a gate of `endpoint` the load balancer is the agent itself.
std::unique_ptr<Enforcer> MakeOwnEnforcer(const GateConfig& gate,
                                          const std::optional<Share>& granted) {
  const auto* const settings = std::get_if<endpoint::Settings>(&gate.load_balancer);
  if (settings == nullptr) return MakeEnforcer(gate);
  return std::make_unique<endpoint::Endpoint>(*settings, granted, &endpoint::OpenExtAuthz);
}

// One gate: everything that its runner borrows, and the runner, which dies first.
struct RunningGate {
  RunningGate(const Config& config, const GateConfig& gate, Outbox& outbox, const Clock& clock,
              Log& log)
      : store(config.state_dir, gate.name),
        enforcer(MakeOwnEnforcer(gate, GrantedOf(store))),
        runner({.gate = gate.name,
                .rails = gate.rails,
                .tick = config.push_every,
                .time_zone = gate.time_zone},
               {*enforcer, store, log}, outbox, clock) {}

  FileStore store;
  std::unique_ptr<Enforcer> enforcer;
  Runner runner;
};

using Gates = std::map<std::string, std::unique_ptr<RunningGate>>;

std::vector<EndpointWord> EndpointsOf(const Gates& gates) {
  std::vector<EndpointWord> words;
  for (const auto& [name, gate] : gates) {
    const auto* const own = dynamic_cast<const endpoint::Endpoint*>(gate->enforcer.get());
    if (own == nullptr) continue;
    const endpoint::ServerCounts& counts = own->counts();
    words.push_back({.gate = name,
                     .connections = counts.connections,
                     .connections_refused = counts.connections_refused,
                     .requests_refused = counts.requests_refused,
                     .idle_closed = counts.idle_closed,
                     .log_lines_garbled = own->garbled()});
  }
  return words;
}

// False: no such gate here.
bool Deliver(Offer offer, const Gates& gates) {
  const auto found = gates.find(offer.directive.gate);
  if (found == gates.end()) return false;
  found->second->runner.Post(std::move(offer));
  return true;
}

absl::StatusOr<Credentials> Open(Certificate& certificate) {
  if (!certificate.is_wanted()) return Credentials{grpc::InsecureChannelCredentials(), {}};
  const absl::StatusOr<tls::Material> material = certificate.Newest();
  if (!material.ok()) return material.status();
  return Credentials{tls::ChannelCredentials(*material), material->not_after};
}

absl::StatusOr<std::unique_ptr<FolderLock>> TakeLock(const Config& config) {
  if (absl::Status made = MakeStateFolder(config); !made.ok()) return made;
  return FolderLock::Take(config.state_dir);
}

// Of each gate's load balancer; of those that could be made.
absl::StatusOr<std::vector<std::unique_ptr<FolderLock>>> TakeShareLocks(const Config& config) {
  std::vector<std::unique_ptr<FolderLock>> locks;
  for (const GateConfig& gate : config.gates) {
    auto lock = FolderLock::TakeShare(ShareFileOf(gate));
    if (!lock.ok()) return lock.status();
    locks.push_back(*std::move(lock));
  }
  return locks;
}

int Refuse(const absl::Status& status, Log& log) {
  log.Error("start_refused", {{"why", std::string(status.message())}});
  log.Flush(std::chrono::milliseconds(500));
  return kExitRefused;
}

// How often the listeners are looked after, and the service manager and probes told how we are.
constexpr Duration kLookEvery = std::chrono::seconds(1);

// Of the threads that do the work, each by what it says of itself.
absl::Status Liveness(const Outbox& outbox, std::size_t gates, TimePoint started,
                      const Session& session, TimePoint now) {
  const std::vector<GateWord> words = outbox.All();
  if (words.size() < gates && now - started > kAliveWithin) {
    return absl::InternalError("a load balancer has not been looked at since the start");
  }
  if (now - session.seen_at() > kAliveWithin) {
    return absl::InternalError(
        fmt::format("no controller has been looked for since {}", FormatTime(session.seen_at())));
  }
  for (const GateWord& word : words) {
    if (now - word.at <= kAliveWithin) continue;
    return absl::InternalError(fmt::format("gate {} has not been looked at since {}",
                                           word.standing.gate, FormatTime(word.at)));
  }
  return absl::OkStatus();
}

// What keeps a gate from being ready; empty: nothing.
std::string WhyNotReady(const GateWord& word) {
  const Standing& standing = word.standing;
  if (!standing.trouble.empty()) return standing.trouble;
  if (!word.is_reachable) return "what its load balancer enforces is not known";
  if (standing.expired) {
    return fmt::format("no controller has renewed version {}: {} is kept and never raised",
                       standing.version.ToString(), standing.enforced.ToString());
  }
  return standing.refusal ? standing.refusal->detail : "";
}

absl::Status Readiness(const Outbox& outbox, std::size_t gates, bool is_connected) {
  const std::vector<GateWord> words = outbox.All();
  if (words.size() < gates) return absl::UnavailableError("still looking at the load balancers");
  std::vector<std::string> reasons;
  for (const GateWord& word : words) {
    const std::string why = WhyNotReady(word);
    if (!why.empty()) reasons.push_back(fmt::format("gate {}: {}", word.standing.gate, why));
  }
  if (reasons.empty() && !is_connected) reasons.emplace_back("no controller has welcomed us");
  if (reasons.empty()) return absl::OkStatus();
  return absl::UnavailableError(fmt::to_string(fmt::join(reasons, "\n")));
}

sigset_t BlockEndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// Until one of `end_signals` comes, which is returned; `look_around` is called `every` so often.
int WaitForEnd(const sigset_t& end_signals, Duration every,
               const std::function<void()>& look_around) {
  const timespec turn{.tv_sec = every.count() / 1'000,
                      .tv_nsec = every.count() % 1'000 * 1'000'000};
  while (true) {
    look_around();
    const int signal = sigtimedwait(&end_signals, nullptr, &turn);
    if (signal > 0) return signal;
  }
}

// A thread that hangs lets the service manager's watchdog run out: the main thread speaks for the
// others only while each has been at work.
void Tell(systemd::Service& service, bool is_live, const absl::Status& ready) {
  if (is_live) service.Alive();
  service.Say(ready.ok() ? "the load balancers obey" : std::string(ready.message()));
}

std::optional<tls::Files> FilesOf(const Config& config) {
  if (!config.tls) return std::nullopt;
  return tls::Files{.ca = systemd::CredentialOr(config.tls->ca),
                    .certificate = systemd::CredentialOr(config.tls->certificate),
                    .key = systemd::CredentialOr(config.tls->key)};
}

}  // namespace

int Run(const Config& config) {
  // Before any thread is made, so that none of them takes the signal.
  const sigset_t end_signals = BlockEndSignals();
  systemd::Service service;
  const SteadyClock clock;
  Log log(clock, {.format = Log::FormatForStderr()});
  // Without the lock another agent could run beside it, and the commands on the box would not see
  // this one: then it does not start.
  const absl::StatusOr<std::unique_ptr<FolderLock>> lock = TakeLock(config);
  if (!lock.ok()) return Refuse(lock.status(), log);
  // A load balancer that runs has its share in memory: it is lowered all the same.
  if (const absl::Status made = MakeShareFolders(config); !made.ok()) {
    log.Error("no_share_folder", {{"why", std::string(made.message())}});
  }
  const auto share_locks = TakeShareLocks(config);
  if (!share_locks.ok()) return Refuse(share_locks.status(), log);
  Outbox outbox;
  Gates gates;
  for (const GateConfig& gate : config.gates) {
    gates.emplace(gate.name, std::make_unique<RunningGate>(config, gate, outbox, clock, log));
  }
  Certificate certificate(FilesOf(config), clock, log);
  // Declared after what they use, and so ended before it.
  Session session({.controllers = config.controllers,
                   .credentials = [&] { return Open(certificate); },
                   .plaintext_name = config.tls ? "" : config.name,
                   .self = {.boot_id = NewBootId(),
                            .labels = config.labels,
                            .load_balancer = NameOfLoadBalancer(config.gates.front())},
                   .push_every = config.push_every,
                   .on_offer = [&](Offer offer) { return Deliver(std::move(offer), gates); }},
                  outbox, clock, log);
  std::atomic<std::uint64_t> probes_ended{0};
  const Metrics metrics(
      outbox, [&session] { return session.is_connected(); },
      [&gates] { return EndpointsOf(gates); },
      [&] {
        return CertificateWord{certificate.end(), certificate.is_refused()};
      },
      [&probes_ended] { return probes_ended.load(); });
  const std::size_t count = config.gates.size();
  const http::StatusPages pages{
      .metrics = [&] { return Exposition(metrics); },
      .live = [&,
               started =
                   clock.Now()] { return Liveness(outbox, count, started, session, clock.Now()); },
      .ready = [&] { return Readiness(outbox, count, session.is_connected()); }};
  Doors doors(
      config,
      {.certificate = certificate, .pages = pages, .probes_ended = probes_ended, .log = log});
  log.Info("started", {{"version", HEADGATE_VERSION}, {"gates", count}});
  // Neither the load balancer nor a controller is waited for: whoever starts us must not be,
  // either.
  service.Ready();
  const int signal = WaitForEnd(
      end_signals, std::min(kLookEvery, service.alive_every().value_or(kLookEvery)), [&] {
        certificate.Look();
        const bool is_live = pages.live().ok();
        const absl::Status ready = pages.ready();
        doors.Look(is_live, ready.ok());
        Tell(service, is_live, ready);
      });
  service.Stopping();
  log.Info("stopping", {{"signal", signal}});
  return kExitDone;
}

}  // namespace headgate::agent
