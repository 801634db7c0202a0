#include "cli/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/share.h"

namespace headgate::cli {
namespace {

// So long an order may be under way, on its way to disks and journals, before anybody is told.
constexpr Duration kUnderWayMax{1'000};

// "PHASE_ADMITTING" -> "ADMITTING"; a newer controller's value stays readable.
std::string_view After(const std::string& name, std::string_view prefix) {
  const std::string_view view = name;
  return view.substr(0, prefix.size()) == prefix ? view.substr(prefix.size()) : view;
}

bool IsIdle(const v1::Agent& agent) {
  const v1::Stage stage = agent.report().stage();
  return stage == v1::STAGE_UNSPECIFIED || stage == v1::IDLE;
}

bool Refuses(const v1::Report& report) {
  return report.stage() == v1::REFUSED || report.refusal().code() != v1::Refusal::CODE_UNSPECIFIED;
}

// The gate has stood as it is for long enough that every load balancer should follow.
bool IsSettled(const v1::Gate& gate) {
  // An older controller does not say when it was so.
  if (!gate.has_as_of()) return true;
  return ToTimePoint(gate.as_of()) - ToTimePoint(gate.changed_at()) >= kUnderWayMax;
}

bool IsBehind(const v1::Version& version, const v1::Version& wanted) {
  return version.epoch() != wanted.epoch() ? version.epoch() < wanted.epoch()
                                           : version.revision() < wanted.revision();
}

bool EnforcesMore(const v1::Agent& agent, const v1::Gate& gate) {
  return agent.has_report() && !IsIdle(agent) && agent.report().enforced_ppm() > gate.share_ppm();
}

// Its share beside the gate's; empty where they agree, or where an order is merely under way.
std::string ShareTrouble(const v1::Agent& agent, const v1::Gate& gate) {
  if (!agent.connected() || !agent.has_report() || IsIdle(agent) || !IsSettled(gate)) return "";
  const std::string enforced = FormatPpm(agent.report().enforced_ppm());
  const std::string told = FormatPpm(gate.share_ppm());
  if (EnforcesMore(agent, gate)) return fmt::format("still enforces {}, told {}", enforced, told);
  if (!IsBehind(agent.report().version(), gate.version())) return "";
  if (agent.report().enforced_ppm() < gate.share_ppm()) {
    return fmt::format("enforces {}, told {}", enforced, told);
  }
  return "has not answered the order";
}

std::string OverrideText(const v1::LocalOverride& override_) {
  return fmt::format("local override: {} {}{}", override_.is_ceiling() ? "at most" : "exactly",
                     FormatPpm(override_.share_ppm()),
                     override_.has_until()
                         ? " until " + FormatTimeOfDay(ToTimePoint(override_.until()))
                         : ", until released there");
}

std::string LinkTrouble(const v1::Agent& agent, std::optional<TimePoint> now) {
  if (agent.connected()) return agent.has_report() ? "" : "says nothing of this gate";
  if (!agent.has_last_seen()) return "not connected yet";
  return now ? "not connected for " + FormatSince(agent.last_seen(), *now) : "not connected";
}

// Those that forbid trust in what its load balancer lets in.
Lines GraveTroubles(const v1::Agent& agent, const v1::Gate& gate, std::optional<TimePoint> now) {
  const v1::Report& report = agent.report();
  Lines troubles = {LinkTrouble(agent, now)};
  if (EnforcesMore(agent, gate)) troubles.push_back(ShareTrouble(agent, gate));
  if (Refuses(report)) troubles.push_back("refused: " + report.refusal().detail());
  if (report.has_override()) troubles.push_back(OverrideText(report.override()));
  if (report.expired()) troubles.push_back("no renewal: keeps its share");
  // A refusal is often the trouble itself: once is enough.
  const bool is_told = report.refusal().detail().find(report.trouble()) != std::string::npos;
  if (!is_told) troubles.push_back(report.trouble());
  if (agent.implausible_counts() > 0 && now) {
    troubles.push_back(fmt::format("{} counts refused as implausible", agent.implausible_counts()));
  }
  std::erase(troubles, "");
  return troubles;
}

Lines MildTroubles(const v1::Agent& agent, const v1::Gate& gate) {
  Lines troubles;
  if (!EnforcesMore(agent, gate)) troubles.push_back(ShareTrouble(agent, gate));
  if (agent.report().unsaved() && IsSettled(gate)) troubles.push_back("not on its disk yet");
  std::erase(troubles, "");
  return troubles;
}

std::string Troubles(const v1::Agent& agent, const v1::Gate& gate, std::optional<TimePoint> now) {
  Lines troubles = GraveTroubles(agent, gate, now);
  for (std::string& mild : MildTroubles(agent, gate)) troubles.push_back(std::move(mild));
  std::string text;
  for (const std::string& trouble : troubles) text += (text.empty() ? "" : "; ") + trouble;
  return Clean(text);
}

// What those that do not tell enforced when they last did; empty if they never did.
std::string LastKnown(const v1::Gate& gate) {
  std::uint32_t smallest = Share::kPpmMax;
  std::uint32_t largest = 0;
  bool is_any = false;
  for (const v1::Agent& agent : gate.agents()) {
    if (!agent.has_report() || IsIdle(agent) || TellsShare(agent)) continue;
    is_any = true;
    smallest = std::min(smallest, agent.report().enforced_ppm());
    largest = std::max(largest, agent.report().enforced_ppm());
  }
  if (!is_any) return "";
  if (smallest == largest) return fmt::format(" (last {})", FormatPpm(largest));
  return fmt::format(" (last {} to {})", FormatPpm(smallest), FormatPpm(largest));
}

// "operator anna", "check errors", "plan"; empty if there is no cause.
std::string WhoOf(const v1::Cause& cause) {
  if (cause.kind() == v1::Cause::KIND_UNSPECIFIED || !v1::Cause::Kind_IsValid(cause.kind())) {
    return "";
  }
  // An operator is named with the role: "operator anna", "approver bob".
  if (cause.kind() == v1::Cause::OPERATOR && !cause.who().empty()) return cause.who();
  std::string kind = v1::Cause::Kind_Name(cause.kind());
  for (char& c : kind) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return cause.who().empty() ? kind : kind + " " + cause.who();
}

// Who moved the share last, over restarts where the controller knows it. A restart moves nothing.
v1::Cause MoverOf(const v1::Gate& gate) {
  if (gate.has_moved_by()) return gate.moved_by();
  return gate.changed_by().kind() == v1::Cause::RECOVERY ? v1::Cause() : gate.changed_by();
}

// Whether a person must know that the journal does not have it.
bool IsUnrecorded(const v1::Gate& gate) {
  if (gate.recorded()) return false;
  // An older controller does not say for how long.
  if (!gate.has_as_of() || !gate.record_trouble().empty()) return true;
  return gate.has_unrecorded_for() && ToDuration(gate.unrecorded_for()) > kUnderWayMax;
}

}  // namespace

std::string_view WordOf(v1::Phase phase) {
  if (!v1::Phase_IsValid(phase)) return "UNKNOWN_PHASE";
  return After(v1::Phase_Name(phase), "PHASE_");
}

std::string_view WordOf(v1::Verdict verdict) {
  if (verdict == v1::VERDICT_UNSPECIFIED || !v1::Verdict_IsValid(verdict)) return "UNKNOWN";
  return After(v1::Verdict_Name(verdict), "VERDICT_");
}

std::string_view WordOf(v1::Stage stage) {
  if (stage == v1::STAGE_UNSPECIFIED || !v1::Stage_IsValid(stage)) return "-";
  return After(v1::Stage_Name(stage), "STAGE_");
}

Color ColorOf(v1::Verdict verdict) {
  if (verdict == v1::HEALTHY) return Color::kGood;
  return verdict == v1::FAILED ? Color::kBad : Color::kDoubtful;
}

Color ColorOf(v1::Phase phase) {
  if (phase == v1::PHASE_ABORTED || phase == v1::PHASE_FAILED || phase == v1::PHASE_RETREATING) {
    return Color::kBad;
  }
  if (phase == v1::PHASE_ADMITTING || phase == v1::PHASE_WATCHING || phase == v1::PHASE_COMPLETED) {
    return Color::kGood;
  }
  return Color::kDoubtful;
}

bool HasEnded(v1::Phase phase) {
  return phase == v1::PHASE_COMPLETED || phase == v1::PHASE_ABORTED || phase == v1::PHASE_FAILED;
}

bool IsRunning(const v1::Gate& gate) {
  return gate.has_restoration() && !HasEnded(gate.restoration().phase());
}

bool IsClosed(const v1::Gate& gate) {
  return gate.share_ppm() == 0 && !IsRunning(gate) && !gate.has_open_until();
}

bool StandsByItself(const v1::Gate& gate) {
  if (IsClosed(gate)) return true;
  const v1::Restoration& restoration = gate.restoration();
  if (!HasEnded(restoration.phase())) return false;
  const bool was_all = restoration.phase() == v1::PHASE_COMPLETED;
  const bool is_later = ToTimePoint(gate.changed_at()) > ToTimePoint(restoration.phase_since());
  return (was_all && gate.share_ppm() < Share::kPpmMax) ||
         (is_later && gate.changed_by().kind() != v1::Cause::RECOVERY);
}

std::string AgentsConnectedText(std::uint64_t count) {
  return fmt::format("{} agent{} connected", count, count == 1 ? "" : "s");
}

std::string StandsText(const v1::Gate& gate) {
  std::string text = "AT " + FormatPpm(gate.share_ppm());
  if (gate.share_ppm() == 0) text = "CLOSED";
  if (gate.has_open_until()) text = "OPEN";
  const v1::Cause mover = MoverOf(gate);
  std::string who = WhoOf(mover);
  // "plan (end open)": a plan does many things.
  if (mover.kind() == v1::Cause::PLAN && !mover.what().empty()) who += " (" + mover.what() + ")";
  return Clean(who.empty() ? text : text + " by " + who);
}

std::string StandsSince(const v1::Gate& gate, TimePoint now) {
  if (gate.has_moved_at()) return "for " + FormatSince(gate.moved_at(), now);
  // An older controller forgets with its restart who moved the gate.
  if (gate.changed_by().kind() == v1::Cause::RECOVERY) return "since before the restart";
  return "for " + FormatSince(gate.changed_at(), now);
}

std::string VerdictText(const v1::CheckState& check) {
  std::string text(WordOf(check.verdict()));
  if (check.unknown_why() == v1::CheckState::NO_DATA) text += " (no data)";
  if (check.unknown_why() == v1::CheckState::TOO_FEW) text += " (too few)";
  if (check.unknown_why() == v1::CheckState::NOT_PROVEN) text += " (unproven)";
  return text;
}

bool IsNotWatched(const v1::CheckState& check, const v1::Gate& gate) {
  const bool says_nothing =
      check.verdict() == v1::UNKNOWN || check.verdict() == v1::VERDICT_UNSPECIFIED;
  return says_nothing && HasEnded(gate.restoration().phase());
}

std::string CheckLine(const v1::CheckState& check, const v1::Gate& gate) {
  if (IsNotWatched(check, gate)) return Clean(fmt::format("{} {}", check.name(), kNotWatched));
  std::string line = fmt::format("{} {}", check.name(), VerdictText(check));
  if (check.unknown_why() == v1::CheckState::NOT_PROVEN) {
    line = fmt::format("{} {} (not proven yet: {})", check.name(), WordOf(check.verdict()),
                       check.proven());
  }
  if (!check.value().empty()) line += " " + check.value();
  std::string aside = check.bound().empty() ? "" : "bound " + check.bound();
  if (check.has_age()) {
    aside += fmt::format("{}{} old", aside.empty() ? "" : ", ", FormatAge(ToDuration(check.age())));
  }
  if (!aside.empty()) line += fmt::format(" ({})", aside);
  return Clean(line);
}

std::string CauseText(const v1::Cause& cause) {
  std::string text = WhoOf(cause);
  if (text.empty()) return "";
  if (!cause.what().empty()) text += ": " + cause.what();
  if (!cause.why().empty()) text += ": " + cause.why();
  return Clean(text);
}

bool TellsShare(const v1::Agent& agent) {
  return agent.connected() && agent.has_report() && !IsIdle(agent) &&
         agent.report().stage() != v1::REFUSED;
}

std::string ObservedText(const v1::Gate& gate) {
  const std::uint32_t unknown = gate.agents_unknown();
  const std::string unknowns =
      unknown == 0 ? "" : fmt::format("{} unknown{}", unknown, LastKnown(gate));
  if (!gate.observed()) return unknown == 0 ? "nothing yet" : unknowns;
  std::string text = FormatPpm(gate.observed_min_ppm());
  if (gate.observed_max_ppm() != gate.observed_min_ppm()) {
    text += " to " + FormatPpm(gate.observed_max_ppm());
  }
  return unknown == 0 ? text : text + ", " + unknowns;
}

std::string LinkText(const v1::Agent& agent) {
  if (agent.connected()) return "connected";
  return agent.has_last_seen() ? "LOST" : "ABSENT";
}

int ExpectedAgents(const v1::Gate& gate) {
  // An older controller does not count them.
  return std::max(static_cast<int>(gate.agents_expected()), gate.agents_size());
}

std::string EnforcedText(const v1::Agent& agent) {
  if (!agent.has_report()) return "unknown";
  if (IsIdle(agent)) return "-";
  return (TellsShare(agent) ? "" : "was ") + FormatPpm(agent.report().enforced_ppm());
}

std::string TroubleOf(const v1::Agent& agent, const v1::Gate& gate, TimePoint now) {
  return Troubles(agent, gate, now);
}

std::string GistOfTrouble(const v1::Agent& agent, const v1::Gate& gate) {
  return Troubles(agent, gate, std::nullopt);
}

Color ColorOfTrouble(const v1::Agent& agent, const v1::Gate& gate) {
  // Any time will do: only whether there is one counts.
  if (!GraveTroubles(agent, gate, TimePoint()).empty()) return Color::kBad;
  return MildTroubles(agent, gate).empty() ? Color::kNone : Color::kDoubtful;
}

Lines Warnings(const v1::Gate& gate) {
  Lines warnings;
  // The controller says so until it is over; this machine's clock may be ahead of its own.
  if (gate.has_open_until()) {
    warnings.push_back(fmt::format("OPEN WITHOUT EVIDENCE until {} UTC",
                                   FormatTimeOfDay(ToTimePoint(gate.open_until()))));
  }
  if (IsUnrecorded(gate)) {
    warnings.push_back("NOT RECORDED YET: in force, but the journal does not have it" +
                       (gate.record_trouble().empty() ? "" : ": " + Clean(gate.record_trouble())));
  }
  // Who reads that the gate is CLOSED must not miss those who come in by a part.
  if (gate.parts_size() > 0) {
    warnings.push_back(fmt::format("PARTS with shares of their own are not in this: {}",
                                   Clean(fmt::format("{}", fmt::join(gate.parts(), ", ")))));
  }
  // Handing one out takes less than a second where every load balancer obeys.
  if (gate.cookie_key_staged() != 0) {
    warnings.push_back(
        fmt::format("COOKIE KEY {} is handed out, and signs as soon as every load balancer has it",
                    gate.cookie_key_staged()));
  }
  if (gate.no_raise()) {
    // First what ends it: a narrow terminal cuts the rest.
    warnings.push_back(fmt::format(
        "NO RAISE until {}: each load balancer keeps the lower of its own share and this",
        IsRunning(gate)
            ? "it goes on with fresh evidence"
            : fmt::format("every load balancer is at {}, or a start or an open raises it",
                          FormatPpm(gate.share_ppm()))));
  }
  return warnings;
}

}  // namespace headgate::cli
