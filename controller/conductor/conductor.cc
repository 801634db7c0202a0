#include "controller/conductor/conductor.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "common/base/gate_name.h"
#include "controller/conductor/translate.h"
#include "controller/engine/explain.h"
#include "controller/engine/outlook.h"

namespace headgate::conductor {
namespace {

constexpr Duration kSecond{1'000};

std::string GateOf(const engine::Event& event) {
  return std::visit(
      [](const auto& kind) -> std::string {
        if constexpr (requires { kind.gate; }) {
          return kind.gate;
        } else {
          return "";
        }
      },
      event);
}

// A refusal is repeated with every report: the log has each once.
bool IsNewRefusal(const fleet::GateReport* before, const fleet::GateReport& report) {
  if (!report.refusal) return false;
  return before == nullptr || !before->refusal || before->refusal->detail != report.refusal->detail;
}

}  // namespace

Conductor::Conductor(Dependencies dependencies)
    : dependencies_(std::move(dependencies)), started_(dependencies_.loop.Now()) {
  dependencies_.loop.After(kSecond, [this] { EverySecond(); });
  dependencies_.loop.After(fleet::kRenewEvery, [this] { EveryRenewal(); });
}

void Conductor::Do(engine::Command command, WaitFor wait_for, Duration wait_timeout,
                   absl::AnyInvocable<void(Answer)> done) {
  if (has_ended_calls_) {
    done({.status = absl::UnavailableError("the controller is stopping")});
    return;
  }
  command.call = next_call_++;
  // The deadline begins when the engine has answered: a start waits for its preflight before.
  Wait wait{.gate = command.gate,
            .wait_for = wait_for,
            .deadline = TimePoint(std::min(wait_timeout, kWaitMax)),
            .token = 0,
            .version = {},
            .answer = {},
            .done = std::move(done)};
  calls_.emplace(command.call, std::move(wait));
  Feed(std::move(command));
}

void Conductor::EndCalls() {
  has_ended_calls_ = true;
  waits_.EndAll(state_, fleet_, now());
  for (auto& [id, wait] : std::exchange(calls_, {})) {
    wait.answer.status = absl::UnavailableError(
        "the controller is stopping; the restoration itself goes on when it is back");
    wait.done(std::move(wait.answer));
  }
}

void Conductor::Feed(engine::Event event) {
  inbox_.push_back(std::move(event));
  // Who is answered within a turn may give the next order at once: the actions of this turn come
  // first, or an older directive would be published after a newer one.
  if (is_in_turn_) return;
  is_in_turn_ = true;
  while (!inbox_.empty()) {
    const engine::Event next = std::move(inbox_.front());
    inbox_.pop_front();
    TakeTurn(next);
  }
  is_in_turn_ = false;
}

void Conductor::TakeTurn(const engine::Event& event) {
  engine::Outcome outcome = engine::Apply(std::move(state_), event, now());
  state_ = std::move(outcome.state);
  for (engine::Action& action : outcome.actions) CarryOut(std::move(action));
  const std::string gate = GateOf(event);
  // First those who obeyed a part that is no more.
  if (!outcome.actions.empty()) RouteAgents();
  ForgetRemoved(event);
  if (const auto* moved = std::get_if<engine::AgentMoved>(&event)) fleet_.Tell(moved->agent.name);
  for (auto& [id, watcher] : watchers_) {
    if (gate.empty() || watcher.gate == gate) watcher.is_dirty = true;
  }
  waits_.Settle(state_, fleet_, now());
  if (!outcome.actions.empty()) FollowSignals();
  ScheduleWake();
}

void Conductor::RouteAgents() {
  std::vector<fleet::Part> parts;
  for (const auto& [name, gate] : state_.gates) {
    if (gate.exists && IsPart(name)) parts.push_back({name, gate.record.labels});
  }
  for (const fleet::Move& move : fleet_.SetParts(std::move(parts))) {
    dependencies_.log.Info("agent_moved",
                           {{"agent", move.agent}, {"from", move.from}, {"to", move.to}});
    const fleet::Agent& agent = *fleet_.Find(move.agent);
    Feed(engine::AgentMoved{move.from, move.to, ToView(agent, agent.gates.at(move.to), now())});
  }
}

// What the engine let go of: an agent, or a gate.
void Conductor::ForgetRemoved(const engine::Event& event) {
  const auto* command = std::get_if<engine::Command>(&event);
  const bool removes =
      command != nullptr && std::holds_alternative<engine::RemoveGate>(command->order);
  if (removes && !state_.gates.contains(command->gate)) fleet_.Forget(command->gate);
  const auto* order =
      command == nullptr ? nullptr : std::get_if<engine::RemoveAgent>(&command->order);
  if (order == nullptr) return;
  const auto gate = state_.gates.find(command->gate);
  const bool is_removed =
      gate != state_.gates.end() && gate->second.record.removed.contains(order->agent);
  if (is_removed) fleet_.Remove(command->gate, order->agent);
}

void Conductor::CarryOut(engine::Action action) {
  std::visit([this](auto& kind) { CarryOut(std::move(kind)); }, action);
}

void Conductor::CarryOut(const engine::Publish& action) {
  const Directive& directive = action.directive;
  dependencies_.log.Info("directive_published", {{"gate", directive.gate},
                                                 {"epoch", directive.version.epoch},
                                                 {"revision", directive.version.revision},
                                                 {"share_ppm", directive.share.ppm()},
                                                 {"no_raise", directive.no_raise}});
  LookAhead(directive.gate);
  fleet_.Publish(directive);
  // A new share is a new question to the databases.
  for (const signals::SignalSpec& spec : followed_) {
    if (std::holds_alternative<signals::DatabaseWatch>(spec.source) &&
        spec.name.rfind(directive.gate + "/", 0) == 0) {
      dependencies_.refresh(spec.name);
    }
  }
}

void Conductor::CarryOut(engine::Record action) {
  const std::string gate = action.record.gate;
  const std::uint64_t token = action.token;
  const std::uint64_t repeats = action.repeats;
  if (repeats == 0) dependencies_.metrics.CountDecision(gate, action.cause);
  const JournalRecord record{.at = now(),
                             .epoch = state_.epoch,
                             .controller = {},
                             .change = Change{std::move(action.record), std::move(action.cause)}};
  std::string payload = Encode(record);
  if (repeats == 0) {
    timeline_.Add(record, payload, 0, token);
  } else {
    timeline_.Repeat(repeats, token);
  }
  if (!has_reign_) {
    dependencies_.loop.Post([this, gate, token] {
      Feed(engine::RecordFailed{gate, token, state_.journal_trouble});
    });
    return;
  }
  Loop& loop = dependencies_.loop;
  dependencies_.journal->Append(
      state_.epoch, std::move(payload),
      [this, &loop, gate, token, handed = now()](const absl::StatusOr<std::uint64_t>& sequence) {
        loop.Post(
            [this, gate, token, sequence, handed] { OnAppended(gate, token, sequence, handed); });
      });
}

void Conductor::OnAppended(const std::string& gate, std::uint64_t token,
                           const absl::StatusOr<std::uint64_t>& sequence, TimePoint handed) {
  dependencies_.metrics.ObserveRecording(now() - handed, sequence.ok());
  if (sequence.ok()) {
    timeline_.SetSequence(token, *sequence);
    waits_.OnRecorded(gate, token);
    Feed(engine::Recorded{gate, token});
    return;
  }
  const std::string why(sequence.status().message());
  dependencies_.log.Error("record_failed", {{"gate", gate}, {"why", why}});
  if (absl::IsAborted(sequence.status())) {
    Feed(engine::ReignLost{.why = "a newer reign owns the journal: " + why});
  }
  Feed(engine::RecordFailed{gate, token, why});
}

void Conductor::CarryOut(engine::Replied action) {
  const auto found = calls_.find(action.call);
  if (found == calls_.end()) return;
  Wait wait = std::move(found->second);
  calls_.erase(found);
  wait.answer.status = std::move(action.status);
  wait.answer.summary = std::move(action.summary);
  wait.answer.repeated = action.repeated;
  const bool is_done = action.version == Version{} && action.token == 0;
  if (!wait.answer.status.ok() || is_done) {
    wait.done(std::move(wait.answer));
    return;
  }
  // Of a gate that is no more only the record is to come.
  if (action.version == Version{}) wait.wait_for = WaitFor::kRecorded;
  wait.token = action.token;
  wait.parts = action.parts;
  wait.version = action.version;
  const auto gate = state_.gates.find(wait.gate);
  wait.is_pending_raise = gate != state_.gates.end() && gate->second.pending &&
                          gate->second.pending->next.version == action.version;
  wait.deadline = now() + wait.deadline.time_since_epoch();
  const Duration patience = wait.deadline - now();
  waits_.Add(std::move(wait));
  dependencies_.loop.After(patience, [this] { waits_.Settle(state_, fleet_, now()); });
}

void Conductor::CarryOut(engine::Told action) {
  const Log::Fields fields = {{"gate", action.gate}, {"text", action.text}};
  if (action.pages) {
    dependencies_.log.Warning("gate_needs_a_person", fields);
  } else {
    dependencies_.log.Info("gate_changed", fields);
  }
}

absl::Status Conductor::Connect(const std::string& agent, std::shared_ptr<fleet::Session> session,
                                fleet::Hello hello) {
  dependencies_.log.Info("agent_connected", {{"agent", agent},
                                             {"software", hello.software_version},
                                             {"load_balancer", hello.load_balancer}});
  const fleet::Agent* known = fleet_.Find(agent);
  const auto before = known == nullptr ? decltype(known->gates)() : known->gates;
  absl::Status status = fleet_.Connect(agent, std::move(session), std::move(hello), now());
  if (!status.ok()) return status;
  known = fleet_.Find(agent);
  const auto told = told_.find(agent);
  if (known->HasRival(now()) && told != told_.end() && !told->second.has_rival) {
    dependencies_.log.Error("agent_has_a_rival",
                            {{"agent", agent}, {"why", fleet::RivalText(*known)}});
  }
  for (const auto& [gate, report] : before) {
    if (known->gates.contains(gate)) continue;
    if (const fleet::GateReport* same = fleet::FindReport(*known, WholeOf(gate))) {
      // It came back with other labels.
      Feed(engine::AgentMoved{gate, same->gate, ToView(*known, *same, now())});
      continue;
    }
    // It says no more of a gate that it told of before.
    engine::AgentView view = ToView(*known, report, now());
    view.connected = false;
    Feed(engine::AgentReported{gate, std::move(view)});
  }
  TellEngineOfAgent(agent);
  fleet_.Tell(agent);
  return status;
}

void Conductor::Disconnect(const std::string& agent, const fleet::Session* session) {
  if (!fleet_.Disconnect(agent, session)) return;
  dependencies_.log.Warning("agent_disconnected", {{"agent", agent}});
  TellEngineOfAgent(agent);
}

void Conductor::Report(const std::string& agent, const fleet::Session* session,
                       fleet::GateReport report) {
  const fleet::Agent* known = fleet_.Find(agent);
  const fleet::GateReport* before =
      known == nullptr ? nullptr : fleet::FindReport(*known, WholeOf(report.gate));
  const bool is_news = IsNewRefusal(before, report);
  const fleet::GateReport* told = fleet_.Report(agent, session, std::move(report), now());
  if (told == nullptr) return;
  if (told->refusal) dependencies_.metrics.CountRefusal(agent, told->gate);
  if (told->refusal && is_news) {
    dependencies_.log.Warning(
        "agent_refuses", {{"agent", agent}, {"gate", told->gate}, {"why", told->refusal->detail}});
  }
  Feed(engine::AgentReported{told->gate, ToView(*known, *told, now())});
}

void Conductor::Count(const std::string& agent, const fleet::Session* session,
                      const fleet::CountersPush& push) {
  const fleet::CountingResult result = fleet_.Count(agent, session, push, now());
  for (const std::string& why : result.implausible) {
    dependencies_.log.Warning("implausible_counts", {{"agent", agent}, {"why", why}});
    dependencies_.metrics.CountImplausible(agent);
  }
  for (const fleet::GateTotals& delta : result.deltas) Feed(ToEvent(agent, delta));
}

void Conductor::CountFlood(const std::string& agent) {
  dependencies_.log.Warning("agent_floods", {{"agent", agent}});
  dependencies_.metrics.CountFlood(agent);
}

void Conductor::OnReading(const signals::Reading& reading) { Feed(ToEvent(reading)); }

void Conductor::TellEngineOfAgent(const std::string& agent) {
  const fleet::Agent* known = fleet_.Find(agent);
  if (known == nullptr) return;
  told_[agent] = {known->IsConnected(now()), known->HasRival(now())};
  for (const auto& [gate, report] : known->gates) {
    Feed(engine::AgentReported{gate, ToView(*known, report, now())});
  }
}

void Conductor::FollowSignals() {
  std::vector<signals::SignalSpec> specs;
  for (const auto& [name, gate] : state_.gates) {
    const auto& restoration = gate.record.restoration;
    if (!restoration || engine::HasEnded(*restoration)) continue;
    for (signals::SignalSpec& spec :
         SignalsOf(restoration->plan.spec(), dependencies_.default_prometheus_url)) {
      specs.push_back(std::move(spec));
    }
  }
  if (specs == followed_) return;
  followed_ = specs;
  dependencies_.follow(std::move(specs));
}

void Conductor::ScheduleWake() {
  const std::optional<TimePoint> wake_at = engine::WakeAt(state_);
  if (!wake_at || (wake_timer_ != 0 && wake_at_ <= *wake_at)) return;
  if (wake_timer_ != 0) dependencies_.loop.Cancel(wake_timer_);
  wake_at_ = *wake_at;
  wake_timer_ = dependencies_.loop.At(wake_at_, [this] {
    wake_timer_ = 0;
    Feed(engine::Tick{});
  });
}

void Conductor::EverySecond() {
  dependencies_.loop.After(kSecond, [this] { EverySecond(); });
  for (const auto& [name, agent] : fleet_.agents()) {
    const auto told = told_.find(name);
    const Told present{agent.IsConnected(now()), agent.HasRival(now())};
    if (told == told_.end() || told->second != present) TellEngineOfAgent(name);
  }
  dependencies_.metrics.Show(state_, fleet_, now());
}

void Conductor::EveryRenewal() {
  dependencies_.loop.After(fleet::kRenewEvery, [this] { EveryRenewal(); });
  for (const auto& [name, gate] : state_.gates) LookAhead(name);
  fleet_.Renew();
}

void Conductor::LookAhead(const std::string& name) {
  const auto gate = state_.gates.find(name);
  if (gate == state_.gates.end()) return;
  // What people read on their clocks is the wall clock's.
  const Duration ahead = dependencies_.clock.WallNow() - dependencies_.clock.Now();
  fleet_.Foresee(name, Moved(engine::OutlookOf(state_, gate->second, now()), ahead));
}

}  // namespace headgate::conductor
