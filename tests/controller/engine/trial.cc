#include "tests/controller/engine/trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "controller/conductor/codec.h"
#include "controller/engine/adaptive.h"
#include "controller/engine/explain.h"
#include "controller/engine/turn.h"
#include "controller/plan/plan.h"

namespace headgate::engine {
namespace {

constexpr int kAgents = 2;
constexpr std::array kKinds = {"time",     "calm",  "counts",     "lag",
                               "database", "obeys", "misbehaves", "recorded",
                               "fails",    "order", "restart",    "reign lost"};

bool IsRaise(const Directive& from, const Directive& to) {
  return to.share > from.share || (from.no_raise && !to.no_raise);
}

bool StandsWithoutEvidence(const Record& record) {
  return record.cause.what == "open" || record.cause.what == "create";
}

bool Lowers(const Order& order) {
  return std::holds_alternative<CloseGate>(order) || std::holds_alternative<Retreat>(order) ||
         std::holds_alternative<Abort>(order);
}

absl::StatusOr<Plan> PlanFromSource(const std::string& source) {
  const auto proto = plan::FromSource(source);
  if (!proto.ok()) return proto.status();
  return plan::ToEngine(*proto);
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Happening& happening) {
  return out << kKinds.at(static_cast<std::size_t>(happening.kind)) << "(" << happening.amount
             << ", " << happening.who << ")";
}

Trial::Trial(Plan plan) : plan_(std::move(plan)), now_(Duration(1'000'000)) {
  for (int i = 0; i < kAgents; ++i) {
    Obedient agent;
    agent.view.name = fmt::format("edge-{}", i + 1);
    agent.view.connected = true;
    agent.view.enforced = Share::All();
    agent.view.admit_by = plan_.spec().admit_by;
    agents_.push_back(agent);
  }
  Feed(ReignBegan{epoch_});
  Feed(Command{.call = ++calls_, .gate = kGate, .order = CreateGate{Share::None()}, .actor = "op"});
  Answer(true);
}

const Gate* Trial::gate() const {
  const auto found = state_.gates.find(kGate);
  return found == state_.gates.end() ? nullptr : &found->second;
}

void Trial::Break(const std::string& promise) {
  if (broken_.empty()) broken_ = promise;
}

void Trial::Feed(const Event& event) {
  std::optional<Gate> before;
  if (gate() != nullptr) before = *gate();
  Outcome outcome = Apply(std::move(state_), event, now_);
  state_ = std::move(outcome.state);
  for (const Action& action : outcome.actions) {
    if (const auto* record = std::get_if<Record>(&action)) {
      outstanding_.push_back(*record);
      handed_.emplace(record->token, *record);
    }
  }
  Watch(event, before, outcome);
}

void Trial::Watch(const Event& event, const std::optional<Gate>& before, const Outcome& outcome) {
  for (const Action& action : outcome.actions) {
    const auto* publish = std::get_if<Publish>(&action);
    if (publish != nullptr) WatchPublish(event, before, publish->directive);
  }
  if (const auto* command = std::get_if<Command>(&event)) WatchOrder(*command, outcome);
  WatchState();
}

void Trial::WatchPublish(const Event& event, const std::optional<Gate>& before,
                         const Directive& directive) {
  if (directive.version <= newest_version_) {
    Break(fmt::format("version {} is published after {}", directive.version.ToString(),
                      newest_version_.ToString()));
  }
  newest_version_ = directive.version;
  if (!published_) {
    // The first word of a reign is what the journal had, and raises nobody.
    const bool is_first_gate = accepted_.size() == 1;
    if (!is_first_gate && !accepted_.empty() &&
        (directive.share != accepted_.back().share || !directive.no_raise)) {
      Break(fmt::format("a new reign publishes {}, the journal has {}", directive.share.ToString(),
                        accepted_.back().share.ToString()));
    }
  } else if (IsRaise(*published_, directive)) {
    ++raises_;
    WatchRaise(event, *before, directive);
  }
  published_ = directive;
}

// P2 and P3.
void Trial::WatchRaise(const Event& event, const Gate& before, const Directive& directive) {
  const auto* recorded = std::get_if<Recorded>(&event);
  if (recorded == nullptr) return Break("P3: a raise without a record");
  const Record& record = handed_.at(recorded->token);
  if (DirectiveOf(record.record) != directive) {
    return Break("P2: a raise that is not what was recorded");
  }
  if (!state_.leads) return Break("P3: a raise without leadership");
  if (StandsWithoutEvidence(record)) return;
  if (!AgentObstacles(before, now_).empty()) {
    return Break("P3: a raise while " + AgentObstacles(before, now_).front());
  }
  if (!before.record.restoration || HasEnded(*before.record.restoration)) {
    const bool raises_nobody =
        directive.share <= before.record.share &&
        std::all_of(before.evidence.agents.begin(), before.evidence.agents.end(),
                    [&](const auto& agent) { return agent.second.enforced >= directive.share; });
    if (!raises_nobody) Break("P3: a raise without a restoration");
    return;
  }
  WatchStep(before, directive);
  for (const auto& [name, judgement] : JudgeAll(before, now_, IsInPreflight(before))) {
    const bool is_few_without_users =
        judgement.unknown_why == UnknownWhy::kTooFew && before.record.share == Share::None();
    if (judgement.verdict == Verdict::kHealthy && judgement.age) {
      if (now_ - *judgement.age < before.share_changed) {
        Break("P3: a raise on evidence of another share");
      }
    } else if (!is_few_without_users) {
      Break(fmt::format("P3: a raise while {} is {}", name, NameOf(judgement.verdict)));
    }
  }
}

// Adaptive steps have no list, and bounds all the same.
void Trial::WatchStep(const Gate& before, const Directive& directive) {
  const auto& adaptive = before.record.restoration->plan.spec().adaptive;
  const Share from = before.record.share;
  if (!adaptive || from == Share::None()) return;
  const Search& search = before.record.restoration->search;
  // After a cure it goes back at once to what was carried before.
  const bool is_back = directive.share <= search.trusted;
  const bool is_bounded = directive.share.ppm() <= 4 * from.ppm() &&
                          directive.share.ppm() <= from.ppm() + adaptive->step_max_ppm;
  if (!is_back && !is_bounded) {
    Break(fmt::format("a step from {} to {}", from.ToString(), directive.share.ToString()));
  }
  if (directive.share == from) return;
  for (const auto& [name, ratio] : before.evidence.ratios) {
    if (ratio.weighed->evidence.For() < kForNats) Break("a raise that was not earned: " + name);
  }
}

// P4.
void Trial::WatchOrder(const Command& command, const Outcome& outcome) {
  if (!Lowers(command.order) || command.dry_run) return;
  for (const Action& action : outcome.actions) {
    const auto* reply = std::get_if<Replied>(&action);
    if (reply == nullptr || reply->call != command.call) continue;
    const bool is_close = std::holds_alternative<CloseGate>(command.order);
    if (is_close && !reply->status.ok() && gate() != nullptr) {
      Break("P4: a close was refused: " + std::string(reply->status.message()));
    }
    if (!reply->status.ok() || reply->repeated) return;
    if (gate()->pending) Break("P4: a raise survives a lowering");
    if (is_close && gate()->record.share != Share::None()) Break("P4: a close does not close");
  }
}

// What is in force is what was published; and P7.
void Trial::WatchState() {
  const Gate* known = gate();
  if (known == nullptr || !known->exists || state_.epoch == 0) return;
  if (published_ && *published_ != DirectiveOf(known->record)) {
    Break("what is in force was not published");
  }
  if (known->recorded && !known->pending) {
    const bool is_folded = !accepted_.empty() && accepted_.back() == known->record;
    if (!is_folded) Break("P7: the journal does not have what is in force");
    WatchCodec(known->record);
  }
}

void Trial::WatchCodec(const GateRecord& record) {
  const conductor::JournalRecord whole{
      .at = now_,
      .epoch = epoch_,
      .controller = {},
      .change = conductor::Change{record, Cause{.what = "try", .evidence = {"a", "b"}}}};
  const auto decoded = conductor::Decode(conductor::Encode(whole), PlanFromSource);
  if (!decoded.ok() || !decoded->change || decoded->change->record != record ||
      decoded->change->cause != whole.change->cause) {
    Break("P7: the codec loses something: " + decoded.status().ToString());
  }
}

void Trial::Answer(bool succeeds) {
  if (outstanding_.empty()) return;
  const Record record = outstanding_.front();
  outstanding_.pop_front();
  if (!succeeds) return Feed(RecordFailed{kGate, record.token, "disk full"});
  accepted_.push_back(record.record);
  Feed(Recorded{kGate, record.token});
}

// Of what was handed to the journal, the oldest `durable` records had become durable.
void Trial::Restart(int durable) {
  for (; durable > 0 && !outstanding_.empty(); --durable) {
    accepted_.push_back(outstanding_.front().record);
    outstanding_.pop_front();
  }
  ++restarts_;
  outstanding_.clear();
  handed_.clear();
  published_.reset();
  state_ = State();
  for (const GateRecord& record : accepted_) {
    state_ = Apply(std::move(state_), Replayed{record}, now_).state;
  }
  Feed(ReignBegan{++epoch_});
  for (int who = 0; who < kAgents; ++who) Report(who);
}

void Trial::Report(int who) {
  Feed(AgentReported{kGate, agents_[static_cast<std::size_t>(who)].view});
}

void Trial::Obey(int who) {
  Obedient& agent = agents_[static_cast<std::size_t>(who)];
  AgentView& view = agent.view;
  view.connected = true;
  if (published_ && published_->version > view.version && !agent.refuses) {
    view.version = published_->version;
    view.stage = AgentView::Stage::kObserved;
    view.refusal.clear();
    if (view.local_override.empty()) {
      view.enforced =
          published_->no_raise ? std::min(view.enforced, published_->share) : published_->share;
    }
  } else if (agent.refuses) {
    view.stage = AgentView::Stage::kRefused;
    view.refusal = "will not";
  }
  Report(who);
}

void Trial::Misbehave(int who, int how) {
  Obedient& agent = agents_[static_cast<std::size_t>(who)];
  switch (how % 4) {
    case 0:
      agent.view.connected = false;
      break;
    case 1:
      agent.refuses = !agent.refuses;
      break;
    case 2:
      agent.view.local_override = agent.view.local_override.empty() ? "exactly 0 %" : "";
      agent.view.stage = AgentView::Stage::kReceived;
      break;
    default:
      agent.view.stage = AgentView::Stage::kReceived;
      break;
  }
  Report(who);
}

void Trial::Count(int who, int how) {
  static constexpr std::array<std::array<std::uint64_t, 2>, 4> kProfiles = {
      {{100, 0}, {100, 1}, {100, 60}, {3, 3}}};
  const auto& profile = kProfiles.at(static_cast<std::size_t>(how % 4));
  const bool is_empty = agents_[static_cast<std::size_t>(who)].view.enforced == Share::None();
  Counts counts{.admitted = is_empty ? 0 : profile[0], .http_5xx = is_empty ? 0 : profile[1]};
  counts.refused = 10;
  Feed(CountsArrived{kGate, agents_[static_cast<std::size_t>(who)].view.name, counts});
}

void Trial::Measure(const std::string& source, decltype(Reading::value) value) {
  Feed(ReadingArrived{kGate, source, Reading{.observed_at = now_, .value = std::move(value)}});
}

void Trial::MeasureLag(int how) {
  static constexpr std::array kValues = {100.0, 700.0, 2000.0};
  if (how % 4 == 3) return Measure("lag", NoData{"silent"});
  Measure("lag", Value{kValues.at(static_cast<std::size_t>(how % 4))});
}

void Trial::LookAtDatabase(int how) {
  DatabaseReport report;
  using Severity = DatabaseFinding::Severity;
  if (how % 4 == 1) report.findings = {{Severity::kFailed, true, "drift"}};
  if (how % 4 == 2) report.findings = {{Severity::kUnknown, false, "unreachable"}};
  if (how % 4 == 3) report.findings = {{Severity::kFailed, false, "lag"}};
  if (how % 7 == 6) report.pending = "not compared whole yet";
  Measure("database/orders", report);
}

void Trial::Do(int what, int how) {
  const Share some = *Share::FromPpm(static_cast<std::uint64_t>(how) * 10'000);
  const std::vector<Order> orders = {CloseGate{},
                                     StartRestoration{plan_, true},
                                     Hold{},
                                     Resume{},
                                     Advance{},
                                     Retreat{},
                                     Retreat{some},
                                     Abort{},
                                     Abort{some},
                                     Approve{},
                                     RemoveAgent{"edge-2"},
                                     OpenGate{now_ + Duration(how * 100 + 1)},
                                     CreateGate{some},
                                     StartRestoration{plan_, false}};
  Command command{.call = ++calls_,
                  .gate = kGate,
                  .order = orders[static_cast<std::size_t>(what) % orders.size()],
                  .actor = "op",
                  .reason = "because"};
  if (how % 5 == 0) command.request_id = fmt::format("r{}", how % 7);
  if (how % 11 == 0) command.expected_revision = static_cast<std::uint64_t>(how);
  command.dry_run = how % 13 == 0;
  Feed(command);
}

void Trial::Calm(int steps) {
  for (int who = 0; who < kAgents; ++who) {
    Obedient& agent = agents_[static_cast<std::size_t>(who)];
    agent.refuses = false;
    agent.view.local_override.clear();
  }
  for (int step = 0; step < steps; ++step) {
    now_ += Duration(250);
    Feed(Tick{});
    while (!outstanding_.empty()) Answer(true);
    for (int who = 0; who < kAgents; ++who) {
      Obey(who);
      Count(who, 0);
    }
    MeasureLag(0);
    LookAtDatabase(0);
  }
}

void Trial::Happen(const Happening& happening) {
  using Kind = Happening::Kind;
  const int who = happening.who % kAgents;
  switch (happening.kind) {
    case Kind::kTimePasses:
      now_ += Duration(happening.amount * happening.amount);
      return Feed(Tick{});
    case Kind::kCalm:
      return Calm(happening.amount / 2);
    case Kind::kCounts:
      return Count(who, happening.amount);
    case Kind::kLag:
      return MeasureLag(happening.amount);
    case Kind::kDatabase:
      return LookAtDatabase(happening.amount);
    case Kind::kAgentObeys:
      return Obey(who);
    case Kind::kAgentMisbehaves:
      return Misbehave(who, happening.amount);
    case Kind::kRecorded:
      return Answer(true);
    case Kind::kRecordFails:
      return Answer(false);
    case Kind::kOrder:
      return Do(happening.who, happening.amount);
    case Kind::kRestart:
      return Restart(happening.amount % 3);
    case Kind::kReignLost:
      return Feed(ReignLost{.why = "deposed"});
  }
}

}  // namespace headgate::engine
