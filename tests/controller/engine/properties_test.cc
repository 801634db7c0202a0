// The promises of the design, under random events. rapidcheck prints its seed before each property;
// RC_PARAMS="seed=…" repeats a run.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "controller/plan/plan.h"
#include "tests/controller/engine/trial.h"

namespace headgate::engine {
namespace {

Plan PlanOf(const std::string& extra) {
  const auto plan = plan::LoadPlan(
      "gate: shop\n"
      "preflight: {agents: [edge-1, edge-2], databases: [orders], ready_for: 1s}\n"
      "checks:\n"
      "  - {name: errors, ratio: agents.http_5xx, limit: 2%, window: 5s}\n"
      "  - {name: lag, value: {prometheus: {query: q, every: 1s}}, bound: 500..1000, fresh: 3s}\n"
      "  - {name: orders, database: orders}\n"
      "then: {watch: 3s, on_failure: retreat, retries: 2, backoff: 1s}\n"
      "prometheus: http://127.0.0.1:9090\n"
      "databases: {orders: {engine: postgres, primary: 'host=db1'}}\n" +
          extra,
      "p.yaml");
  EXPECT_TRUE(plan.ok()) << plan.status();
  return *plan;
}

Plan UsualPlan() {
  return PlanOf(
      "ramp: {steps: [5%, 25%, 100%], bake: 1s..5s, patience: 2s, on_unknown: hold, "
      "approve_at: [25%]}\n");
}

rc::Gen<Happening> AnyHappening() {
  using Kind = Happening::Kind;
  const auto kind = rc::gen::weightedElement<Kind>({{4, Kind::kTimePasses},
                                                    {8, Kind::kCalm},
                                                    {4, Kind::kCounts},
                                                    {3, Kind::kLag},
                                                    {2, Kind::kDatabase},
                                                    {4, Kind::kAgentObeys},
                                                    {2, Kind::kAgentMisbehaves},
                                                    {4, Kind::kRecorded},
                                                    {2, Kind::kRecordFails},
                                                    {8, Kind::kOrder},
                                                    {2, Kind::kRestart}});
  return rc::gen::map(
      rc::gen::tuple(kind, rc::gen::inRange(0, 100), rc::gen::inRange(0, 14)),
      [](const auto& parts) {
        return Happening{std::get<0>(parts), std::get<1>(parts), std::get<2>(parts)};
      });
}

void Check(const Plan& plan, const std::vector<Happening>& happenings) {
  Trial trial(plan);
  // Most of what can go wrong needs a running restoration.
  trial.Happen({Happening::Kind::kOrder, 1, 1});
  for (std::size_t i = 0; i < happenings.size(); ++i) {
    trial.Happen(happenings[i]);
    if (!trial.broken().empty()) {
      RC_LOG() << "after " << i + 1 << " happenings: " << trial.broken();
      RC_FAIL(trial.broken());
    }
  }
  RC_CLASSIFY(trial.raises() > 0, "raises");
  RC_CLASSIFY(trial.raises() > 3, "raises often");
  RC_CLASSIFY(trial.restarts() > 0, "restarts");
}

RC_GTEST_PROP(Promises, HoldUnderAnyEvents, ()) {
  Check(UsualPlan(), *rc::gen::container<std::vector<Happening>>(AnyHappening()));
}

RC_GTEST_PROP(Promises, HoldWhereTheUnknownRetreats, ()) {
  Check(PlanOf("ramp: {steps: [5%, 25%, 100%], bake: 1s..5s, patience: 1s, on_unknown: retreat}\n"),
        *rc::gen::container<std::vector<Happening>>(AnyHappening()));
}

RC_GTEST_PROP(Promises, HoldWithAdaptiveSteps, ()) {
  Check(PlanOf("ramp: {steps: adaptive, bake: 1s..5s, patience: 2s, approve_at: [40%]}\n"),
        *rc::gen::container<std::vector<Happening>>(AnyHappening()));
}

RC_GTEST_PROP(Promises, HoldWithAdaptiveStepsWhereTheUnknownRetreats, ()) {
  Check(PlanOf("ramp: {steps: adaptive, bake: 1s..5s, patience: 1s, on_unknown: retreat}\n"),
        *rc::gen::container<std::vector<Happening>>(AnyHappening()));
}

RC_GTEST_PROP(Promises, HoldAfterTheReignIsLost, ()) {
  auto happenings = *rc::gen::container<std::vector<Happening>>(AnyHappening());
  const auto at = *rc::gen::inRange<std::size_t>(0, happenings.size() + 1);
  happenings.insert(happenings.begin() + static_cast<std::ptrdiff_t>(at),
                    {Happening::Kind::kReignLost, 0, 0});
  Check(UsualPlan(), happenings);
}

TEST(Promises, AreTriedByRampsThatReallyRise) {
  Trial trial(PlanOf("ramp: {steps: [5%, 25%, 100%], bake: 1s..5s, patience: 2s}\n"));
  trial.Happen({Happening::Kind::kOrder, 1, 1});
  for (int i = 0; i < 3; ++i) trial.Happen({Happening::Kind::kCalm, 40, 0});
  EXPECT_EQ(trial.broken(), "");
  EXPECT_EQ(trial.raises(), 3);
}

TEST(Promises, AreTriedByAdaptiveStepsThatReallyRise) {
  Trial trial(PlanOf("ramp: {steps: adaptive, bake: 1s..5s, patience: 2s}\n"));
  trial.Happen({Happening::Kind::kOrder, 1, 1});
  for (int i = 0; i < 10; ++i) trial.Happen({Happening::Kind::kCalm, 40, 0});
  EXPECT_EQ(trial.broken(), "");
  EXPECT_GE(trial.raises(), 4);
}

// When the share first rises above 5 %, if it does so before it is lowered.
std::optional<TimePoint> FirstAdvance(const Plan& plan, const std::vector<std::uint64_t>& errors) {
  State state;
  TimePoint now(Duration(1'000'000));
  AgentView agent{.name = "edge-1", .connected = true, .stage = AgentView::Stage::kObserved};
  agent.admit_by = plan.spec().admit_by;
  Share share;
  const auto feed = [&](const Event& event) {
    Outcome outcome = Apply(std::move(state), event, now);
    state = std::move(outcome.state);
    std::vector<Event> answers;
    for (const Action& action : outcome.actions) {
      if (const auto* publish = std::get_if<Publish>(&action)) {
        share = agent.enforced = publish->directive.share;
        agent.version = publish->directive.version;
      }
      if (const auto* record = std::get_if<Record>(&action)) {
        answers.push_back(Recorded{"shop", record->token});
      }
    }
    return answers;
  };
  const auto settle = [&](const Event& event) {
    std::vector<Event> events = {event};
    for (std::size_t i = 0; i < events.size(); ++i) {
      for (const Event& answer : feed(Event(events[i]))) events.push_back(answer);
    }
  };
  settle(ReignBegan{1});
  settle(Command{.call = 1, .gate = "shop", .order = CreateGate{Share::None()}});
  settle(Command{.call = 2, .gate = "shop", .order = StartRestoration{plan, true}});
  std::size_t next = 0;
  Share highest;
  while (next < errors.size()) {
    now += Duration(250);
    settle(AgentReported{"shop", agent});
    const bool has_users = share > Share::None();
    const std::uint64_t bad = has_users ? errors[next++] : 0;
    settle(CountsArrived{"shop", "edge-1", {.admitted = has_users ? 50U : 0U, .http_5xx = bad}});
    if (share > *Share::FromPpm(50'000)) return now;
    if (share < highest) return std::nullopt;
    highest = share;
  }
  return std::nullopt;
}

void MoreErrorsNeverAdvanceSooner(const std::string& ramp) {
  const auto plan = plan::LoadPlan(
      "gate: shop\npreflight: {agents: [edge-1], ready_for: 1s}\nchecks:\n"
      "  - {name: errors, ratio: agents.http_5xx, limit: 4%, window: 5s}\n" +
          ramp,
      "p.yaml");
  RC_ASSERT(plan.ok());
  const auto errors = *rc::gen::container<std::vector<std::uint64_t>>(
      60, rc::gen::weightedOneOf<std::uint64_t>({{6, rc::gen::just<std::uint64_t>(0)},
                                                 {3, rc::gen::inRange<std::uint64_t>(0, 4)},
                                                 {1, rc::gen::inRange<std::uint64_t>(0, 20)}}));
  std::vector<std::uint64_t> more = errors;
  for (std::uint64_t& bad : more) {
    const bool is_worse = *rc::gen::weightedElement<bool>({{5, false}, {1, true}});
    if (is_worse) bad = std::min<std::uint64_t>(50, bad + 3);
  }
  const auto with_fewer = FirstAdvance(*plan, errors);
  const auto with_more = FirstAdvance(*plan, more);
  RC_CLASSIFY(with_more.has_value(), "advances in spite of more");
  if (with_more) {
    RC_ASSERT(with_fewer.has_value());
    RC_ASSERT(*with_fewer <= *with_more);
  }
}

RC_GTEST_PROP(Promises, MoreErrorsNeverAdvanceSoonerByFixedSteps, ()) {
  MoreErrorsNeverAdvanceSooner("ramp: {steps: [5%, 100%], bake: 2s..5s}\n");
}

RC_GTEST_PROP(Promises, MoreErrorsNeverAdvanceSoonerByAdaptiveSteps, ()) {
  MoreErrorsNeverAdvanceSooner("ramp: {steps: adaptive, first: 5%, bake: 2s..5s}\n");
}

}  // namespace
}  // namespace headgate::engine
