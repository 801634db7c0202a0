// Many agents of ./dev bench footprint in one process: the agent's own sessions, each with a
// connection and a certificate of its own, and a load balancer that obeys at once and counts. First
// line of its output: "connected" as soon as all are. It ends with its input.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "agents/core/session.h"
#include "common/base/quiet_grpc.h"
#include "common/tls/authority.h"
#include "common/tls/credentials.h"

namespace headgate::bench {
namespace {

constexpr Duration kPushEvery{250};
constexpr std::uint64_t kRequestsAPush = 50;

struct Flags {
  std::string controller;
  std::string authority;
  std::string folder;
  std::string gate = "shop";
  int agents = 1'000;
};

class Agent {
 public:
  Agent(const Flags& flags, int number, const Clock& clock, Log& log)
      : name_(fmt::format("edge-{}", number)),
        session_({.controllers = {flags.controller},
                  .credentials = [this, flags, &clock] { return Open(flags, clock); },
                  .plaintext_name = "",
                  .self = {.boot_id = fmt::format("{:016x}", number), .labels = {}},
                  .push_every = kPushEvery,
                  .on_offer = [this](const agent::Offer& offer) { return Obey(offer); }},
                 outbox_, clock, log) {
    const std::lock_guard lock(mutex_);
    word_.standing.gate = flags.gate;
    word_.standing.enforced = Share::All();
    word_.description = {.load_balancer = "none", .admit_by = "cookie headgate_uid"};
    word_.is_reachable = true;
    word_.counters.live = true;
  }

  bool is_connected() const { return session_.is_connected(); }

  void Count(TimePoint now) {
    const std::lock_guard lock(mutex_);
    word_.counters.admitted += kRequestsAPush;
    word_.at = now;
    outbox_.Put(word_);
  }

 private:
  absl::StatusOr<agent::Credentials> Open(const Flags& flags, const Clock& clock) {
    if (!material_) {
      const auto issued = tls::IssueCertificate({.authority_directory = flags.authority,
                                                 .directory = flags.folder,
                                                 .role = tls::Role::kAgent,
                                                 .name = name_},
                                                clock.Now());
      if (!issued.ok()) return issued.status();
      auto loaded = tls::Load(
          {flags.authority + "/ca.crt", issued->certificate_path, issued->key_path}, clock.Now());
      if (!loaded.ok()) return loaded.status();
      material_ = *std::move(loaded);
    }
    return agent::Credentials{tls::ChannelCredentials(*material_), material_->not_after};
  }

  bool Obey(const agent::Offer& offer) {
    const std::lock_guard lock(mutex_);
    word_.standing.version = offer.directive.version;
    word_.standing.digest = offer.digest;
    word_.standing.enforced = offer.directive.share;
    word_.standing.stage = agent::Stage::kObserved;
    return true;
  }

  const std::string name_;
  std::optional<tls::Material> material_;
  std::mutex mutex_;
  // Protected by mutex_.
  agent::GateWord word_;
  agent::Outbox outbox_;
  // Last, so that it ends first.
  agent::Session session_;
};

int Run(const Flags& flags) {
  const SteadyClock clock;
  Log log(clock, {.level = LogLevel::kError});
  std::vector<std::unique_ptr<Agent>> agents;
  for (int number = 1; number <= flags.agents; ++number) {
    agents.push_back(std::make_unique<Agent>(flags, number, clock, log));
  }
  std::mutex mutex;
  std::condition_variable wake;
  bool is_over = false;
  std::thread counts([&] {
    bool is_told = false;
    std::unique_lock lock(mutex);
    while (!wake.wait_for(lock, kPushEvery, [&] { return is_over; })) {
      bool are_connected = true;
      for (const auto& agent : agents) {
        agent->Count(clock.Now());
        are_connected = are_connected && agent->is_connected();
      }
      if (are_connected && !is_told) std::cout << "connected" << std::endl;
      is_told = is_told || are_connected;
    }
  });
  std::string line;
  while (std::getline(std::cin, line)) {
  }
  {
    const std::lock_guard lock(mutex);
    is_over = true;
  }
  wake.notify_all();
  counts.join();
  return 0;
}

}  // namespace
}  // namespace headgate::bench

int main(int argc, char** argv) {
  headgate::QuietGrpc();
  headgate::bench::Flags flags;
  CLI::App app("Many agents of one gate.");
  app.add_option("--controller", flags.controller, "HOST:PORT")->required();
  app.add_option("--ca-dir", flags.authority, "Where ca.crt and ca.key lie")->required();
  app.add_option("--dir", flags.folder, "Where their certificates go")->required();
  app.add_option("--agents", flags.agents)->check(CLI::Range(1, 10'000));
  CLI11_PARSE(app, argc, argv);
  return headgate::bench::Run(flags);
}
