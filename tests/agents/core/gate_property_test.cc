// P1 and P2 at the agent: whatever is offered, in whatever order, and wherever the agent, its disk
// or its load balancer dies.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "agents/core/keeper.h"
#include "tests/agents/core/fakes.h"

namespace headgate::agent {
namespace {

const TimePoint kStart = FromUnixMillis(1'723'658'400'000);

// A world with one agent. `recorded` is what a controller would have in its journal.
class World {
 public:
  World() : enforcer_(Share::All()) {
    // Killed in the middle of an effect, if so decided.
    const auto step = [this] {
      if (kill_in_ > 0 && --kill_in_ == 0) throw Killed{};
    };
    enforcer_.before_effect = step;
    store_.before_effect = step;
    Boot();
  }

  void Step() {
    const int what = *rc::gen::inRange(0, 16);
    kill_in_ = *rc::gen::weightedOneOf<int>({{4, rc::gen::just(0)}, {1, rc::gen::inRange(1, 6)}});
    try {
      Do(what);
    } catch (const Killed&) {
      kill_in_ = 0;
      Boot();
    }
    kill_in_ = 0;
    Check();
  }

 private:
  void Boot() {
    // Errands die with the process.
    saving_.Forget();
    syncing_.Forget();
    probing_.Forget();
    keeper_ = std::make_unique<Keeper>(
        "shop", Rails{},
        Keeper::Parts{enforcer_, store_, log_, saving_, syncing_, probing_,
                      [this](const Keeper::Done& done) { keeper_->OnDone(done, now_); }},
        now_);
    // P1: what was synced is not forgotten.
    if (store_.memory())
      highest_synced_ = std::max(highest_synced_, store_.memory()->directive.version);
    RC_ASSERT(!store_.memory() || store_.memory()->directive.version == highest_synced_);
    keeper_->Tick(now_);
  }

  void Do(int what) {
    now_ += std::chrono::milliseconds(*rc::gen::inRange(0, 2000));
    if (what < 6) return OfferSomething();
    if (what == 6) return Boot();
    if (what == 7) return enforcer_.Restart();
    if (what == 8) enforcer_.is_down = !enforcer_.is_down;
    if (what == 9) enforcer_.file_fails = !enforcer_.file_fails;
    if (what == 10) store_.fails = !store_.fails;
    if (what == 11) now_ += std::chrono::hours(1);
    if (what == 12) saving_.is_slow = !saving_.is_slow;
    if (what == 13) probing_.is_slow = !probing_.is_slow;
    if (what == 15) syncing_.is_slow = !syncing_.is_slow;
    if (what == 14) {
      saving_.Finish();
      syncing_.Finish();
      probing_.Finish();
    }
    keeper_->Tick(now_);
  }

  void OfferSomething() {
    const Version version{static_cast<std::uint64_t>(*rc::gen::inRange(1, 4)),
                          static_cast<std::uint64_t>(*rc::gen::inRange(1, 6))};
    auto& directive = recorded_[version];
    if (directive.gate.empty()) {
      directive = {.gate = "shop",
                   .version = version,
                   .share = *Share::FromPpm(*rc::gen::inRange<std::uint32_t>(0, 1'000'001)),
                   .no_raise = *rc::gen::arbitrary<bool>()};
    }
    Offer offer{directive, DigestOf(directive), std::chrono::seconds(15)};
    const Share before = enforcer_.in_force();
    const Version seen = keeper_->Describe(now_).version;
    const auto refusal = keeper_->Take(offer, now_);
    RC_ASSERT(refusal.has_value() == (version < seen));
    if (version < seen) RC_ASSERT(refusal->highest_seen == seen);
    if (!refusal && directive.no_raise) RC_ASSERT(enforcer_.in_force() <= before);
  }

  // P2: at most the share that is recorded for the version that the agent holds. (An agent that was
  // killed between a first lowering and its saving holds none, and leaves everything as it is.)
  void Check() {
    // What failed is tried again after a while.
    for (int i = 0; i < 2; ++i) {
      now_ += Gate::kApplyRetry;
      keeper_->Tick(now_);
    }
    const Standing standing = keeper_->Describe(now_);
    if (standing.version == Version{}) return;
    const Share limit = recorded_.at(standing.version).share;
    if (!enforcer_.is_down) RC_ASSERT(enforcer_.in_force() <= limit);
    // A reload must not jump up either, once the disk of the map works.
    if (!enforcer_.file_fails && !enforcer_.is_down) RC_ASSERT(enforcer_.file() <= limit);
    if (store_.memory())
      highest_synced_ = std::max(highest_synced_, store_.memory()->directive.version);
    RC_ASSERT(standing.version >= highest_synced_);
  }

  TimePoint now_ = kStart;
  ManualClock clock_{kStart};
  Log log_{clock_, Log::Options{.level = LogLevel::kError}};
  FakeEnforcer enforcer_;
  FakeStore store_;
  FakeErrands saving_;
  FakeErrands syncing_;
  FakeErrands probing_;
  std::unique_ptr<Keeper> keeper_;
  std::map<Version, Directive> recorded_;
  Version highest_synced_;
  int kill_in_ = 0;
};

TEST(AgentProperties, NeverGoesBackAndNeverAdmitsMoreThanTheVersionItHolds) {
  EXPECT_TRUE(rc::check("P1 and P2", [] {
    World world;
    for (int i = 0; i < 60; ++i) world.Step();
  }));
}

}  // namespace
}  // namespace headgate::agent
