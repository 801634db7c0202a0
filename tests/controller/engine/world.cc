#include "tests/controller/engine/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "controller/engine/explain.h"

namespace headgate::engine {
namespace {

// 2024-08-14 18:00:00 UTC, the evening that Headgate is made for.
constexpr std::int64_t kEveningMillis = 1'723'658'400'000;
constexpr Duration kPush{250};
constexpr Duration kConnects{100};

bool WasPaged(const std::vector<Action>& actions) {
  return std::any_of(actions.begin(), actions.end(), [](const Action& action) {
    const auto* told = std::get_if<Told>(&action);
    return told != nullptr && told->pages;
  });
}

// " keys 2 of 1 2"
std::string KeysOf(const Directive& directive) {
  const CookieKeys& cookie_keys = directive.cookie_keys;
  if (cookie_keys.empty()) return "";
  std::string text = fmt::format(" keys {} of", cookie_keys.issuing);
  for (const CookieKey& key : cookie_keys.keys) text += fmt::format(" {}", key.id);
  return text;
}

std::string WhyOf(const Cause& cause) {
  std::string text = cause.what;
  if (!cause.who.empty()) text += " by " + cause.who;
  if (!cause.why.empty()) text += ": " + cause.why;
  return text;
}

std::string WithDetail(const Phase& phase) {
  std::string text = NameOf(phase);
  if (const auto* curing = std::get_if<Curing>(&phase)) {
    text += " not before " + FormatTimeOfDay(curing->not_before);
  }
  return text;
}

// Whole events of a stream, without losing what a division leaves over.
std::uint64_t Whole(double& left_over, double more) {
  left_over += more;
  const double whole = std::floor(left_over + 1e-9);
  left_over -= whole;
  return static_cast<std::uint64_t>(whole);
}

}  // namespace

World::World(std::function<void(std::string)> say)
    : say_(std::move(say)), now_(FromUnixMillis(kEveningMillis)) {
  Feed(ReignBegan{reign_});
  At(kPush, [this] { Count(); });
}

void World::Run(Duration by) {
  RunUntil([] { return false; }, by);
}

bool World::RunUntil(const std::function<bool()>& is_reached, Duration at_most) {
  const TimePoint end = now_ + at_most;
  while (!is_reached()) {
    TimePoint next = end;
    if (!queue_.empty()) next = std::min(next, queue_.begin()->first.first);
    if (wake_at_) next = std::min(next, *wake_at_);
    const bool is_over = next >= end && (queue_.empty() || queue_.begin()->first.first > end) &&
                         (!wake_at_ || *wake_at_ > end);
    if (is_over) {
      now_ = end;
      return is_reached();
    }
    Step(next);
  }
  return true;
}

void World::Step(TimePoint to) {
  now_ = to;
  if (!queue_.empty() && queue_.begin()->first.first <= now_) {
    const std::function<void()> function = std::move(queue_.begin()->second);
    queue_.erase(queue_.begin());
    function();
    return;
  }
  if (wake_at_ && *wake_at_ <= now_) {
    wake_at_.reset();
    Feed(Tick{});
  }
}

void World::At(Duration delay, std::function<void()> function) {
  queue_.emplace(std::pair(now_ + delay, queued_++), std::move(function));
}

// As the conductor's: a timer that is set stays.
void World::ScheduleWake() {
  const std::optional<TimePoint> wake_at = WakeAt(state_);
  if (wake_at && !wake_at_) wake_at_ = wake_at;
}

const Gate* World::gate() const {
  const auto found = state_.gates.find(kGate);
  return found == state_.gates.end() ? nullptr : &found->second;
}

std::optional<Phase> World::PhaseNow() const {
  const Gate* known = gate();
  if (known == nullptr || !known->record.restoration) return std::nullopt;
  return known->record.restoration->phase;
}

void World::Feed(const Event& event) {
  const std::optional<Phase> before = PhaseNow();
  Outcome outcome = Apply(std::move(state_), event, now_);
  state_ = std::move(outcome.state);
  Tell(outcome, before);
  for (const Action& action : outcome.actions) CarryOut(action);
  ScheduleWake();
}

void World::Tell(const Outcome& outcome, const std::optional<Phase>& before) {
  const std::optional<Phase> after = PhaseNow();
  const bool phase_changed = after && before != after;
  const std::string phase = phase_changed ? " " + WithDetail(*after) : "";
  const std::string pages = WasPaged(outcome.actions) ? " [pages]" : "";
  bool was_told = false;
  for (const Action& action : outcome.actions) {
    if (const auto* publish = std::get_if<Publish>(&action)) {
      const Directive& directive = publish->directive;
      say_(fmt::format("revision {}: admit {}{}{}{} ({}){}", directive.version.revision,
                       directive.share.ToString(), directive.no_raise ? " at most" : "",
                       KeysOf(directive), phase, WhyOf(gate()->cause), pages));
      was_told = true;
    } else if (const auto* reply = std::get_if<Replied>(&action)) {
      const bool is_ok = reply->status.ok();
      say_(fmt::format("reply {}: {}", absl::StatusCodeToString(reply->status.code()),
                       is_ok ? reply->summary : std::string(reply->status.message())));
    }
  }
  if (was_told) return;
  if (phase_changed) {
    say_(fmt::format("phase{} ({}){}", phase, WhyOf(gate()->cause), pages));
    return;
  }
  for (const Action& action : outcome.actions) {
    const auto* told = std::get_if<Told>(&action);
    if (told != nullptr && told->pages) say_("told: " + told->text + " [pages]");
  }
}

void World::CarryOut(const Action& action) {
  if (const auto* record = std::get_if<engine::Record>(&action)) {
    Record(*record);
  } else if (const auto* publish = std::get_if<Publish>(&action)) {
    directive_ = publish->directive;
    for (const auto& [name, agent] : agents_) {
      if (agent.view.connected) At(agent.obeys_after, [this, who = name] { Obey(who); });
    }
  }
}

void World::Record(const engine::Record& record) {
  switch (journal_.mode) {
    case FakeJournal::Mode::kHangs:
      journal_.hanging.push_back(record);
      return;
    case FakeJournal::Mode::kMute:
      journal_.accepted.push_back(record.record);
      return;
    case FakeJournal::Mode::kFails:
      At(journal_.takes, [this, record, reign = reign_] {
        if (reign == reign_) Feed(RecordFailed{record.record.gate, record.token, "disk full"});
      });
      return;
    case FakeJournal::Mode::kWorks:
      Accept(record);
      return;
  }
}

void World::Accept(const engine::Record& record) {
  At(journal_.takes, [this, record, reign = reign_] {
    if (reign != reign_) return;
    journal_.accepted.push_back(record.record);
    Feed(Recorded{record.record.gate, record.token});
  });
}

void World::SetJournal(FakeJournal::Mode mode) {
  journal_.mode = mode;
  if (mode != FakeJournal::Mode::kWorks) return;
  for (const engine::Record& record : std::exchange(journal_.hanging, {})) Accept(record);
}

// What hung is lost, as is everything that was not in the journal.
void World::Restart() {
  ++reign_;
  journal_.mode = FakeJournal::Mode::kWorks;
  journal_.hanging.clear();
  state_ = State();
  directive_.reset();
  wake_at_.reset();
  say_(fmt::format("reign {} begins", reign_));
  for (const GateRecord& record : journal_.accepted) {
    state_ = Apply(std::move(state_), Replayed{record}, now_).state;
  }
  Feed(ReignBegan{reign_});
  for (auto& [name, agent] : agents_) {
    if (!std::exchange(agent.view.connected, false)) continue;
    At(kConnects, [this, who = name] { Connect(who); });
  }
}

FakeAgent& World::agent(const std::string& name) {
  FakeAgent& agent = agents_[name];
  if (agent.view.name.empty()) {
    agent.view.name = name;
    agent.view.admit_by = PlanSpec().admit_by;
    agent.view.slow_thresholds_ms = {500};
    // Until its gate exists an agent touches nothing: everybody is admitted.
    agent.view.enforced = Share::All();
  }
  return agent;
}

void World::Connect(const std::string& name) {
  agent(name).view.connected = true;
  Touch(name);
}

void World::Disconnect(const std::string& name) {
  agent(name).view.connected = false;
  Report(agent(name));
}

void World::Touch(const std::string& name) {
  Report(agent(name));
  At(agent(name).obeys_after, [this, name] { Obey(name); });
}

void World::Report(const FakeAgent& agent) { Feed(AgentReported{kGate, agent.view}); }

void World::Obey(const std::string& name) {
  FakeAgent& agent = agents_.at(name);
  AgentView& view = agent.view;
  const bool is_in_force = view.stage == AgentView::Stage::kObserved;
  if (!view.connected || !directive_ || directive_->version < view.version) return;
  if (directive_->version == view.version && is_in_force) return;
  if (!agent.refuses.empty()) {
    view.stage = AgentView::Stage::kRefused;
    view.refusal = agent.refuses;
    Report(agent);
    return;
  }
  view.refusal.clear();
  view.version = directive_->version;
  view.stage = AgentView::Stage::kObserved;
  if (view.local_override.empty()) {
    view.enforced =
        directive_->no_raise ? std::min(view.enforced, directive_->share) : directive_->share;
  }
  Report(agent);
}

void World::Count() {
  At(kPush, [this] { Count(); });
  std::uint64_t weights = 0;
  for (const auto& [name, agent] : agents_) weights += agent.weight;
  for (auto& [name, agent] : agents_) {
    if (agent.view.connected && agent.counts) {
      CountOne(agent, double(agent.weight) / double(weights));
    }
  }
}

void World::CountOne(FakeAgent& agent, double part_of_users) {
  const double seconds = double(kPush.count()) / 1000;
  const double requests = demand_.requests_per_second * part_of_users * seconds;
  const double share = double(agent.view.enforced.ppm()) / Share::kPpmMax;
  const bool is_above = demand_.knee && agent.view.enforced > *demand_.knee;
  const double of_the_shop = is_above ? demand_.error_ratio_above_knee : demand_.error_ratio;
  const double errors = agent.error_ratio.value_or(of_the_shop);
  Counts counts;
  counts.admitted = Whole(agent.left_over["admitted"], requests * share);
  counts.refused = Whole(agent.left_over["refused"], requests * (1 - share));
  counts.http_5xx = Whole(agent.left_over["errors"], double(counts.admitted) * errors);
  counts.slower_than_ms[500] =
      Whole(agent.left_over["slow"], double(counts.admitted) * demand_.slow_ratio);
  Feed(CountsArrived{kGate, agent.view.name, counts});
}

void World::Measure(const std::string& source, Measurement measurement) {
  const bool is_running = next_measurement_.contains(source);
  measurements_[source] = std::move(measurement);
  if (is_running) return;
  next_measurement_[source] = now_;
  TakeMeasurement(source);
}

void World::SetLoad(double at_full_share) {
  const bool is_running = load_.has_value();
  load_ = at_full_share;
  if (!is_running) TakeLoad();
}

void World::TakeLoad() {
  At(Duration(1'000), [this] { TakeLoad(); });
  double share = 0;
  for (const auto& [name, agent] : agents_) {
    share = std::max(share, double(agent.view.enforced.ppm()) / Share::kPpmMax);
  }
  Feed(ReadingArrived{kGate, kUtilisationSource,
                      Reading{.observed_at = now_, .value = Value{std::min(*load_ * share, 1.0)}}});
}

void World::TakeMeasurement(const std::string& source) {
  const auto found = measurements_.find(source);
  if (found == measurements_.end()) {
    next_measurement_.erase(source);
    return;
  }
  At(found->second.every, [this, source] { TakeMeasurement(source); });
  Feed(ReadingArrived{kGate, source, Reading{.observed_at = now_, .value = found->second.value}});
}

}  // namespace headgate::engine
