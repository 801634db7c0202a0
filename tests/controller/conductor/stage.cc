#include "tests/controller/conductor/stage.h"

#include <gtest/gtest.h>

#include <utility>

#include "controller/plan/plan.h"

namespace headgate::conductor {
namespace {

constexpr Duration kStep{50};

absl::StatusOr<engine::Plan> PlanFromSourceBytes(const std::string& source) {
  const auto proto = plan::FromSource(source);
  if (!proto.ok()) return proto.status();
  return plan::ToEngine(*proto);
}

}  // namespace

void StageAgent::Send(const Directive& directive, const Outlook& outlook, Duration) {
  outlooks.push_back(outlook);
  if (!sent.empty() && sent.back() == directive) return;
  sent.push_back(directive);
}

Reign::Reign(const Clock& clock, Log& log, journal::Journal* journal, std::string journal_trouble,
             Legacy legacy)
    : loop(clock),
      metrics(registry),
      conductor(
          {.loop = loop,
           .clock = clock,
           .log = log,
           .journal = journal,
           .journal_trouble = std::move(journal_trouble),
           .metrics = metrics,
           .plan_from_source = PlanFromSourceBytes,
           .follow =
               [this](std::vector<signals::SignalSpec> specs) { followed = std::move(specs); },
           .refresh = [](const std::string&) {},
           .default_prometheus_url = "",
           .controller_name = "ctl-1",
           .legacy = std::move(legacy)}) {}

Stage::Stage()
    : clock_(FromUnixMillis(1'723'658'400'000)), log_(clock_, {.level = LogLevel::kError}) {}

absl::Status Stage::Start(std::size_t reached_disk) {
  if (journal_ != nullptr) journal_->LosePower(reached_disk);
  StartReign(nullptr, "");
  reign_.reset();
  journal_ = std::make_unique<journal::MemoryJournal>(disk_);
  StartReign(journal_.get(), "");
  return reign_->conductor.Recover();
}

absl::Status Stage::StartWithoutJournal(const std::string& why) {
  StartReign(nullptr, why);
  return reign_->conductor.Recover();
}

absl::Status Stage::StartOver() {
  legacy_ = reign_->conductor.Leave();
  return Start();
}

void Stage::StartReign(journal::Journal* journal, const std::string& journal_trouble) {
  for (auto& [name, agent] : agents_) agent->is_connected = false;
  reign_ = std::make_unique<Reign>(clock_, log_, journal, journal_trouble, legacy_);
}

StageAgent& Stage::agent(const std::string& name) {
  auto& agent = agents_[name];
  if (agent == nullptr) {
    agent = std::make_shared<StageAgent>();
    agent->report = {.gate = "shop", .enforced = Share::All(), .admit_by = "cookie headgate_uid"};
    agent->totals = {.gate = "shop", .live = true};
  }
  return *agent;
}

void Stage::Connect(const std::string& name) {
  agent(name).is_connected = true;
  const absl::Status status = conductor().Connect(
      name, agents_.at(name),
      {.boot_id = name, .labels = agent(name).labels, .gates = {agent(name).report}});
  EXPECT_TRUE(status.ok()) << status;
}

void Stage::Disconnect(const std::string& name) {
  agent(name).is_connected = false;
  conductor().Disconnect(name, agents_.at(name).get());
}

void Stage::Obey(const std::string& name) {
  StageAgent& obedient = agent(name);
  if (!obedient.is_connected || !obedient.obeys || obedient.sent.empty()) return;
  const Directive& directive = obedient.sent.back();
  fleet::GateReport& report = obedient.report;
  if (directive.version < report.version) return;
  if (directive.version == report.version && report.stage == obedient.reaches) return;
  report.version = directive.version;
  report.stage = obedient.reaches;
  report.enforced =
      directive.no_raise ? std::min(report.enforced, directive.share) : directive.share;
  conductor().Report(name, agents_.at(name).get(), report);
}

void Stage::Tell(const std::string& name) {
  conductor().Report(name, agents_.at(name).get(), agent(name).report);
}

void Stage::Count(const std::string& name) {
  StageAgent& counting = agent(name);
  if (!counting.is_connected) return;
  const auto requests = static_cast<std::uint64_t>(40 * counting.report.enforced.ppm() / 1'000'000);
  counting.totals.admitted += requests;
  counting.totals.refused += 40 - requests;
  counting.totals.http_5xx += static_cast<std::uint64_t>(double(requests) * errors);
  conductor().Count(name, agents_.at(name).get(),
                    {.boot_id = name, .sequence = ++counting.pushes, .gates = {counting.totals}});
}

void Stage::Turn() {
  while (reign_->loop.Turn()) {
  }
}

void Stage::Run(Duration by) {
  RunUntil([] { return false; }, by);
}

bool Stage::RunUntil(const std::function<bool()>& is_so, Duration at_most) {
  const TimePoint end = now() + at_most;
  for (Turn(); !is_so(); Turn()) {
    if (now() >= end) return false;
    clock_.Advance(kStep);
    Turn();
    for (const auto& [name, agent] : agents_) {
      Obey(name);
      Count(name);
    }
  }
  return true;
}

std::shared_ptr<std::optional<Answer>> Stage::Do(engine::Order order, WaitFor wait_for,
                                                 const std::string& gate, Duration timeout) {
  return Do(
      engine::Command{.gate = gate, .order = std::move(order), .actor = "anna", .reason = "drill"},
      wait_for, timeout);
}

std::shared_ptr<std::optional<Answer>> Stage::Do(engine::Command command, WaitFor wait_for,
                                                 Duration timeout) {
  auto answer = std::make_shared<std::optional<Answer>>();
  conductor().Do(std::move(command), wait_for, timeout,
                 [answer](Answer given) { *answer = std::move(given); });
  return answer;
}

engine::Plan UsualPlan() {
  const auto plan = plan::LoadPlan(
      "gate: shop\n"
      "preflight: {agents: [edge-1, edge-2], ready_for: 1s}\n"
      "checks: [{name: errors, ratio: agents.http_5xx, limit: 1%, window: 5s}]\n"
      "ramp: {steps: [10%, 50%, 100%], bake: 2s..5s}\n"
      "then: {watch: 2s}\n",
      "p.yaml");
  EXPECT_TRUE(plan.ok()) << plan.status();
  return *plan;
}

}  // namespace headgate::conductor
