#include "agents/main/box.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <future>
#include <sstream>
#include <utility>

#include "agents/core/local_override.h"
#include "agents/core/store.h"
#include "agents/main/exit_codes.h"
#include "agents/main/load_balancer.h"

namespace headgate::agent {
namespace {

constexpr std::uint32_t kRetryAfterDefaultSeconds = 10;
// Others hold the turn for as long as the load balancer takes, and for no disk.
constexpr Duration kTurnMax{2000};
constexpr Duration kFollowLook{50};
constexpr Duration kFollowMax{2000};

std::string Words(const absl::Status& status) { return std::string(status.message()); }

std::uint32_t RetryAfterOf(const Reading& reading) {
  return reading.retry_after_s != 0 ? reading.retry_after_s : kRetryAfterDefaultSeconds;
}

}  // namespace

Box::Box(const Config& config, std::string gate, std::ostream& out)
    : config_(config), gate_(std::move(gate)), out_(out) {}

std::vector<GateConfig> Box::Chosen() const {
  std::vector<GateConfig> chosen;
  for (const GateConfig& gate : config_.gates) {
    if (gate_.empty() || gate.name == gate_) chosen.push_back(gate);
  }
  if (chosen.empty()) {
    out_ << fmt::format("This agent's configuration names no gate '{}'.\n", gate_);
  }
  return chosen;
}

bool Box::Confirm(Enforcer& enforcer, const GateConfig& gate, Share share, Aim aim) const {
  const bool is_ceiling = aim == Aim::kAtMost;
  const std::string balancer = NameOfLoadBalancer(gate);
  const auto fits_in = [&](const Reading& seen) {
    return is_ceiling ? *seen.in_force <= share : *seen.in_force == share;
  };
  const auto what_is_wrong = [&](const Reading& seen) -> std::string {
    if (!seen.in_force) return seen.trouble;
    if (!fits_in(seen)) {
      return fmt::format("{} still enforces {}", balancer, seen.in_force->ToString());
    }
    const absl::Status proof = enforcer.Try(*seen.in_force);
    if (proof.ok()) return "";
    return fmt::format("{} says {}, and the probes: {}", balancer, seen.in_force->ToString(),
                       Words(proof));
  };
  Reading reading = enforcer.Read();
  // It did not answer when it was told, and does now.
  if (is_ceiling && reading.in_force && !fits_in(reading)) {
    enforcer.Put({share, RetryAfterOf(reading), Direction::kDown});
    reading = enforcer.Read();
  }
  std::string wrong = what_is_wrong(reading);
  // Another's word may have moved it meanwhile, and workers that were not told, as of an old nginx
  // beside a new one, follow the file.
  const SteadyClock clock;
  const TimePoint until = clock.Now() + kFollowMax;
  while (!wrong.empty() && reading.in_force && clock.Now() < until) {
    poll(nullptr, 0, static_cast<int>(kFollowLook.count()));
    reading = enforcer.Read();
    wrong = what_is_wrong(reading);
  }
  if (wrong.empty()) {
    out_ << fmt::format("{}: {} enforces {} (read back; probes got the right answers)\n", gate.name,
                        balancer, reading.in_force->ToString());
    return true;
  }
  out_ << fmt::format("{}: NOT CONFIRMED: {}\n", gate.name, wrong);
  if (!reading.in_force && reading.at_next_start && *reading.at_next_start <= share) {
    // More than before counts only at a start, whatever the load balancer takes from it sooner.
    const std::string how = aim == Aim::kUpTo
                                ? fmt::format("that counts after {}", NextStartOf(gate))
                                : HowTheFileCounts(gate);
    out_ << fmt::format("{}: its file says {}: {}. Then `headgate-agent status` tells\n", gate.name,
                        reading.at_next_start->ToString(), how);
  }
  return false;
}

// What is lower already stays as low as it is. Waits for no disk.
Box::Tried Box::PutAtMost(Enforcer& enforcer, Share most, const Tried* before) {
  const bool is_mute = before != nullptr && !before->seen.in_force;
  Tried tried{absl::OkStatus(), is_mute ? before->seen : enforcer.Read()};
  Reading& seen = tried.seen;
  const bool memory_fits = is_mute || (seen.in_force && *seen.in_force <= most);
  const bool file_fits = seen.at_next_start && *seen.at_next_start <= most;
  if (memory_fits && file_fits) return tried;
  if (seen.in_force) most = std::min(most, *seen.in_force);
  if (seen.at_next_start) most = std::min(most, *seen.at_next_start);
  tried.file = enforcer.Put({most, RetryAfterOf(seen), Direction::kDown}).at_next_start;
  if (tried.file.ok()) seen.at_next_start = most;
  return tried;
}

// The ceiling, joined with what somebody has said before.
Box::Lowered Box::SayCeiling(const GateConfig& gate, Enforcer& enforcer, const Tried& tried,
                             Share share, TimePoint now) const {
  FileStore store(config_.state_dir, gate.name);
  const auto before = store.LoadOverride();
  Lowered lowered;
  if (before.ok() && *before) lowered.before = InForceAt(**before, now);
  Share ceiling = share;
  if (!before.ok()) {
    // It may have been a lower ceiling, and what is found its work.
    const Reading reading = tried.seen.in_force ? enforcer.Read() : tried.seen;
    ceiling = std::min(share, reading.in_force.value_or(reading.at_next_start.value_or(share)));
  }
  lowered.word = WithCeiling(lowered.before, ceiling);
  if (lowered.word != lowered.before) lowered.saved = store.SaveOverride(lowered.word);
  if (!before.ok() && lowered.saved.ok()) {
    out_ << fmt::format("{}: {}: replaced by a ceiling of {}\n", gate.name, Words(before.status()),
                        ceiling.ToString());
  }
  Share most = lowered.word.share;
  const auto memory = store.LoadMemory();
  if (lowered.word.is_ceiling && FindAgent(config_.state_dir).Acts() && memory.ok() && *memory) {
    // Under a ceiling the agent goes to what its directive allows, if that is less.
    most = std::min(most, (*memory)->granted);
  }
  const Tried again = PutAtMost(enforcer, most, &tried);
  // An agent that was just writing its former share when the word came has done so meanwhile.
  lowered.file = PutAtMost(enforcer, most, &again).file;
  return lowered;
}

// The load balancer first, then the file, then the load balancer again: a running agent that has
// not seen the file yet may have set its own share back in between.
Box::Lowered Box::LowerGate(const GateConfig& gate, Share share, TimePoint now) const {
  const std::unique_ptr<Enforcer> made = MakeEnforcer(gate);
  Enforcer& enforcer = *made;
  // Whether it lasts is for the second to say.
  const Tried tried = PutAtMost(enforcer, share);
  return SayCeiling(gate, enforcer, tried, share, now);
}

std::string Box::WhatStands(const std::string& gate, const Lowered& lowered) {
  const std::string release = fmt::format("`headgate-agent release --gate {}`", gate);
  const LocalOverride& word = lowered.word;
  if (!word.is_ceiling) {
    return fmt::format(
        "exactly {} is in force already, until {}; it stays. From then on no more than {} until {}",
        word.share.ToString(), FormatTime(word.until.value_or(TimePoint())),
        word.ceiling_after.value_or(word.share).ToString(), release);
  }
  if (word == lowered.before) {
    return fmt::format(
        "a ceiling of {} is in force already; it stays. {} ends it, `headgate-agent override SHARE "
        "--until T --gate {}` sets another",
        word.share.ToString(), release, gate);
  }
  const bool ends_override = lowered.before && !lowered.before->is_ceiling;
  return fmt::format(
      "{}no more than {} until {}",
      ends_override ? fmt::format("the override of {} has ended; ", ToString(*lowered.before)) : "",
      word.share.ToString(), release);
}

bool Box::KeepLowered(const GateConfig& gate, Lowered lowered) const {
  if (lowered.saved.ok()) {
    lowered.saved = FileStore(config_.state_dir, gate.name).SyncOverride();
  }
  if (lowered.file.ok()) lowered.file = MakeEnforcer(gate)->Sync();
  const bool stays = lowered.confirmed && lowered.file.ok();
  if (!lowered.file.ok()) {
    out_ << fmt::format("{}: UNSAVED: {} would undo this: {}\n", gate.name, NextStartOf(gate),
                        Words(lowered.file));
  }
  if (lowered.saved.ok()) {
    out_ << fmt::format("{}: {}\n", gate.name, WhatStands(gate.name, lowered));
    return stays;
  }
  out_ << fmt::format("{}: UNSAVED: {}\n", gate.name, Words(lowered.saved));
  const AgentSeen agent = Agent();
  if (!agent.MayRun()) return stays;
  out_ << fmt::format(
      "{}: the agent ({}) does not know of this and would set its share back: "
      "stop it, or mend that and run this again\n",
      gate.name, agent.ToString());
  return false;
}

int Box::Lower(Share share, TimePoint now) const {
  const std::vector<GateConfig> gates = Chosen();
  if (gates.empty()) return kExitNotFound;
  bool all_confirmed = true;
  // Two who read a load balancer and write to it at the same moment could undo each other's.
  // Without the turn, too: a lowering waits for nobody who hangs.
  auto turn = FileStore(config_.state_dir, gates.front().name).TakeTurn(kTurnMax);
  // Beside each other, where the system has threads for it: no gate waits for another's load
  // balancer that hangs.
  std::vector<std::ostringstream> said(gates.size());
  std::vector<std::future<Lowered>> under_way;
  under_way.reserve(gates.size());
  for (std::size_t i = 0; i < gates.size(); ++i) {
    under_way.push_back(std::async(
        [&, i] { return Box(config_, gates[i].name, said[i]).LowerGate(gates[i], share, now); }));
  }
  std::vector<Lowered> lowered;
  lowered.reserve(gates.size());
  for (std::size_t i = 0; i < gates.size(); ++i) {
    lowered.push_back(under_way[i].get());
    out_ << said[i].str();
  }
  turn = absl::CancelledError("over");
  // Only now, with every gate lowered, may a proof take its time, and a disk.
  for (std::size_t i = 0; i < gates.size(); ++i) {
    const std::unique_ptr<Enforcer> enforcer = MakeEnforcer(gates[i]);
    lowered[i].confirmed = Confirm(*enforcer, gates[i], lowered[i].word.share, Aim::kAtMost);
  }
  out_.flush();
  for (std::size_t i = 0; i < gates.size(); ++i) {
    all_confirmed = KeepLowered(gates[i], lowered[i]) && all_confirmed;
  }
  return all_confirmed ? kExitDone : kExitUnconfirmed;
}

// The word first, because it may be a raise: it must not be forgotten by a crash.
bool Box::OverrideGate(const GateConfig& gate, Share share, TimePoint until) const {
  const std::unique_ptr<Enforcer> made = MakeEnforcer(gate);
  Enforcer& enforcer = *made;
  FileStore store(config_.state_dir, gate.name);
  const Reading reading = enforcer.Read();
  // Where nobody says what is in force, the file decides at the next start, or already.
  const std::optional<Share> present_share =
      reading.in_force ? reading.in_force : reading.at_next_start;
  const bool raises = !present_share || *present_share < share;
  const LocalOverride word{.is_ceiling = false, .share = share, .until = until};
  const auto say = [&] {
    const auto turn = store.TakeTurn(kTurnMax);
    if (raises && !turn.ok()) return turn.status();
    return store.SaveOverride(word);
  };
  absl::Status saved = say();
  if (saved.ok() && raises) saved = store.SyncOverride();
  if (!saved.ok() && raises) {
    out_ << fmt::format("{}: not changed, because it could not be saved: {}\n", gate.name,
                        Words(saved));
    return false;
  }
  ApplyOutcome outcome;
  {
    // The disk took its time: whoever has spoken meanwhile is not overruled.
    const auto turn = store.TakeTurn(kTurnMax);
    const auto present = store.LoadOverride();
    const bool is_known = turn.ok() && present.ok();
    if (is_known ? saved.ok() && *present != word : raises) {
      out_ << fmt::format("{}: not changed: somebody else has spoken meanwhile ({})\n", gate.name,
                          present.ok() && *present
                              ? ToString(**present)
                              : Words(turn.ok() ? present.status() : turn.status()));
      return false;
    }
    const Direction direction = raises ? Direction::kUp : Direction::kDown;
    outcome = enforcer.Put({share, RetryAfterOf(reading), direction});
  }
  const bool confirmed = Confirm(enforcer, gate, share, raises ? Aim::kUpTo : Aim::kDownTo);
  if (saved.ok() && !raises) saved = store.SyncOverride();
  if (outcome.at_next_start.ok()) outcome.at_next_start = enforcer.Sync();
  if (!outcome.at_next_start.ok()) {
    out_ << fmt::format("{}: UNSAVED: {}\n", gate.name, Words(outcome.at_next_start));
  }
  if (!saved.ok()) {
    out_ << fmt::format("{}: UNSAVED: {}\n", gate.name, Words(saved));
    return false;
  }
  out_ << fmt::format("{}: exactly {} until {}, or `headgate-agent release --gate {}`\n", gate.name,
                      share.ToString(), FormatTime(until), gate.name);
  if (const AgentSeen agent = Agent(); !agent.Acts()) {
    out_ << fmt::format(
        "{}: the agent is {}: nothing ends this at that time, it stays until the agent runs\n",
        gate.name, agent.ToString());
  }
  return confirmed && outcome.at_next_start.ok();
}

int Box::Override(Share share, TimePoint until) const {
  const std::vector<GateConfig> gates = Chosen();
  if (gates.empty()) return kExitNotFound;
  bool all_confirmed = true;
  for (const GateConfig& gate : gates) {
    all_confirmed = OverrideGate(gate, share, until) && all_confirmed;
  }
  return all_confirmed ? kExitDone : kExitUnconfirmed;
}

std::string Box::WhatFollows(FileStore& store) const {
  const AgentSeen agent = Agent();
  std::string text = fmt::format("The agent is {}", agent.ToString());
  if (agent.is == AgentSeen::Is::kUnknown) {
    return text +
           ". If it runs, it goes to its directive's share: down at once, up only while its "
           "controller renews that.";
  }
  if (!agent.Acts()) return text + ": the share stays as it is until it runs.";
  const auto memory = store.LoadMemory();
  if (!memory.ok() || !*memory) {
    return text + ": the share stays as it is until the controller's first word.";
  }
  const std::string version = (*memory)->directive.version.ToString();
  const std::string share = (*memory)->directive.share.ToString();
  if ((*memory)->directive.no_raise) {
    return text + fmt::format(
                      ": the directive {} says {} at most, and no raise: a higher share goes down "
                      "to that at once, a lower one stays until a restoration or `headgate open` "
                      "raises it.",
                      version, share);
  }
  // It lowers to what was granted at once; it raises only while the controller is there.
  return text + fmt::format(
                    ": it goes to the {} of the directive {}; down at once, up only while its "
                    "controller renews that.",
                    share, version);
}

int Box::Release() const {
  const std::vector<GateConfig> gates = Chosen();
  if (gates.empty()) return kExitNotFound;
  bool all_released = true;
  for (const GateConfig& gate : gates) {
    FileStore store(config_.state_dir, gate.name);
    // Without it, too: what another has just begun to say comes after this.
    auto turn = store.TakeTurn(kTurnMax);
    const auto before = store.LoadOverride();
    if (before.ok() && !*before) {
      out_ << fmt::format("{}: there was no override\n", gate.name);
      continue;
    }
    absl::Status released = store.ReleaseOverride();
    // The disk may take its time, and nobody waits for that.
    turn = absl::CancelledError("over");
    if (released.ok()) released = store.SyncOverride();
    // It may have used the room that was kept. The agent says so if there is none.
    if (released.ok()) store.KeepRoom().IgnoreError();
    all_released = all_released && released.ok();
    out_ << fmt::format("{}: {}\n", gate.name,
                        released.ok() ? "released. " + WhatFollows(store) : Words(released));
  }
  return all_released ? kExitDone : kExitInternal;
}

}  // namespace headgate::agent
