#include "controller/rehearsal/restorer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/base/check.h"
#include "controller/engine/attention.h"

namespace headgate::rehearsal {
namespace {

constexpr char kAgent[] = "fleet";
// 2024-08-14 18:00:00 UTC, the evening that Headgate is made for.
constexpr std::int64_t kEveningMillis = 1'723'658'400'000;
constexpr Duration kSecond{1'000};
// Agents refuse everybody and count for so long before the restoration starts.
constexpr int kClosedSeconds = 10;
// Beyond ready_for, for the first share to be recorded; if it is not by then, the run begins at 0
// %.
constexpr Duration kPreflightMax{120'000};
// As kFollowedUp, of a step down.
constexpr double kFollowedDown = 0.8;

// One agent stands for the fleet: they do not differ here, and each would cost as much again.
engine::Plan ForOneAgent(const engine::Plan& plan) {
  engine::PlanSpec spec = plan.spec();
  spec.agents = {kAgent};
  spec.agent_count = 0;
  spec.source.clear();
  absl::StatusOr<engine::Plan> rehearsed = engine::Plan::Create(std::move(spec));
  HEADGATE_CHECK(rehearsed.ok());
  return *std::move(rehearsed);
}

std::set<std::uint32_t> ThresholdsOf(const engine::PlanSpec& plan) {
  std::set<std::uint32_t> thresholds;
  for (const engine::CheckSpec& check : plan.checks) {
    const engine::AgentRatio* agents = engine::AgentRatioOf(check);
    if (agents != nullptr && agents->metric == engine::AgentRatio::Metric::kSlowerThan) {
      thresholds.insert(static_cast<std::uint32_t>(agents->slower_than.count()));
    }
  }
  return thresholds;
}

// The part of `whole` that falls into the `turn`th of `turns`, from 1; they add up to it.
std::uint64_t PartOf(std::int64_t whole, int turn, int turns) {
  return static_cast<std::uint64_t>(whole * turn / turns - whole * (turn - 1) / turns);
}

bool HasFollowed(Share from, Share to, Share applied) {
  const double way = double(to.ppm()) - double(from.ppm());
  const double gone = double(applied.ppm()) - double(from.ppm());
  return way >= 0 ? gone >= kFollowedUp * way : gone <= kFollowedDown * way;
}

std::size_t PhaseOf(const engine::Gate& gate) {
  return gate.record.restoration ? gate.record.restoration->phase.index() : std::variant_npos;
}

}  // namespace

Restorer::Restorer(const engine::Plan& plan, const RestorerOptions& options)
    : options_(options),
      plan_(ForOneAgent(plan)),
      thresholds_ms_(ThresholdsOf(plan.spec())),
      now_(FromUnixMillis(kEveningMillis)) {
  Prepare(plan_);
}

// A gate at 0 % whose load balancers refuse everybody; then the restoration, up to its first share.
void Restorer::Prepare(const engine::Plan& plan) {
  const Seen nobody{.has_data = true};
  Feed(engine::ReignBegan{1});
  Order(engine::CreateGate{Share::None()});
  RunUntil(now_ + options_.record_delay + kSecond);
  for (int second = 0; second < kClosedSeconds; ++second) LiveUntil(now_ + kSecond, nobody);
  Order(engine::StartRestoration{plan, true});
  const TimePoint latest = now_ + plan.spec().ready_for + kPreflightMax;
  while (gate().record.share == Share::None() && now_ < latest) LiveUntil(now_ + kSecond, nobody);
  began_ = now_;
  for (Decision& decision : decisions_) decision.at_s -= double(UnixMillis(began_)) / 1e3;
}

Share Restorer::Decide(const Seen& seen) {
  retreated_now_ = false;
  if (seen.at_s > 0) LiveUntil(began_ + seen.at_s * kSecond, seen);
  if (!first_call_ && AsksForAPerson()) {
    first_call_ = Call{.at_s = double(seen.at_s), .why = WhyAPerson()};
  }
  return gate().record.share;
}

void Restorer::LiveUntil(TimePoint end, const Seen& seen) {
  // Nothing but a person moves a gate whose restoration is over.
  if (HasEnded()) {
    now_ = end;
    return;
  }
  const int turns = options_.turns_per_second;
  for (int turn = 1; turn <= turns; ++turn) {
    const TimePoint at = end - kSecond * (turns - turn) / turns;
    RunUntil(at);
    if (turn == turns) {
      if (seen.has_data) ReportAgent(seen.applied);
      TellUtilisation(seen);
      TakeReadings(seen);
    }
    if (seen.has_data) PushCounts(seen, turn);
    const std::optional<TimePoint> wake_at = engine::WakeAt(state_);
    if (wake_at && *wake_at <= now_) Feed(engine::Tick{});
    Attend();
  }
}

void Restorer::RunUntil(TimePoint to) {
  // Between the turns only the journal's answers come: a decision takes effect in the platform's
  // next second at the earliest, so that looking at time more often would move nothing.
  while (!recording_.empty() && recording_.front().at <= to) {
    const Due due = recording_.front();
    recording_.pop_front();
    now_ = std::max(now_, due.at);
    Feed(engine::Recorded{plan_.spec().gate, due.token});
  }
  now_ = to;
}

void Restorer::Feed(const engine::Event& event) {
  const auto found = state_.gates.find(plan_.spec().gate);
  const bool is_known = found != state_.gates.end();
  const Share before = is_known ? found->second.record.share : Share::None();
  const std::size_t phase_before = is_known ? PhaseOf(found->second) : std::variant_npos;
  engine::Outcome outcome = engine::Apply(std::move(state_), event, now_);
  state_ = std::move(outcome.state);
  if (is_known) Note(gate(), before, phase_before);
  for (const engine::Action& action : outcome.actions) CarryOut(action);
  if (options_.record_delay == Duration(0)) {
    while (!recording_.empty()) {
      const Due due = recording_.front();
      recording_.pop_front();
      Feed(engine::Recorded{plan_.spec().gate, due.token});
    }
  }
}

void Restorer::Order(engine::Order order) {
  Feed(engine::Command{.gate = plan_.spec().gate, .order = std::move(order), .actor = "rehearsal"});
}

void Restorer::Note(const engine::Gate& gate, Share before, std::size_t phase_before) {
  const Share after = gate.record.share;
  if (after == before && PhaseOf(gate) == phase_before) return;
  const bool is_retreat = after < before && gate.cause.kind == engine::Cause::Kind::kCheck;
  retreated_now_ = retreated_now_ || is_retreat;
  const engine::Phase& phase = gate.record.restoration->phase;
  // Until it is known when the first users come in, times are absolute.
  decisions_.push_back({.at_s = double((now_ - began_).count()) / 1e3,
                        .from = before,
                        .to = after,
                        .phase = engine::NameOf(phase),
                        .cause = gate.cause,
                        .is_retreat = is_retreat});
}

void Restorer::CarryOut(const engine::Action& action) {
  if (const auto* record = std::get_if<engine::Record>(&action)) {
    recording_.push_back({now_ + options_.record_delay, record->token});
  } else if (const auto* publish = std::get_if<engine::Publish>(&action)) {
    // The same share again changes nothing at the agents.
    if (publish->directive.share != directive_.share) came_from_ = directive_.share;
    directive_ = publish->directive;
    is_observed_ = false;
  } else if (const auto* told = std::get_if<engine::Told>(&action)) {
    if (told->pages) paged_ = told->text;
  }
}

void Restorer::Attend() {
  if (!gate().record.restoration) return;
  const engine::Restoration& restoration = *gate().record.restoration;
  const auto* waiting = std::get_if<engine::WaitingForApproval>(&restoration.phase);
  if (waiting != nullptr && restoration.approved < waiting->step) Order(engine::Approve{});
  if (!HoldsForAPerson() || !options_.resumed_after) {
    resumed_at_.reset();
    return;
  }
  if (!resumed_at_) resumed_at_ = now_ + *options_.resumed_after;
  if (now_ >= *resumed_at_) Order(engine::Resume{});
}

void Restorer::ReportAgent(Share applied) {
  if (is_observed_) return;
  is_observed_ = HasFollowed(came_from_, directive_.share, applied);
  using Stage = engine::AgentView::Stage;
  const Share enforced = directive_.share;
  Feed(engine::AgentReported{
      plan_.spec().gate,
      {.name = kAgent,
       .connected = true,
       .version = directive_.version,
       .stage = is_observed_ ? Stage::kObserved : Stage::kApplied,
       .enforced = enforced,
       .admit_by = plan_.spec().admit_by,
       .slow_thresholds_ms = {thresholds_ms_.begin(), thresholds_ms_.end()}}});
}

void Restorer::PushCounts(const Seen& seen, int turn) {
  const int turns = options_.turns_per_second;
  const double out = 1 - double(seen.applied.ppm()) / Share::kPpmMax;
  engine::Counts counts;
  counts.admitted = PartOf(seen.requests, turn, turns);
  counts.http_5xx = PartOf(seen.errors, turn, turns);
  refused_ += options_.rps * out / turns;
  counts.refused = static_cast<std::uint64_t>(refused_);
  refused_ -= double(counts.refused);
  for (const std::uint32_t threshold : thresholds_ms_) {
    counts.slower_than_ms[threshold] = PartOf(seen.slow, turn, turns);
  }
  Feed(engine::CountsArrived{plan_.spec().gate, kAgent, counts});
}

void Restorer::TakeReadings(const Seen& seen) {
  for (auto& [check, tally] : since_read_) {
    tally.total += static_cast<std::uint64_t>(seen.requests);
    tally.bad += static_cast<std::uint64_t>(seen.errors);
  }
  if (!seen.has_data || !gate().record.restoration) return;
  for (const auto& [name, database] : plan_.spec().databases) {
    Feed(engine::ReadingArrived{plan_.spec().gate,
                                "database/" + name,
                                {.observed_at = now_, .value = engine::DatabaseReport{}}});
  }
  for (const engine::CheckSpec& check : plan_.spec().checks) {
    if (!std::holds_alternative<engine::DatabaseCheck>(check.kind)) ReadPrometheus(check);
  }
}

void Restorer::ReadPrometheus(const engine::CheckSpec& check) {
  engine::Reading reading{.observed_at = now_, .value = engine::NoData{}};
  Duration every{0};
  if (const auto* ratio = std::get_if<engine::RatioCheck>(&check.kind)) {
    const auto* source = std::get_if<engine::PrometheusRatio>(&ratio->source);
    if (source == nullptr) return;
    every = source->every;
    reading.value = since_read_[check.name];
  } else if (const auto* value = std::get_if<engine::ValueCheck>(&check.kind)) {
    every = value->source.every;
    // As far inside the soft bound as the hard one is beyond it.
    reading.value = engine::Value{2 * value->soft - value->hard};
  }
  TimePoint& next = next_read_[check.name];
  if (now_ < next) return;
  next = now_ + every;
  since_read_[check.name] = {};
  Feed(engine::ReadingArrived{plan_.spec().gate, check.name, std::move(reading)});
}

void Restorer::TellUtilisation(const Seen& seen) {
  const auto& adaptive = plan_.spec().adaptive;
  if (!options_.sees_utilisation || !seen.utilisation || !adaptive || !adaptive->utilisation)
    return;
  const Duration age(std::llround(seen.utilisation_age_s * 1e3));
  Feed(engine::ReadingArrived{
      plan_.spec().gate,
      engine::kUtilisationSource,
      {.observed_at = now_ - age, .value = engine::Value{*seen.utilisation}}});
}

engine::Explanation Restorer::Explain() const { return engine::Explain(state_, gate(), now_); }

bool Restorer::AsksForAPerson() const { return engine::NeedsAPerson(gate()); }

bool Restorer::HoldsForAPerson() const {
  if (!gate().record.restoration) return false;
  const auto* holding = std::get_if<engine::Holding>(&gate().record.restoration->phase);
  if (holding == nullptr) return false;
  return holding->why == engine::Holding::Why::kCheckFailed ||
         holding->why == engine::Holding::Why::kRetriesExhausted;
}

std::string Restorer::LastFailure() const {
  const auto last = std::find_if(decisions_.rbegin(), decisions_.rend(), [](const Decision& made) {
    return made.is_retreat && !made.cause.why.empty();
  });
  return last == decisions_.rend() ? "" : last->cause.why;
}

std::string Restorer::WhyAPerson() const {
  const auto* holding = std::get_if<engine::Holding>(&gate().record.restoration->phase);
  if (holding == nullptr) return paged_;
  const bool is_exhausted = holding->why == engine::Holding::Why::kRetriesExhausted;
  return is_exhausted ? holding->detail + "; the last time " + LastFailure() : holding->detail;
}

bool Restorer::HasEnded() const {
  const auto& restoration = gate().record.restoration;
  return restoration && engine::HasEnded(*restoration);
}

const engine::Gate& Restorer::gate() const { return state_.gates.at(plan_.spec().gate); }

}  // namespace headgate::rehearsal
