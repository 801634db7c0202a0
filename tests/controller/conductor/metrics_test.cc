#include "controller/conductor/metrics.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>

#include "controller/engine/evidence.h"
#include "controller/main/metrics.h"
#include "controller/plan/plan.h"
#include "controller/watch/metrics.h"
#include "tests/support/places.h"

namespace headgate::conductor {
namespace {

constexpr TimePoint kNow{Duration(1'723'658'400'000)};
constexpr char kPlan[] =
    "gate: shop\n"
    "preflight: {agents: [edge-1]}\n"
    "checks: [{name: errors, ratio: agents.http_5xx, limit: 1%}]\n";

std::set<std::string> DocumentedNames() {
  std::ifstream file(InSources("docs/METRICS.md"));
  // A row of the table: "| headgate_x | gauge | …".
  const std::string begin = "| headgate_";
  std::set<std::string> names;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(begin, 0) == 0) names.insert(line.substr(2, line.find(' ', 2) - 2));
  }
  return names;
}

// A gate with an agent and a restoration, so that every family has something to show.
engine::State StateWithEverything() {
  engine::State state;
  engine::Gate& gate = state.gates["shop"];
  gate.record.gate = "shop";
  gate.record.restoration = engine::Restoration{
      .id = "shop-1", .plan = *plan::LoadPlan(kPlan, "plan.yaml"), .phase = engine::Preflight{}};
  gate.evidence.agents["edge-1"] = engine::AgentView{.name = "edge-1", .connected = true};
  engine::PrepareEvidence(gate.evidence, gate.record.restoration->plan.spec());
  return state;
}

TEST(ConductorMetrics, ArePreciselyTheDocumentedOnes) {
  prometheus::Registry registry;
  const ProgramMetrics program_metrics(registry);
  ConductorMetrics metrics(registry);
  metrics.CountDecision("shop", {.what = "start"});
  metrics.CountRefusal("edge-1", "shop");
  metrics.CountImplausible("edge-1");
  metrics.CountFlood("edge-1");
  metrics.ObserveRecording(Duration(1), true);
  metrics.Show(StateWithEverything(), fleet::Fleet(), kNow);
  watch::WatchMetrics watch_metrics(registry);
  watch::History history;
  const database::Finding lag{.severity = database::Severity::kDegraded,
                              .drains = false,
                              .kind = "lag",
                              .server = "db2",
                              .text = "late"};
  for (const watch::Change& change : history.Take(
           "orders", {.findings = {lag}, .observed_at = kNow, .data = database::DataStanding()},
           kNow)) {
    watch_metrics.CountChange(change);
  }
  watch_metrics.Show("orders", history.databases().at("orders"));
  std::set<std::string> exported;
  for (const prometheus::MetricFamily& family : registry.Collect()) exported.insert(family.name);
  EXPECT_FALSE(exported.empty());
  EXPECT_EQ(exported, DocumentedNames());
}

std::size_t SeriesOf(const char* name, prometheus::Registry& registry) {
  for (const prometheus::MetricFamily& family : registry.Collect()) {
    if (family.name == name) return family.metric.size();
  }
  return 0;
}

std::size_t Verdicts(prometheus::Registry& registry) {
  return SeriesOf("headgate_check_verdict", registry);
}

TEST(ConductorMetrics, ACheckThatNobodyAsksAnyMoreHasNoVerdict) {
  prometheus::Registry registry;
  ConductorMetrics metrics(registry);
  engine::State state = StateWithEverything();
  metrics.Show(state, fleet::Fleet(), kNow);
  EXPECT_EQ(Verdicts(registry), 4U);
  state.gates["shop"].record.restoration->phase = engine::Completed{};
  metrics.Show(state, fleet::Fleet(), kNow);
  EXPECT_EQ(Verdicts(registry), 0U);
  // The next restoration asks again.
  state.gates["shop"].record.restoration->phase = engine::Preflight{};
  metrics.Show(state, fleet::Fleet(), kNow);
  EXPECT_EQ(Verdicts(registry), 4U);
}

TEST(ConductorMetrics, AnAgentThatLeftItsGateIsNotToldOfThereAnyMore) {
  prometheus::Registry registry;
  ConductorMetrics metrics(registry);
  engine::State state = StateWithEverything();
  metrics.Show(state, fleet::Fleet(), kNow);
  const std::size_t agents = state.gates["shop"].evidence.agents.size();
  ASSERT_GT(agents, 0U);
  EXPECT_EQ(SeriesOf("headgate_agent_connected", registry), agents);
  state.gates["shop"].evidence.agents.clear();
  metrics.Show(state, fleet::Fleet(), kNow);
  EXPECT_EQ(SeriesOf("headgate_agent_connected", registry), 0U);
  EXPECT_EQ(SeriesOf("headgate_agent_enforced_share_ratio", registry), 0U);
  EXPECT_EQ(SeriesOf("headgate_gate_share_ratio", registry), 1U);
}

}  // namespace
}  // namespace headgate::conductor
