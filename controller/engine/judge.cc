#include "controller/engine/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "common/base/duration.h"
#include "common/base/share.h"

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
                    TimePoint now) {
  Judgement judgement;
  judgement.bound = std::move(bound);
  judgement.value = "no data";
  if (last) judgement.age = now - *last;
  judgement.detail = last ? fmt::format("last reading {} old", AgeText(now - *last))
                          : std::string("no reading yet");
  if (!why.empty()) judgement.detail += ": " + why;
  return judgement;
}

bool IsFresh(const std::optional<TimePoint>& last, Duration fresh, TimePoint now) {
  return last && now - *last <= fresh;
}

// The agent whose own counts fail, if any: one broken load balancer must not drown in the sum.
std::string AgentThatFails(const RatioCheck& check, const RatioEvidence& evidence, TimePoint now) {
  const double limit = check.limit_ppm / 1e6;
  for (const auto& [agent, window] : evidence.by_agent) {
    const Tally tally = window.Sum(now);
    if (tally.total >= check.min_sample && NatsAgainst(tally, limit) >= kFailedNats) {
      return fmt::format("{} alone has {} of {} requests", agent, RatioText(tally), tally.total);
    }
  }
  return "";
}

Judgement JudgeRatio(const CheckSpec& spec, const RatioCheck& check, const RatioEvidence& evidence,
                     TimePoint now) {
  const std::string bound = FormatPpm(check.limit_ppm);
  if (!IsFresh(evidence.last, spec.fresh, now)) {
    return NoDataYet(bound, evidence.last, evidence.no_data_why, now);
  }
  const double limit = check.limit_ppm / 1e6;
  const Tally sum = evidence.sum.Sum(now);
  const Tally newest = evidence.newest.Sum(now);
  Judgement judgement;
  judgement.unknown_why = UnknownWhy::kNone;
  judgement.bound = bound;
  judgement.age = now - *evidence.last;
  judgement.value = sum.total == 0 ? "no requests" : RatioText(sum);
  const std::string sample =
      fmt::format("{} of {} in {}", sum.bad, sum.total, FormatDuration(check.window));
  const bool is_severe = newest.total >= check.min_sample &&
                         double(newest.bad) >= std::max(kSevere, limit) * double(newest.total);
  if (is_severe) {
    judgement.verdict = Verdict::kFailed;
    judgement.value = RatioText(newest);
    judgement.detail = fmt::format("{} of {} in the newest second", newest.bad, newest.total);
    return judgement;
  }
  if (sum.total < check.min_sample) {
    judgement.verdict = Verdict::kUnknown;
    judgement.unknown_why = UnknownWhy::kTooFew;
    judgement.detail = fmt::format("{}: waits for {} requests", sample, check.min_sample);
    return judgement;
  }
  const double nats = NatsAgainst(sum, limit);
  judgement.detail = sample;
  if (nats >= kFailedNats) {
    judgement.verdict = Verdict::kFailed;
    judgement.detail += fmt::format(", {:.1f} nats against (fails at {:.1f})", nats, kFailedNats);
  } else if (PpmOf(sum) > check.limit_ppm) {
    judgement.verdict = Verdict::kDegraded;
    judgement.detail += fmt::format(", {:.1f} nats against (fails at {:.1f})", nats, kFailedNats);
  } else if (std::string agent = AgentThatFails(check, evidence, now); !agent.empty()) {
    judgement.verdict = Verdict::kDegraded;
    judgement.detail += ", but " + agent;
  } else {
    judgement.verdict = Verdict::kHealthy;
  }
  return judgement;
}

