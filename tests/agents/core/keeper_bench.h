// A keeper between a fake load balancer and a fake disk, in virtual time. One thread.
#pragma once

#include <memory>

#include "agents/core/keeper.h"
#include "tests/agents/core/fakes.h"

namespace headgate::agent {

inline const TimePoint kStart = FromUnixMillis(1'723'658'400'000);
inline Share Percent(const char* text) { return *Share::Parse(text); }

struct Bench {
  explicit Bench(const char* share) : enforcer(Percent(share)) { Restart(); }
  void Restart() {
    saving.Forget();
    syncing.Forget();
    probing.Forget();
    keeper = std::make_unique<Keeper>(
        "shop", Rails{},
        Keeper::Parts{enforcer, store, log, saving, syncing, probing,
                      [this](const Keeper::Done& done) { keeper->OnDone(done, now); }},
        now);
    keeper->Tick(now);
  }
  void Direct(std::uint64_t epoch, std::uint64_t revision, const char* share) {
    Offer offer;
    offer.directive = {.gate = "shop", .version = {epoch, revision}, .share = Percent(share)};
    offer.digest = DigestOf(offer.directive);
    offer.valid_for = std::chrono::seconds(15);
    keeper->Take(offer, now);
  }
  void Pass(Duration time) {
    now += time;
    keeper->Tick(now);
  }

  TimePoint now = kStart;
  ManualClock clock{kStart};
  Log log{clock, Log::Options{.level = LogLevel::kError}};
  FakeEnforcer enforcer;
  FakeStore store;
  FakeErrands saving;
  FakeErrands syncing;
  FakeErrands probing;
  std::unique_ptr<Keeper> keeper;
};

}  // namespace headgate::agent
