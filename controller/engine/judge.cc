#include "controller/engine/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "common/base/duration.h"
#include "common/base/number.h"
#include "common/base/share.h"
#include "controller/engine/adaptive.h"

namespace headgate::engine {
namespace {

constexpr std::size_t kFindingsShownMax = 100;

std::uint64_t PpmOf(Tally tally) {
  return tally.total == 0 ? 0 : tally.bad * Share::kPpmMax / tally.total;
}

// Three digits that count: a sample of a thousand proves no fourth.
std::string RatioText(Tally tally) {
  std::uint64_t unit = 1;
  const std::uint64_t ppm = PpmOf(tally);
  while (ppm / unit >= 1'000) unit *= 10;
  return FormatPpm((ppm + unit / 2) / unit * unit);
}

std::string AgeText(Duration age) { return fmt::format("{:.1f} s", double(age.count()) / 1000.0); }

Judgement NoDataYet(std::string bound, const std::optional<TimePoint>& last, const std::string& why,
                    TimePoint now, bool in_words) {
  Judgement judgement;
  if (last) judgement.age = now - *last;
  if (!in_words) return judgement;
  judgement.bound = std::move(bound);
  judgement.value = "no data";
  judgement.detail = last ? fmt::format("last reading {} old", AgeText(now - *last))
                          : std::string("no reading yet");
  if (!why.empty()) judgement.detail += ": " + why;
  return judgement;
}

bool IsFresh(const std::optional<TimePoint>& last, Duration fresh, TimePoint now) {
  return last && now - *last <= fresh;
}

// The agent whose own counts fail, if any: one broken load balancer must not drown in the sum.
struct AgentCounts {
  std::string name;
  Tally tally;
};
std::optional<AgentCounts> AgentThatFails(const RatioCheck& check, const RatioEvidence& evidence,
                                          TimePoint now, double bar) {
  const double limit = check.limit_ppm / 1e6;
  for (const auto& [agent, window] : evidence.by_agent) {
    if (evidence.weighed && bar > 0) {
      const auto& agents = evidence.weighed->agents;
      const auto found = agents.find(agent);
      // One agent alone is the sum.
      if (agents.size() < 2 || found == agents.end()) continue;
      if (found->second.evidence.Against() < bar) continue;
      // One that serves nobody harms nobody; whether it may be silent is for others to say.
      if (window.Sum(now).total == 0) continue;
      return AgentCounts{agent, window.Sum(now)};
    }
    const Tally tally = window.Sum(now);
    if (tally.total >= check.min_sample && NatsAgainst(tally, limit) >= kFailedNats) {
      return AgentCounts{agent, tally};
    }
  }
  return std::nullopt;
}

// What a ratio amounts to, before it is put into words.
struct RatioFacts {
  Verdict verdict = Verdict::kUnknown;
  Tally sum;
  Tally newest;
  bool is_severe = false;
  double nats_against = 0;
  double nats_fail = kFailedNats;
  std::optional<AgentCounts> agent;
};

RatioFacts FactsOf(const RatioCheck& check, const RatioEvidence& evidence, TimePoint now,
                   double bar) {
  const double limit = check.limit_ppm / 1e6;
  RatioFacts facts{.sum = evidence.sum.Sum(now), .newest = evidence.newest.Sum(now)};
  const bool is_weighed = evidence.weighed.has_value() && bar > 0;
  const double against = is_weighed ? evidence.weighed->evidence.Against() : 0;
  facts.is_severe =
      facts.newest.total >= check.min_sample &&
      IsSevere({.total = double(facts.newest.total), .bad = double(facts.newest.bad)}, limit);
  facts.nats_against =
      is_weighed ? std::max(std::log(against), 0.0) : NatsAgainst(facts.sum, limit);
  if (is_weighed) facts.nats_fail = std::log(bar);
  const bool fails = is_weighed ? against >= bar : facts.nats_against >= kFailedNats;
  const bool is_above = is_weighed
                            ? against >= kHoldPart * bar || evidence.weighed->evidence.WasBad()
                            : PpmOf(facts.sum) > check.limit_ppm;
  const bool is_few = !is_weighed && facts.sum.total < check.min_sample;
  if (facts.is_severe || (fails && !is_few)) {
    facts.verdict = Verdict::kFailed;
  } else if (is_few) {
    facts.verdict = Verdict::kUnknown;
  } else if (is_above) {
    facts.verdict = Verdict::kDegraded;
  } else if (facts.agent = AgentThatFails(check, evidence, now, bar); facts.agent) {
    facts.verdict = Verdict::kDegraded;
  } else if (!is_weighed || evidence.weighed->evidence.For() >= kForNats) {
    facts.verdict = Verdict::kHealthy;
  }
  return facts;
}

std::string ForText(const Sequential& evidence) {
  return fmt::format("{:.1f} of {:.1f}", std::min(evidence.For(), 99.0), kForNats);
}

// Where evidence stands between an advance and a retreat.
std::string ScaleText(const RatioFacts& facts, const Sequential& evidence) {
  return fmt::format(", against {:.1f} of {:.1f} nats, for {}", facts.nats_against, facts.nats_fail,
                     ForText(evidence));
}

std::string DetailOf(const RatioFacts& facts, const RatioCheck& check,
                     const RatioEvidence& evidence) {
  if (facts.is_severe) {
    return fmt::format("{} of {} in the newest {}", facts.newest.bad, facts.newest.total,
                       std::holds_alternative<AgentRatio>(check.source) ? "second" : "window");
  }
  std::string text =
      fmt::format("{} of {} in {}", facts.sum.bad, facts.sum.total, FormatDuration(check.window));
  if (evidence.weighed) {
    text += ScaleText(facts, evidence.weighed->evidence);
  } else if (facts.verdict == Verdict::kUnknown) {
    text += fmt::format(": waits for {} requests", check.min_sample);
  } else if (facts.nats_against >= kFailedNats || PpmOf(facts.sum) > check.limit_ppm) {
    text += fmt::format(", {:.1f} nats against (fails at {:.1f})", facts.nats_against, kFailedNats);
  }
  if (facts.agent) {
    text += fmt::format(", but {} alone has {} of {} requests", facts.agent->name,
                        RatioText(facts.agent->tally), facts.agent->tally.total);
  } else if (evidence.weighed && facts.verdict == Verdict::kDegraded) {
    text += evidence.weighed->evidence.WasBad() ? ", bad seconds within the last five"
                                                : ", too near to failing";
  }
  return text;
}

Judgement JudgeRatio(const CheckSpec& spec, const RatioCheck& check, const RatioEvidence& evidence,
                     TimePoint now, const Scale& scale) {
  if (!IsFresh(evidence.last, spec.fresh, now)) {
    return NoDataYet(scale.in_words ? FormatPpm(check.limit_ppm) : "", evidence.last,
                     evidence.no_data_why, now, scale.in_words);
  }
  const RatioFacts facts = FactsOf(check, evidence, now, scale.against_bar);
  Judgement judgement;
  judgement.verdict = facts.verdict;
  judgement.unknown_why =
      facts.verdict == Verdict::kUnknown ? UnknownWhy::kTooFew : UnknownWhy::kNone;
  judgement.age = now - *evidence.last;
  if (!scale.in_words) return judgement;
  judgement.bound = FormatPpm(check.limit_ppm);
  judgement.value = facts.is_severe        ? RatioText(facts.newest)
                    : facts.sum.total == 0 ? "no requests"
                                           : RatioText(facts.sum);
  judgement.detail = DetailOf(facts, check, evidence);
  const bool is_unproven = facts.verdict == Verdict::kUnknown && evidence.weighed;
  if (is_unproven) judgement.unproven = ForText(evidence.weighed->evidence);
  return judgement;
}

Judgement JudgeValue(const CheckSpec& spec, const ValueCheck& check, const ValueEvidence& evidence,
                     TimePoint now, bool in_words) {
  const std::string bound =
      in_words ? PlainNumber(check.soft) + ".." + PlainNumber(check.hard) : std::string();
  if (!IsFresh(evidence.last, spec.fresh, now) || !evidence.value) {
    return NoDataYet(bound, evidence.last, evidence.no_data_why, now, in_words);
  }
  const double value = evidence.value->value;
  const bool larger_is_worse = check.hard > check.soft;
  const bool is_beyond_hard = larger_is_worse ? value > check.hard : value < check.hard;
  Judgement judgement;
  judgement.unknown_why = UnknownWhy::kNone;
  judgement.bound = bound;
  judgement.age = now - *evidence.last;
  judgement.verdict = is_beyond_hard            ? Verdict::kFailed
                      : evidence.is_beyond_soft ? Verdict::kDegraded
                                                : Verdict::kHealthy;
  if (!in_words) return judgement;
  judgement.value = PlainNumber(value);
  const char* side = larger_is_worse ? "above" : "below";
  if (is_beyond_hard) {
    judgement.detail = fmt::format("{} the hard bound {}", side, PlainNumber(check.hard));
  } else if (evidence.is_beyond_soft) {
    judgement.detail = fmt::format("{} the soft bound {}, or not back by {}", side,
                                   PlainNumber(check.soft), FormatPpm(check.hysteresis_ppm));
  } else {
    judgement.detail = "inside " + PlainNumber(check.soft);
  }
  return judgement;
}

// Nothing has failed but what the operator wants a person to look at.
bool IsOnlyDrift(const DatabaseReport& report) {
  return std::all_of(
      report.findings.begin(), report.findings.end(), [](const DatabaseFinding& finding) {
        return finding.drains || finding.severity != DatabaseFinding::Severity::kFailed;
      });
}

// What weighs most, what was decided on among it, stands first.
std::vector<std::string> TextsOf(const DatabaseReport& report, bool is_for_drift) {
  std::vector<const DatabaseFinding*> findings;
  findings.reserve(report.findings.size());
  for (const DatabaseFinding& finding : report.findings) findings.push_back(&finding);
  const auto weighs_more = [&](const DatabaseFinding* a, const DatabaseFinding* b) {
    if (a->severity != b->severity) return a->severity > b->severity;
    return (a->drains == is_for_drift) > (b->drains == is_for_drift);
  };
  std::stable_sort(findings.begin(), findings.end(), weighs_more);
  if (findings.size() > kFindingsShownMax) findings.resize(kFindingsShownMax);
  std::vector<std::string> texts;
  texts.reserve(findings.size());
  for (const DatabaseFinding* finding : findings) texts.push_back(finding->text);
  return texts;
}

Verdict WorstOf(const DatabaseReport& report, bool& drains) {
  const DatabaseFinding* worst = nullptr;
  for (const DatabaseFinding& finding : report.findings) {
    if (worst == nullptr || finding.severity > worst->severity) worst = &finding;
    drains = drains || finding.drains;
  }
  if (worst == nullptr) return Verdict::kHealthy;
  switch (worst->severity) {
    case DatabaseFinding::Severity::kDegraded:
      return Verdict::kDegraded;
    case DatabaseFinding::Severity::kUnknown:
      return Verdict::kUnknown;
    case DatabaseFinding::Severity::kFailed:
      return Verdict::kFailed;
  }
  return Verdict::kFailed;
}

}  // namespace

const char* NameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kHealthy:
      return "HEALTHY";
    case Verdict::kDegraded:
      return "DEGRADED";
    case Verdict::kFailed:
      return "FAILED";
    case Verdict::kUnknown:
      return "UNKNOWN";
  }
  return "UNKNOWN";
}

