#include "controller/engine/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/base/duration.h"
#include "common/base/overloaded.h"
#include "common/base/text.h"
#include "controller/engine/adaptive.h"
#include "controller/engine/situation.h"
#include "controller/engine/turn.h"

namespace headgate::engine {
namespace {

std::string ClearText(const Gate& gate, Duration needed, TimePoint now) {
  if (!gate.clear_since) return "not clear yet";
  return fmt::format("clear for {} of {}", FormatDuration(now - *gate.clear_since),
                     FormatDuration(needed));
}

std::string RetryText(const Restoration& restoration, const Curing& phase, TimePoint now) {
  const std::uint32_t retries = restoration.plan.spec().retries;
  std::string text = restoration.retreats_in_a_row == 0
                         ? std::string("tries again")
                         : fmt::format("retry {} of {}", restoration.retreats_in_a_row, retries);
  if (phase.not_before > now) {
    text += fmt::format(" in {} at the earliest", FormatDuration(phase.not_before - now));
  }
  return text;
}

// What adaptive steps are about to do.
std::string CourseText(const Gate& gate, TimePoint now) {
  const Course course = CourseOf(gate, now);
  if (gate.record.share == Share::All()) return "to be proven";
  if (course.to == gate.record.share) return "stays: " + course.why;
  return fmt::format("next {} ({})", course.to.ToString(), course.why);
}

// What ends the step beside the checks: the time that it must stand.
std::string StandText(const Gate& gate, const Restoration& restoration) {
  const Progress& progress = gate.evidence.progress;
  if (!progress.observed_at) return "the share, which must be in force everywhere first";
  if (progress.awaits_first) return "the first request of those who were let in";
  if (progress.since_observed == Duration(0) && progress.counts_lag > Duration(0)) {
    return fmt::format("counts of this share: they come {} late",
                       FormatDuration(progress.counts_lag));
  }
  const Duration bake = restoration.plan.spec().bake_min;
  if (progress.since_change < bake) {
    return fmt::format("{} at this share, {} so far", FormatDuration(bake),
                       FormatDuration(progress.since_change));
  }
  return fmt::format("{} of counts of this share, {} so far", FormatDuration(kStoodLeast),
                     FormatDuration(progress.since_observed));
}

std::string WhyText(Search::Why why) {
  switch (why) {
    case Search::Why::kShare:
      return "because of the share";
    case Search::Why::kLoad:
      return "because of its load";
    case Search::Why::kTime:
      return "not because of the share";
  }
  return "";
}

std::string AdmittingText(const Gate& gate, const Restoration& restoration, TimePoint now) {
  return IsAdaptive(restoration) ? CourseText(gate, now)
                                 : ClearText(gate, restoration.plan.spec().bake_min, now);
}

std::string Doing(const Gate& gate, const Restoration& restoration, TimePoint now) {
  const PlanSpec& plan = restoration.plan.spec();
  const std::string share = gate.record.share.ToString();
  return std::visit(
      Overloaded{
          [&](const Preflight&) {
            return "preflight at " + share + ", " + ClearText(gate, plan.ready_for, now);
          },
          [&](const WaitingForApproval& phase) {
            return fmt::format("at {}, waits for approval of {}", share, phase.step.ToString());
          },
          [&](const Admitting&) {
            return "admitting " + share + ", " + AdmittingText(gate, restoration, now);
          },
          [&](const Holding& phase) { return "holding at " + share + ": " + phase.detail; },
          [&](const Retreating& phase) {
            return fmt::format("retreating from {} to {}", phase.from.ToString(),
                               phase.to.ToString());
          },
          [&](const Curing& phase) {
            const std::string clear = IsAdaptive(restoration) ? WhyText(restoration.search.why)
                                                              : ClearText(gate, plan.bake_min, now);
            return fmt::format("at {} after {} failed, {}, {}", share, phase.failed.ToString(),
                               clear, RetryText(restoration, phase, now));
          },
          [&](const Watching&) {
            return fmt::format("at {}, watched for {} of {}", share,
                               FormatDuration(now - restoration.phase_since),
                               FormatDuration(plan.watch));
          },
          [&](const Completed& phase) { return "completed: " + phase.detail; },
          [&](const Aborted& phase) { return "aborted at " + share + ": " + phase.detail; },
          [&](const Failed& phase) { return "failed at " + share + ": " + phase.detail; }},
      restoration.phase);
}

// What ends a phase that evidence alone does not end; empty where it does.
std::string EndOf(const Gate& gate, const Restoration& restoration, TimePoint now) {
  const std::string& name = gate.record.gate;
  if (const auto* holding = std::get_if<Holding>(&restoration.phase)) {
    if (EndsByItself(*holding)) return "fresh evidence: then it goes on by itself";
    const char* who =
        holding->why == Holding::Why::kOperatorAsked ? "a person holds" : "a person must look";
    return fmt::format("{}: `headgate resume {}` goes on", who, name);
  }
  if (const auto* waiting = std::get_if<WaitingForApproval>(&restoration.phase)) {
    if (restoration.approved >= waiting->step) return "";
    return fmt::format("`headgate approve {}` (role approver), to admit {}", name,
                       waiting->step.ToString());
  }
  if (const auto* retreating = std::get_if<Retreating>(&restoration.phase)) {
    return fmt::format("the retreat to {}, which must be in force everywhere first",
                       retreating->to.ToString());
  }
  if (const auto* curing = std::get_if<Curing>(&restoration.phase)) {
    const Duration bake = restoration.plan.spec().bake_min;
    std::string text = fmt::format("the cure: {} must be clear for {}",
                                   gate.record.share.ToString(), FormatDuration(bake));
    if (IsAdaptive(restoration)) {
      text = "the cure of " + gate.record.share.ToString();
      // With nobody in there is nothing to see.
      if (gate.record.share > Share::None()) text += ": every check must be HEALTHY";
    }
    if (curing->not_before > now) {
      text += fmt::format(", and {} must pass", FormatDuration(curing->not_before - now));
    }
    if (IsAdaptive(restoration)) {
      text += FailingInCure(restoration, gate.evidence, gate.record.share);
    }
    return text;
  }
  const bool must_stand = std::holds_alternative<Admitting>(restoration.phase) &&
                          IsAdaptive(restoration) && !HasStood(restoration, gate.evidence);
  return must_stand ? StandText(gate, restoration) : "";
}

bool WillRise(const Restoration& restoration) {
  const auto* holding = std::get_if<Holding>(&restoration.phase);
  if (holding != nullptr) return EndsByItself(*holding);
  return !std::holds_alternative<Retreating>(restoration.phase);
}

// An operator moved the gate after its restoration had ended.
bool HasMovedSince(const Gate& gate, const Restoration& restoration) {
  if (!HasEnded(restoration)) return false;
  const bool was_all = std::holds_alternative<Completed>(restoration.phase);
  return (was_all && gate.record.share < Share::All()) ||
         (gate.changed > restoration.phase_since && gate.cause.kind != Cause::Kind::kRecovery);
}

std::string Moved(const Gate& gate, const std::string& before) {
  const Share share = gate.record.share;
  std::string text = share == Share::None() ? "closed" : "at " + share.ToString();
  if (!gate.cause.who.empty()) text += " by " + gate.cause.who;
  return fmt::format("{}; {} before that", text, before);
}

}  // namespace

bool IsRestoring(const GateRecord& record) {
  return record.restoration && !HasEnded(*record.restoration);
}

bool HasEnded(const Restoration& restoration) {
  return std::holds_alternative<Completed>(restoration.phase) ||
         std::holds_alternative<Aborted>(restoration.phase) ||
         std::holds_alternative<Failed>(restoration.phase);
}

const char* NameOf(const Phase& phase) {
  return std::visit(
      Overloaded{
          [](const Preflight&) { return "PREFLIGHT"; },
          [](const WaitingForApproval&) { return "WAITING_FOR_APPROVAL"; },
          [](const Admitting&) { return "ADMITTING"; }, [](const Holding&) { return "HOLDING"; },
          [](const Retreating&) { return "RETREATING"; }, [](const Curing&) { return "CURING"; },
          [](const Watching&) { return "WATCHING"; }, [](const Completed&) { return "COMPLETED"; },
          [](const Aborted&) { return "ABORTED"; }, [](const Failed&) { return "FAILED"; }},
      phase);
}

Share NextStep(const Restoration& restoration, Share share) {
  for (const Share step : restoration.plan.spec().steps) {
    if (step > share) return step;
  }
  return Share::All();
}

Explanation Explain(const State& state, const Gate& gate, TimePoint now) {
  Explanation explanation;
  const GateRecord& record = gate.record;
  explanation.next = record.share;
  if (record.open_until) {
    explanation.doing =
        fmt::format("OPEN by an operator until {}, then back to {}", FormatTime(*record.open_until),
                    record.share_before_open.ToString());
  }
  if (!record.restoration) {
    if (explanation.doing.empty()) {
      explanation.doing = "at " + record.share.ToString() + ", no restoration";
    }
    return explanation;
  }
  const Restoration& restoration = *record.restoration;
  if (!record.open_until) {
    explanation.doing = HasMovedSince(gate, restoration)
                            ? Moved(gate, restoration.id + " was " + NameOf(restoration.phase))
                            : Doing(gate, restoration, now);
    if (gate.is_overdue) explanation.doing += "; it lasts too long, a person must look";
  }
  explanation.checks = JudgeAll(gate, now, IsInPreflight(gate));
  if (HasEnded(restoration)) return explanation;
  if (WillRise(restoration)) explanation.next = CourseOf(gate, now).to;
  // What a person is asked for, and not how far the evidence would go.
  const auto* waiting = std::get_if<WaitingForApproval>(&restoration.phase);
  if (waiting != nullptr) explanation.next = waiting->step;
  if (gate.pending) explanation.waits_for.push_back("the journal, to record the next share");
  if (std::string end = EndOf(gate, restoration, now); !end.empty()) {
    explanation.waits_for.push_back(std::move(end));
  }
  const bool begins = std::holds_alternative<Preflight>(restoration.phase);
  for (std::string& obstacle : Obstacles(state, gate, now, begins)) {
    explanation.waits_for.push_back(std::move(obstacle));
  }
  return explanation;
}

std::string AsList(std::string head, const std::vector<std::string>& lines) {
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string line = "\n  " + lines[i];
    if (i > 0 && head.size() + line.size() > kListBytesMax) {
      return head + fmt::format("\n  and {} more", lines.size() - i);
    }
    head += CutUtf8(line, kListBytesMax);
  }
  return head;
}

std::vector<std::string> EvidenceLines(const Gate& gate, TimePoint now) {
  std::vector<std::string> lines;
  for (const auto& [name, judgement] : JudgeAll(gate, now, IsInPreflight(gate))) {
    lines.push_back(JudgementText(name, judgement, ""));
  }
  const bool is_searching = gate.record.restoration && IsAdaptive(*gate.record.restoration) &&
                            std::holds_alternative<Admitting>(gate.record.restoration->phase);
  if (is_searching) lines.push_back(CourseText(gate, now));
  return lines;
}

std::string Foresee(Gate gate, const GateRecord& next, TimePoint now) {
  gate.record = next;
  std::string text =
      fmt::format("restoration {} would be in preflight, and wait for: ", next.restoration->id);
  for (const std::string& obstacle : AgentObstacles(gate, now)) text += obstacle + "; ";
  return text + "its checks, which are read once it has started";
}

}  // namespace headgate::engine
