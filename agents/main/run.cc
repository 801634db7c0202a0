#include "agents/main/run.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <grpcpp/security/credentials.h>
#include <signal.h>

#include <cstdio>
#include <ctime>
#include <memory>
#include <random>
#include <utility>

#include "agents/core/runner.h"
#include "agents/core/session.h"
#include "agents/core/store.h"
#include "agents/endpoint/endpoint.h"
#include "agents/endpoint/ext_authz.h"
#include "agents/main/doors.h"
#include "agents/main/exit_codes.h"
#include "agents/main/folders.h"
#include "agents/main/load_balancer.h"
#include "agents/main/lock.h"
#include "agents/main/metrics.h"
#include "common/log/log.h"
#include "common/metrics/exposition.h"
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

absl::StatusOr<Credentials> Open(const Config& config, const Clock& clock) {
  if (!config.tls) return Credentials{grpc::InsecureChannelCredentials(), std::nullopt};
  const absl::StatusOr<tls::Material> material = tls::Load(*config.tls, clock.WallNow());
  if (!material.ok()) return material.status();
  return Credentials{tls::ChannelCredentials(*material), material->not_after};
}

absl::StatusOr<std::unique_ptr<FolderLock>> TakeLock(const Config& config) {
  if (absl::Status made = MakeStateFolder(config); !made.ok()) return made;
  return FolderLock::Take(config.state_dir);
}

absl::Status Liveness(const Outbox& outbox, TimePoint now) {
  for (const GateWord& word : outbox.All()) {
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

http::StatusPages PagesOf(const Outbox& outbox, const Metrics& metrics, const Session& session,
                          std::size_t gates, const Clock& clock) {
  return {.metrics = [&] { return Exposition(metrics); },
          .live = [&] { return Liveness(outbox, clock.Now()); },
          .ready = [&, gates] { return Readiness(outbox, gates, session.is_connected()); }};
}

// The first of `signals`; meanwhile the listeners are looked after.
int AwaitSignal(const sigset_t& signals, Doors& doors, const Clock& clock) {
  constexpr timespec kLookEvery{.tv_sec = 1, .tv_nsec = 0};
  int signal = 0;
  while (signal <= 0) {
    doors.Look(clock.WallNow());
    signal = sigtimedwait(&signals, nullptr, &kLookEvery);
  }
  return signal;
}

}  // namespace

int Run(const Config& config) {
  // Before any thread is made, so that none of them takes the signal.
  const sigset_t end_signals = BlockEndSignals();
  // Without it curl would set itself up on whichever runner comes first, which is not thread-safe.
  curl_global_init(CURL_GLOBAL_DEFAULT);
  const SteadyClock clock;
  Log log(clock, {.format = Log::FormatForStderr()});
  // Without the lock another agent could run beside it, and the commands on the box would not see
  // this one: then it does not start.
  const absl::StatusOr<std::unique_ptr<FolderLock>> lock = TakeLock(config);
  if (!lock.ok()) {
    log.Error("start_refused", {{"why", std::string(lock.status().message())}});
    log.Flush(std::chrono::milliseconds(500));
    return kExitRefused;
  }
  // A load balancer that runs has its share in memory: it is lowered all the same.
  if (const absl::Status made = MakeShareFolders(config); !made.ok()) {
    log.Error("no_share_folder", {{"why", std::string(made.message())}});
  }
  Outbox outbox;
  Gates gates;
  for (const GateConfig& gate : config.gates) {
    gates.emplace(gate.name, std::make_unique<RunningGate>(config, gate, outbox, clock, log));
  }
  // Declared after what they use, and so ended before it.
  Session session({.controllers = config.controllers,
                   .credentials = [&] { return Open(config, clock); },
                   .plaintext_name = config.tls ? "" : config.name,
                   .self = {.boot_id = NewBootId(),
                            .labels = config.labels,
                            .load_balancer = NameOfLoadBalancer(config.gates.front())},
                   .push_every = config.push_every,
                   .on_offer = [&](Offer offer) { return Deliver(std::move(offer), gates); }},
                  outbox, clock, log);
  const Metrics metrics(
      outbox, [&session] { return session.is_connected(); },
      [&gates] { return EndpointsOf(gates); },
      [&]() -> std::optional<TimePoint> {
        if (!config.tls) return std::nullopt;
        const absl::StatusOr<tls::Material> material = tls::Load(*config.tls, clock.WallNow());
        if (!material.ok()) return std::nullopt;
        return material->not_after;
      });
  Doors doors(config, PagesOf(outbox, metrics, session, config.gates.size(), clock), log);
  log.Info("started", {{"version", HEADGATE_VERSION}, {"gates", config.gates.size()}});
  const int signal = AwaitSignal(end_signals, doors, clock);
  log.Info("stopping", {{"signal", signal}});
  return kExitDone;
}

}  // namespace headgate::agent