Judgement JudgeValue(const CheckSpec& spec, const ValueCheck& check, const ValueEvidence& evidence,
                     TimePoint now) {
  const std::string bound = fmt::format("{:g}..{:g}", check.soft, check.hard);
  if (!IsFresh(evidence.last, spec.fresh, now) || !evidence.value) {
    return NoDataYet(bound, evidence.last, evidence.no_data_why, now);
  }
  const double value = evidence.value->value;
  const bool larger_is_worse = check.hard > check.soft;
  const bool is_beyond_hard = larger_is_worse ? value > check.hard : value < check.hard;
  Judgement judgement;
  judgement.unknown_why = UnknownWhy::kNone;
  judgement.bound = bound;
  judgement.age = now - *evidence.last;
  judgement.value = fmt::format("{:g}", value);
  const char* side = larger_is_worse ? "above" : "below";
  if (is_beyond_hard) {
    judgement.verdict = Verdict::kFailed;
    judgement.detail = fmt::format("{} the hard bound {:g}", side, check.hard);
  } else if (evidence.is_beyond_soft) {
    judgement.verdict = Verdict::kDegraded;
    judgement.detail = fmt::format("{} the soft bound {:g}, or not back by {}", side, check.soft,
                                   FormatPpm(check.hysteresis_ppm));
  } else {
    judgement.verdict = Verdict::kHealthy;
    judgement.detail = fmt::format("inside {:g}", check.soft);
  }
  return judgement;
}

Verdict WorstOf(const DatabaseReport& report, bool& drains) {
  Verdict worst = Verdict::kHealthy;
  const auto rank = [](Verdict verdict) {
    switch (verdict) {
      case Verdict::kHealthy:
        return 0;
      case Verdict::kDegraded:
        return 1;
      case Verdict::kUnknown:
        return 2;
      case Verdict::kFailed:
        return 3;
    }
    return 3;
  };
  for (const DatabaseFinding& finding : report.findings) {
    Verdict verdict = Verdict::kFailed;
    if (finding.severity == DatabaseFinding::Severity::kDegraded) verdict = Verdict::kDegraded;
    if (finding.severity == DatabaseFinding::Severity::kUnknown) verdict = Verdict::kUnknown;
    if (rank(verdict) > rank(worst)) worst = verdict;
    drains = drains || finding.drains;
  }
  return worst;
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
                        TimePoint now) {
  const auto found = evidence.databases.find(database);
  if (found == evidence.databases.end()) return NoDataYet("sound", std::nullopt, "", now);
  const DatabaseEvidence& known = found->second;
  if (!IsFresh(known.last, fresh, now) || !known.report) {
    return NoDataYet("sound", known.last, known.no_data_why, now);
  }
  Judgement judgement;
  judgement.unknown_why = UnknownWhy::kNone;
  judgement.bound = "sound";
  judgement.age = now - *known.last;
  judgement.verdict = WorstOf(*known.report, judgement.drains);
  if (judgement.verdict == Verdict::kUnknown) judgement.unknown_why = UnknownWhy::kNoData;
  for (const DatabaseFinding& finding : known.report->findings) {
    if (judgement.findings.size() >= kFindingsShownMax) break;
    judgement.findings.push_back(finding.text);
  }
  judgement.value = known.report->findings.empty()
                        ? "sound"
                        : fmt::format("{} finding(s)", known.report->findings.size());
  judgement.detail =
      known.report->findings.empty() ? "nothing found" : known.report->findings.front().text;
  return judgement;
}

Judgement Judge(const CheckSpec& check, const Evidence& evidence, TimePoint now) {
  if (const auto* ratio = std::get_if<RatioCheck>(&check.kind)) {
    const auto found = evidence.ratios.find(check.name);
    return found == evidence.ratios.end()
               ? NoDataYet(FormatPpm(ratio->limit_ppm), std::nullopt, "", now)
               : JudgeRatio(check, *ratio, found->second, now);
  }
  if (const auto* value = std::get_if<ValueCheck>(&check.kind)) {
    const auto found = evidence.values.find(check.name);
    return found == evidence.values.end() ? NoDataYet("", std::nullopt, "", now)
                                          : JudgeValue(check, *value, found->second, now);
  }
  return JudgeDatabase(std::get<DatabaseCheck>(check.kind).database, check.fresh, evidence, now);
}

}  // namespace headgate::engine
