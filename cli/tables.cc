#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "cli/picture.h"
#include "cli/words.h"
#include "common/base/share.h"

namespace headgate::cli {
namespace {

std::string InTheWay(const v1::Restoration& restoration) {
  if (restoration.waits_for_size() > 0) return "Before the share rises:";
  if (restoration.phase() == v1::PHASE_ADMITTING) return "Nothing is in the way of the next step.";
  // A phase that people or time end, of a controller that does not say how.
  return restoration.phase() == v1::PHASE_HOLDING ||
                 restoration.phase() == v1::PHASE_WAITING_FOR_APPROVAL
             ? "It waits for a person."
             : "Only time is in the way.";
}

std::string LabelsText(const google::protobuf::Map<std::string, std::string>& labels) {
  // In an order of their own.
  std::string text;
  for (const auto& [key, value] : std::map(labels.begin(), labels.end())) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", key, value);
  }
  return Clean(text);
}

// As the plan's own figures are written: 75.2 %.
std::string WeightText(std::uint32_t ppm) { return FormatPpm((ppm + 500ULL) / 1'000 * 1'000); }

}  // namespace

Lines Explanation(const v1::Gate& gate, TimePoint now) {
  Lines lines;
  const v1::Restoration& restoration = gate.restoration();
  lines.push_back(fmt::format("{} admits {} (observed: {}).", Clean(gate.name()),
                              FormatPpm(gate.share_ppm()), ObservedText(gate)));
  for (const std::string& warning : Warnings(gate)) lines.push_back("!! " + warning);
  if (const std::string cause = CauseText(gate.changed_by()); !cause.empty()) {
    lines.push_back(
        fmt::format("Last change at {} by {}.", FormatTime(ToTimePoint(gate.changed_at())), cause));
  }
  for (const std::string& evidence : gate.changed_by().evidence()) {
    lines.push_back("  evidence then: " + Clean(evidence));
  }
  if (StandsByItself(gate)) {
    lines.push_back(
        fmt::format("{} {}{}.", StandsText(gate), StandsSince(gate, now),
                    gate.has_restoration() ? ": " + Clean(restoration.doing()) : std::string()));
  }
  if (!gate.has_restoration()) {
    lines.push_back(gate.has_open_until()
                        ? fmt::format("No restoration: the opening ends by itself at {} UTC.",
                                      FormatTimeOfDay(ToTimePoint(gate.open_until())))
                        : "No restoration: only a person moves this gate.");
  } else if (!StandsByItself(gate)) {
    lines.push_back(fmt::format("{} is {}: {}.", Clean(restoration.id()),
                                WordOf(restoration.phase()), Clean(restoration.doing())));
  }
  if (IsRunning(gate)) {
    lines.push_back(InTheWay(restoration));
    for (const std::string& wait : restoration.waits_for()) lines.push_back("  - " + Clean(wait));
  }
  for (const v1::CheckState& check : restoration.checks()) {
    lines.push_back("Check " + CheckLine(check, gate));
    if (IsNotWatched(check, gate)) continue;
    if (!check.detail().empty()) lines.push_back("  " + Clean(check.detail()));
    for (const std::string& finding : check.findings()) lines.push_back("  - " + Clean(finding));
    for (const std::string& note : check.notes()) lines.push_back("  (" + Clean(note) + ")");
  }
  for (const v1::Agent& agent : gate.agents()) {
    const std::string trouble = TroubleOf(agent, gate, now);
    if (!agent.has_report()) {
      lines.push_back(
          fmt::format("Load balancer {}: share unknown, {}", Clean(agent.name()), trouble));
      continue;
    }
    const std::string state =
        agent.connected() ? std::string(WordOf(agent.report().stage())) : LinkText(agent) + ",";
    lines.push_back(fmt::format("Load balancer {} {} {}{}{}", Clean(agent.name()), state,
                                EnforcedText(agent), trouble.empty() ? "" : ": ", trouble));
  }
  return lines;
}

Lines GateTable(const v1::ListGatesResponse& gates, const std::string& journal_trouble) {
  if (gates.gates().empty() && !journal_trouble.empty()) {
    return {fmt::format(
        "No gate is known, which does not say that there is none: the journal cannot be used ({}), "
        "so gates are known only from their agents, and none has spoken. Mend the journal: "
        "docs/JOURNAL.md",
        Clean(journal_trouble))};
  }
  if (gates.gates().empty()) {
    return {"There is no gate yet: headgate gates create NAME --share 100%"};
  }
  Lines lines = {fmt::format("{:<24} {:<10} {:<28} {:<8} {}", "GATE", "SHARE", "OBSERVED", "AGENTS",
                             "RESTORATION")};
  for (const v1::Gate& gate : gates.gates()) {
    int connected = 0;
    for (const v1::Agent& agent : gate.agents()) connected += agent.connected() ? 1 : 0;
    std::string state = gate.has_restoration()
                            ? fmt::format("{} {}", Clean(gate.restoration().id()),
                                          WordOf(gate.restoration().phase()))
                            : "none";
    if (StandsByItself(gate)) {
      state = StandsText(gate) + (gate.has_restoration() ? " after " + state : "");
    }
    if (gate.has_open_until()) state += "  !! OPEN WITHOUT EVIDENCE";
    if (!gate.labels().empty()) state += fmt::format("  [{}]", LabelsText(gate.labels()));
    lines.push_back(Fit(Clean(gate.name()), 24) + " " + Fit(FormatPpm(gate.share_ppm()), 10) + " " +
                    Fit(ObservedText(gate), 28) + " " +
                    Fit(fmt::format("{}/{}", connected, ExpectedAgents(gate)), 8) + " " + state);
  }
  return lines;
}

Lines AgentTable(const v1::Gate& gate, TimePoint now) {
  if (gate.agents().empty()) return {"This gate has no agents."};
  // A column of its own only where somebody has some.
  std::size_t width = 0;
  for (const v1::Agent& agent : gate.agents()) {
    width = std::max(width, LabelsText(agent.labels()).size());
  }
  constexpr std::string_view kLabels = "LABELS";
  if (width > 0) width = std::max(width, kLabels.size()) + 1;
  Lines lines = {fmt::format("{:<20} {:<10} {:<9} {:<11} {:<8} {:<8} {:<16} {:<{}}{}", "AGENT",
                             "LINK", "STAGE", "SHARE", "REQ/S", "WEIGHT", "LOAD BALANCER",
                             width > 0 ? kLabels : "", width, "TROUBLE")};
  for (const v1::Agent& agent : gate.agents()) {
    const std::string labels = LabelsText(agent.labels());
    lines.push_back(Fit(Clean(agent.name()), 20) + " " + Fit(LinkText(agent), 10) + " " +
                    Fit(WordOf(agent.report().stage()), 9) + " " + Fit(EnforcedText(agent), 11) +
                    " " + Fit(fmt::format("{:.0f}", agent.requests_per_second()), 8) + " " +
                    Fit(WeightText(agent.weight_ppm()), 8) + " " +
                    Fit(Clean(agent.load_balancer()), 16) + " " +
                    fmt::format("{:<{}}{}", labels, width, TroubleOf(agent, gate, now)));
  }
  return lines;
}

}  // namespace headgate::cli
