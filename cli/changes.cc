#include "cli/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/words.h"
#include "common/base/share.h"

namespace headgate::cli {
namespace {

std::string ShareLine(const v1::Gate* before, const v1::Gate& gate) {
  std::string line =
      fmt::format("{}admits {}", IsClosed(gate) ? "is CLOSED, " : "", FormatPpm(gate.share_ppm()));
  if (before != nullptr && before->share_ppm() != gate.share_ppm())
    line += fmt::format(" (was {})", FormatPpm(before->share_ppm()));
  const std::string cause = CauseText(gate.changed_by());
  return cause.empty() ? line : line + ", by " + cause;
}

std::string RestorationLine(const v1::Restoration& now) {
  std::string line = fmt::format("{} {}", now.id(), WordOf(now.phase()));
  if (!now.doing().empty()) line += ": " + now.doing();
  for (int i = 0; i < now.waits_for_size(); ++i) {
    line += (i == 0 ? "; waits for: " : "; ") + now.waits_for(i);
  }
  return Clean(line);
}

void AddRestoration(const v1::Gate* before, const v1::Gate& gate, Lines& lines) {
  if (!gate.has_restoration()) return;
  const v1::Restoration& now = gate.restoration();
  const bool is_same = before != nullptr && before->has_restoration() &&
                       before->restoration().id() == now.id() &&
                       before->restoration().phase() == now.phase();
  if (!is_same) lines.push_back(RestorationLine(now));
}

void AddChecks(const v1::Gate* before, const v1::Gate& gate, Lines& lines) {
  std::map<std::string, const v1::CheckState*> old;
  if (before != nullptr) {
    for (const v1::CheckState& check : before->restoration().checks()) old[check.name()] = &check;
  }
  for (const v1::CheckState& check : gate.restoration().checks()) {
    const auto found = old.find(check.name());
    const bool was_silent = found == old.end() || IsNotWatched(*found->second, *before);
    const bool is_calm = IsNotWatched(check, gate) || check.verdict() == v1::HEALTHY;
    // Of what is not watched any more only bad news is news.
    if (before != nullptr && HasEnded(gate.restoration().phase()) &&
        (IsNotWatched(check, gate) || (was_silent && is_calm))) {
      continue;
    }
    if (found != old.end() && found->second->verdict() == check.verdict() &&
        found->second->unknown_why() == check.unknown_why()) {
      continue;
    }
    std::string line = "check " + CheckLine(check, gate);
    if (check.verdict() != v1::HEALTHY && !check.detail().empty() && !IsNotWatched(check, gate)) {
      line += ": " + Clean(check.detail());
    }
    lines.push_back(line);
    for (const std::string& finding : check.findings()) lines.push_back("  " + Clean(finding));
  }
}

void AddAgents(const Look* before, const Look& look, TimePoint now, Lines& lines) {
  Gists old = before == nullptr ? Gists() : before->gists;
  for (const v1::Agent& agent : look.gate.agents()) {
    const auto found = old.find(agent.name());
    const bool is_known = found != old.end();
    const std::string& gist = look.gists.at(agent.name());
    const bool is_same = is_known && found->second == gist;
    if (is_known) old.erase(found);
    if (is_same) continue;
    lines.push_back(Clean(fmt::format(
        "load balancer {} {}", agent.name(),
        gist.empty() ? "is connected and in order" : TroubleOf(agent, look.gate, now))));
  }
  for (const auto& [name, unused] : old) {
    lines.push_back(Clean(fmt::format("load balancer {} is no longer counted", name)));
  }
}

}  // namespace

Gists GistsOf(const v1::Gate& gate) {
  Gists gists;
  for (const v1::Agent& agent : gate.agents()) gists[agent.name()] = GistOfTrouble(agent, gate);
  return gists;
}

Lines Changes(const v1::Gate* before, const v1::Gate& gate, TimePoint now) {
  const Look look{gate, GistsOf(gate)};
  if (before == nullptr) return Changes(static_cast<const Look*>(nullptr), look, now);
  const Look look_before{*before, GistsOf(*before)};
  return Changes(&look_before, look, now);
}

Lines Changes(const Look* look_before, const Look& look, TimePoint now) {
  const v1::Gate* before = look_before == nullptr ? nullptr : &look_before->gate;
  const v1::Gate& gate = look.gate;
  Lines changes;
  const bool has_moved = before == nullptr || before->share_ppm() != gate.share_ppm();
  if (has_moved || (IsClosed(gate) && !IsClosed(*before))) {
    changes.push_back(ShareLine(before, gate));
  }
  const std::string observed = ObservedText(gate);
  const bool is_new = before == nullptr || ObservedText(*before) != observed;
  if (is_new && gate.observed()) {
    changes.push_back("load balancers let in " + observed + " (observed)");
  } else if (is_new && gate.agents_unknown() > 0) {
    changes.push_back("what load balancers let in is not known: " + observed);
  }
  AddRestoration(before, gate, changes);
  AddChecks(before, gate, changes);
  AddAgents(look_before, look, now, changes);
  const Lines old_warnings = before == nullptr ? Lines{} : Warnings(*before);
  for (const std::string& warning : Warnings(gate)) {
    if (std::find(old_warnings.begin(), old_warnings.end(), warning) == old_warnings.end()) {
      changes.push_back("!! " + warning);
    }
  }
  Lines lines;
  for (const std::string& change : changes) {
    lines.push_back(fmt::format("{} {} {}", FormatTimeOfDay(now), Clean(gate.name()), change));
  }
  return lines;
}

std::string StillLine(const v1::Gate& gate, TimePoint now) {
  return fmt::format("{} {} still admits {}; {}", FormatTimeOfDay(now), Clean(gate.name()),
                     FormatPpm(gate.share_ppm()), RestorationLine(gate.restoration()));
}

std::optional<End> EndOf(const v1::Gate& gate, const std::string& id) {
  if (!gate.has_restoration() || gate.restoration().id() != id) {
    return End{ExitCode::kCouldNotTell,
               fmt::format("{} is gone: another restoration took its place", id)};
  }
  const v1::Restoration& restoration = gate.restoration();
  const v1::Phase phase = restoration.phase();
  const std::string doing = Clean(restoration.doing());
  if (phase == v1::PHASE_COMPLETED) {
    return End{ExitCode::kDone, fmt::format("{} is COMPLETED: {} admits {}", id, gate.name(),
                                            FormatPpm(gate.share_ppm()))};
  }
  if (phase == v1::PHASE_ABORTED || phase == v1::PHASE_FAILED) {
    return End{ExitCode::kRetreatedOrAborted, fmt::format("{} is {} at {}: {}", id, WordOf(phase),
                                                          FormatPpm(gate.share_ppm()), doing)};
  }
  if (phase == v1::PHASE_WAITING_FOR_APPROVAL) {
    return End{ExitCode::kWaitsForApproval,
               fmt::format("{} waits for a person at {}: {}. To let it go on: headgate approve {}",
                           id, FormatPpm(gate.share_ppm()), doing, gate.name())};
  }
  const bool is_exhausted =
      restoration.record().holding().why() == v1::HoldingPhase::RETRIES_EXHAUSTED;
  if (phase == v1::PHASE_HOLDING && is_exhausted) {
    return End{
        ExitCode::kRetreatedOrAborted,
        fmt::format("{} retreated {} times and holds at {}: {}. A person must look: headgate "
                    "explain {}",
                    id, restoration.record().retreats(), FormatPpm(gate.share_ppm()), doing,
                    gate.name())};
  }
  return std::nullopt;
}

}  // namespace headgate::cli
