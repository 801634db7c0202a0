#include "agents/endpoint/answer.h"

#include <fmt/format.h>

#include "agents/core/http_call.h"
#include "agents/core/new_cookies.h"
#include "agents/endpoint/remembered.h"

namespace headgate::endpoint {
namespace {

const char* WordOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kAdmitted:
      return "in";
    case Verdict::kBypassed:
      return "bypass";
    case Verdict::kRefused:
      return "out";
    case Verdict::kLimited:
      return "limited";
  }
  return "";
}

unsigned StatusOf(bool is_refused, Dialect dialect) {
  switch (dialect) {
    case Dialect::kForward:
      return is_refused ? 503 : 200;
    case Dialect::kNginx:
      return is_refused ? 403 : 204;
    case Dialect::kEnvoy:
      return is_refused ? 429 : 200;
  }
  return 0;
}

void PutPage(Answer& answer, const Ruling& ruling, const Question& question, const Page& page,
             const agent::ForecastRow* row) {
  const std::string retry = fmt::format("{}", ruling.retry_after_s);
  agent::Known known = agent::Known::kNothing;
  agent::WaitWords words{.retry_after = retry};
  agent::ProblemWords problem{.retry_after = retry};
  if (ruling.is_soon) {
    known = agent::Known::kSoon;
  } else if (ruling.bucket) {
    const std::string own = fmt::format("{}", agent::OwnPercent(*ruling.bucket));
    known = row != nullptr && row->has_time() ? agent::Known::kTime : agent::Known::kShare;
    words.share = row != nullptr ? row->percent : own;
    problem.ratio = row != nullptr ? row->ratio : own + "e-2";
  }
  if (known == agent::Known::kTime) {
    words.time = row->time;
    words.zone = row->zone;
    problem.instant = row->instant;
  }
  if (question.wants_problem) {
    answer.headers.emplace_back("Content-Type", "application/problem+json");
    answer.body = agent::WaitProblem(known, problem);
  } else {
    answer.headers.emplace_back("Content-Type", "text/html; charset=utf-8");
    answer.body = page.pages.For(question.accept_language).Text(known, words);
  }
}

// Only an admission is worth keeping: of whom nothing is kept, nobody comes in without an agent. A
// refusal is kept in the place of an admission. All else is not written: a file for each request
// costs nginx ten times what the request does.
//
// nginx reads a request's key in its own way, and of several takes another one: what was decided of
// one user must not be kept as another's, and under no key only what holds for everybody.
void Keep(Answer& answer, const Ruling& ruling, const Question& question) {
  if (ruling.verdict == Verdict::kBypassed) return;
  std::string tag;
  if (ruling.verdict == Verdict::kAdmitted) {
    tag = AdmissionTag(ruling.bucket);
    // nginx has the ETag of a 200 only.
    answer.status = 200;
    answer.headers.emplace_back("ETag", tag);
  }
  const bool is_of_everybody = ruling.verdict == Verdict::kAdmitted && !ruling.bucket;
  const bool is_own = question.kept_as == (is_of_everybody ? "" : question.key);
  if (tag == question.kept_tag || !is_own) answer.headers.emplace_back(kKeptHeader, "1");
}

}  // namespace

Answer AnswerOf(const Ruling& ruling, const Question& question, Dialect dialect, const Page& page,
                const agent::ForecastRow* row) {
  const bool is_limited = ruling.verdict == Verdict::kLimited;
  const bool is_refused = is_limited || ruling.verdict == Verdict::kRefused;
  Answer answer{.status = StatusOf(is_refused, dialect)};
  auto& headers = answer.headers;
  headers.emplace_back(agent::kGateHeader, page.gate);
  headers.emplace_back(kVerdictHeader, WordOf(ruling.verdict));
  headers.emplace_back("Cache-Control", is_refused ? "no-store" : "private");
  if (!ruling.cookie.empty()) headers.emplace_back("Set-Cookie", ruling.cookie);
  if (dialect == Dialect::kNginx) {
    // nginx keeps it for the hour without an agent only: it has expired when it comes. A bypassed
    // one says nothing of its user, and is not kept.
    headers.emplace_back("X-Accel-Expires", ruling.verdict == Verdict::kBypassed ? "0" : "@1");
  }
  if (question.keeps_answers && question.has_no_room) {
    headers.emplace_back(kKeptHeader, "1");
  } else if (question.keeps_answers) {
    Keep(answer, ruling, question);
  }
  if (!is_refused) return answer;
  headers.emplace_back("Retry-After", fmt::format("{}", ruling.retry_after_s));
  if (dialect == Dialect::kNginx) return answer;
  if (is_limited) {
    answer.status = agent::kLimitedStatus;
    headers.emplace_back("Content-Type", "text/plain");
    answer.body = agent::kLimitedWords;
    return answer;
  }
  PutPage(answer, ruling, question, page, row);
  return answer;
}

}  // namespace headgate::endpoint
