#include "cli/words.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/share.h"

namespace headgate::cli {
namespace {

// "PHASE_ADMITTING" -> "ADMITTING"; a newer controller's value stays readable.
std::string_view After(const std::string& name, std::string_view prefix) {
  const std::string_view view = name;
  return view.substr(0, prefix.size()) == prefix ? view.substr(prefix.size()) : view;
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

bool HasMovedSinceItsEnd(const v1::Gate& gate) {
  const v1::Restoration& restoration = gate.restoration();
  if (!HasEnded(restoration.phase())) return false;
  const bool was_all = restoration.phase() == v1::PHASE_COMPLETED;
  const bool is_later = ToTimePoint(gate.changed_at()) > ToTimePoint(restoration.phase_since());
  return (was_all && gate.share_ppm() < Share::kPpmMax) ||
         (is_later && gate.changed_by().kind() != v1::Cause::RECOVERY);
}

std::string MovedText(const v1::Gate& gate) {
  std::string text = "AT " + FormatPpm(gate.share_ppm());
  if (gate.share_ppm() == 0) text = "CLOSED";
  if (gate.has_open_until()) text = "OPEN";
  const std::string& who = gate.changed_by().who();
  return Clean(who.empty() ? text : text + " by " + who);
}

std::string VerdictText(const v1::CheckState& check) {
  std::string text(WordOf(check.verdict()));
  if (check.unknown_why() == v1::CheckState::NO_DATA) text += " (no data)";
  if (check.unknown_why() == v1::CheckState::TOO_FEW) text += " (too few)";
  return text;
}

std::string CheckLine(const v1::CheckState& check) {
  std::string line = fmt::format("{} {}", check.name(), VerdictText(check));
  if (!check.value().empty()) line += " " + check.value();
  std::string aside = check.bound().empty() ? "" : "bound " + check.bound();
  if (check.has_age()) {
    aside += fmt::format("{}{} old", aside.empty() ? "" : ", ", FormatAge(ToDuration(check.age())));
  }
  if (!aside.empty()) line += fmt::format(" ({})", aside);
  return Clean(line);
}

std::string CauseText(const v1::Cause& cause) {
  if (cause.kind() == v1::Cause::KIND_UNSPECIFIED || !v1::Cause::Kind_IsValid(cause.kind())) {
    return "";
  }
  std::string kind = v1::Cause::Kind_Name(cause.kind());
  for (char& c : kind) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  std::string text = kind;
  // An operator is named with the role: "operator anna", "approver bob".
  const bool names_role = cause.kind() == v1::Cause::OPERATOR && !cause.who().empty();
  if (names_role) text = cause.who();
  if (!names_role && !cause.who().empty()) text += " " + cause.who();
  if (!cause.what().empty()) text += ": " + cause.what();
  if (!cause.why().empty()) text += ": " + cause.why();
  return Clean(text);
}

std::string ObservedText(const v1::Gate& gate) {
  const std::uint32_t unknown = gate.agents_unknown();
  if (!gate.observed()) return unknown == 0 ? "nothing yet" : fmt::format("{} unknown", unknown);
  std::string text = FormatPpm(gate.observed_min_ppm());
  if (gate.observed_max_ppm() != gate.observed_min_ppm()) {
    text += " to " + FormatPpm(gate.observed_max_ppm());
  }
  return unknown == 0 ? text : fmt::format("{}, {} unknown", text, unknown);
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
  const v1::Stage stage = agent.report().stage();
  if (!agent.has_report()) return "unknown";
  if (stage == v1::STAGE_UNSPECIFIED || stage == v1::IDLE) return "-";
  return FormatPpm(agent.report().enforced_ppm());
}

std::string TroubleOf(const v1::Agent& agent, TimePoint now) {
  const v1::Report& report = agent.report();
  Lines troubles;
  if (!agent.connected()) {
    troubles.push_back(agent.has_last_seen() ? fmt::format("not connected for {}",
                                                           FormatSince(agent.last_seen(), now))
                                             : "not connected yet");
  } else if (!agent.has_report()) {
    troubles.push_back("says nothing of this gate");
  }
  if (report.stage() == v1::REFUSED || report.refusal().code() != v1::Refusal::CODE_UNSPECIFIED) {
    troubles.push_back("refused: " + report.refusal().detail());
  }
  if (report.has_override()) {
    troubles.push_back(fmt::format(
        "local override: {} {}{}", report.override().is_ceiling() ? "at most" : "exactly",
        FormatPpm(report.override().share_ppm()),
        report.override().has_until()
            ? " until " + FormatTimeOfDay(ToTimePoint(report.override().until()))
            : ", until released there"));
  }
  if (report.expired()) troubles.push_back("no renewal: keeps its share");
  if (report.unsaved()) troubles.push_back("not on its disk yet");
  // A refusal is often the trouble itself: once is enough.
  const bool is_told = report.refusal().detail().find(report.trouble()) != std::string::npos;
  if (!report.trouble().empty() && !is_told) troubles.push_back(report.trouble());
  if (agent.implausible_counts() > 0) {
    troubles.push_back(fmt::format("{} counts refused as implausible", agent.implausible_counts()));
  }
  std::string text;
  for (const std::string& trouble : troubles) text += (text.empty() ? "" : "; ") + trouble;
  return Clean(text);
}

Lines Warnings(const v1::Gate& gate, TimePoint now) {
  Lines warnings;
  if (gate.has_open_until() && ToTimePoint(gate.open_until()) > now) {
    warnings.push_back(fmt::format("OPEN WITHOUT EVIDENCE until {} UTC",
                                   FormatTimeOfDay(ToTimePoint(gate.open_until()))));
  }
  if (!gate.recorded()) {
    warnings.push_back("NOT RECORDED YET: in force, but the journal does not have it");
  }
  if (gate.no_raise()) {
    warnings.push_back("NO RAISE: each load balancer keeps the lower of its own share and this");
  }
  return warnings;
}

}  // namespace headgate::cli
