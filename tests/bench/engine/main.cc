// ./dev bench engine: what a second of readings costs the engine, with ten checks on counts and
// adaptive steps. The last line is JSON.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "controller/engine/engine.h"
#include "controller/engine/obstacles.h"

namespace headgate::bench {
namespace {

using engine::Apply;

constexpr char kGate[] = "shop";
constexpr char kAgent[] = "edge-1";
constexpr int kChecks = 10;
constexpr int kSeconds = 20'000;
constexpr int kPushesPerSecond = 4;
constexpr Duration kPush{250};
constexpr int kRounds = 5;

engine::Plan TenChecks() {
  engine::PlanSpec spec{.gate = kGate, .agents = {kAgent}, .ready_for = Duration(0)};
  spec.adaptive.emplace();
  spec.watch = Duration(86'400'000);
  for (int i = 0; i < kChecks; ++i) {
    spec.checks.push_back(
        {.name = fmt::format("check-{}", i),
         .kind = engine::RatioCheck{.source = engine::AgentRatio{}, .limit_ppm = 10'000}});
  }
  auto plan = engine::Plan::Create(std::move(spec));
  HEADGATE_CHECK(plan.ok());
  return *std::move(plan);
}

// A gate in the middle of its restoration, and an agent that obeys at once.
class Shop {
 public:
  Shop() {
    Feed(engine::ReignBegan{1});
    Feed(engine::Command{.gate = kGate, .order = engine::CreateGate{Share::None()}});
    Feed(engine::Command{.gate = kGate, .order = engine::StartRestoration{TenChecks(), true}});
  }

  void Push() {
    now_ += kPush;
    const bool has_users = agent_.enforced > Share::None();
    Feed(engine::CountsArrived{
        kGate, kAgent, {.admitted = has_users ? 500U : 0U, .http_5xx = has_users ? 1U : 0U}});
  }
  const engine::Gate& gate() const { return state_.gates.at(kGate); }
  TimePoint now() const { return now_; }

 private:
  void Feed(const engine::Event& event) {
    engine::Outcome outcome = Apply(std::move(state_), event, now_);
    state_ = std::move(outcome.state);
    for (const engine::Action& action : outcome.actions) {
      if (const auto* publish = std::get_if<engine::Publish>(&action)) {
        agent_.enforced = publish->directive.share;
        agent_.version = publish->directive.version;
        Feed(engine::AgentReported{kGate, agent_});
      } else if (const auto* record = std::get_if<engine::Record>(&action)) {
        Feed(engine::Recorded{kGate, record->token});
      }
    }
  }

  TimePoint now_{Duration(1'000'000)};
  engine::State state_;
  engine::AgentView agent_{.name = kAgent,
                           .connected = true,
                           .stage = engine::AgentView::Stage::kObserved,
                           .admit_by = engine::PlanSpec().admit_by};
};

template <class Work>
double MicrosecondsOf(const Work& work) {
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < kSeconds; ++i) work();
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - began;
  return took.count() / kSeconds;
}

// The best of a few rounds: what disturbs is not the engine's.
template <class Work>
double BestOf(const Work& work) {
  double best = MicrosecondsOf(work);
  for (int round = 1; round < kRounds; ++round) best = std::min(best, MicrosecondsOf(work));
  return best;
}

void Run() {
  Shop shop;
  // To 100 %.
  for (int push = 0; push < 400; ++push) shop.Push();
  HEADGATE_CHECK(shop.gate().record.share == Share::All());

  engine::Evidence evidence = shop.gate().evidence;
  const engine::PlanSpec& plan = shop.gate().record.restoration->plan.spec();
  TimePoint at = shop.now();
  const double weigh = BestOf([&] {
    at += kPush * kPushesPerSecond;
    engine::AddCounts(evidence, &plan, kAgent, {.admitted = 2'000, .http_5xx = 4}, at);
    engine::WeighCounts(evidence, Share::All(), true, at);
  });
  std::size_t failed = 0;
  const double judge = BestOf([&] {
    for (const auto& [name, judgement] : engine::JudgeAll(shop.gate(), shop.now(), false, false)) {
      failed += judgement.verdict == engine::Verdict::kFailed ? 1 : 0;
    }
  });
  HEADGATE_CHECK(failed == 0);
  const double turns = BestOf([&] {
    for (int push = 0; push < kPushesPerSecond; ++push) shop.Push();
  });
  fmt::print("engine: a second's readings of one agent, {} checks, microseconds\n", kChecks);
  fmt::print("  weighed                           {:6.1f}\n", weigh);
  fmt::print("  judged                            {:6.1f}\n", judge);
  fmt::print("  in {} pushes, as whole turns       {:6.1f}\n", kPushesPerSecond, turns);
  fmt::print("{{\"checks\":{},\"judged_us\":{:.2f},\"turns_us\":{:.2f}}}\n", kChecks, weigh + judge,
             turns);
}

}  // namespace
}  // namespace headgate::bench

int main() {
  headgate::bench::Run();
  return 0;
}