double NatsAgainst(Tally tally, double limit) {
  if (tally.total == 0) return 0;
  const double n = double(tally.total);
  const double p = double(tally.bad) / n;
  if (p <= limit) return 0;
  double divergence = p * std::log(p / limit);
  if (p < 1) divergence += (1 - p) * std::log((1 - p) / (1 - limit));
  return n * divergence;
}

Judgement JudgeDatabase(const std::string& database, Duration fresh, const Evidence& evidence,
                        TimePoint now, const Scale& scale) {
  const bool in_words = scale.in_words;
  const auto found = evidence.databases.find(database);
  if (found == evidence.databases.end()) {
    return NoDataYet("sound", std::nullopt, "", now, in_words);
  }
  const DatabaseEvidence& known = found->second;
  if (!IsFresh(known.last, fresh, now) || !known.report) {
    return NoDataYet("sound", known.last, known.no_data_why, now, in_words);
  }
  Judgement judgement;
  judgement.unknown_why = UnknownWhy::kNone;
  judgement.age = now - *known.last;
  judgement.verdict = WorstOf(*known.report, judgement.drains);
  const bool is_pending =
      scale.in_preflight && !known.report->pending.empty() &&
      (judgement.verdict == Verdict::kHealthy || judgement.verdict == Verdict::kDegraded);
  if (is_pending) judgement.verdict = Verdict::kUnknown;
  if (judgement.verdict == Verdict::kUnknown) {
    judgement.unknown_why = is_pending ? UnknownWhy::kPending : UnknownWhy::kNoData;
  }
  if (judgement.drains && known.on_drift == OnDrift::kHold) {
    judgement.drains = false;
    judgement.holds = IsOnlyDrift(*known.report);
  }
  if (!in_words) return judgement;
  judgement.bound = "sound";
  const std::size_t notes = std::min(known.report->notes.size(), kFindingsShownMax);
  judgement.notes.assign(known.report->notes.begin(),
                         known.report->notes.begin() + static_cast<std::ptrdiff_t>(notes));
  judgement.findings = TextsOf(*known.report, judgement.drains || judgement.holds);
  judgement.value = known.report->findings.empty()
                        ? "sound"
                        : fmt::format("{} finding(s)", known.report->findings.size());
  const std::string& progress = known.report->progress;
  if (judgement.findings.empty()) {
    judgement.detail = "nothing found" + (progress.empty() ? "" : "; data " + progress);
  } else {
    judgement.detail = judgement.findings.front();
    if (!progress.empty()) judgement.notes.push_back("data " + progress);
  }
  if (!is_pending) return judgement;
  judgement.findings.insert(judgement.findings.begin(), known.report->pending);
  judgement.value = "not compared yet";
  judgement.detail = known.report->pending;
  return judgement;
}

Judgement Judge(const CheckSpec& check, const Evidence& evidence, TimePoint now,
                const Scale& scale) {
  if (const auto* ratio = std::get_if<RatioCheck>(&check.kind)) {
    const auto found = evidence.ratios.find(check.name);
    return found == evidence.ratios.end()
               ? NoDataYet(FormatPpm(ratio->limit_ppm), std::nullopt, "", now, scale.in_words)
               : JudgeRatio(check, *ratio, found->second, now, scale);
  }
  if (const auto* value = std::get_if<ValueCheck>(&check.kind)) {
    const auto found = evidence.values.find(check.name);
    return found == evidence.values.end()
               ? NoDataYet("", std::nullopt, "", now, scale.in_words)
               : JudgeValue(check, *value, found->second, now, scale.in_words);
  }
  return JudgeDatabase(std::get<DatabaseCheck>(check.kind).database, check.fresh, evidence, now,
                       scale);
}

}  // namespace headgate::engine
