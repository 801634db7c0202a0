#include "agents/endpoint/answer.h"

#include <fmt/format.h>

#include "agents/core/http_call.h"
#include "agents/core/new_cookies.h"
#include "agents/core/wait_page.h"
#include "agents/endpoint/remembered.h"

namespace headgate::endpoint {
namespace {

constexpr char kRetryWord[] = "{retry}";

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

std::string OwnPage(std::string page, const std::string& retry) {
  for (std::size_t at = 0; (at = page.find(kRetryWord, at)) != std::string::npos;) {
    page.replace(at, sizeof kRetryWord - 1, retry);
    at += retry.size();
  }
  return page;
}

// Only an admission is worth keeping: of whom nothing is kept, nobody comes in without an agent. A
// refusal is kept in the place of an admission. All else is not written: a file for each request
// costs nginx ten times what the request does.
void Keep(Answer& answer, const Ruling& ruling, const std::string& kept_tag) {
  if (ruling.verdict == Verdict::kBypassed) return;
  std::string tag;
  if (ruling.verdict == Verdict::kAdmitted) {
    tag = AdmissionTag(ruling.bucket);
    // nginx has the ETag of a 200 only.
    answer.status = 200;
    answer.headers.emplace_back("ETag", tag);
  }
  if (tag == kept_tag) answer.headers.emplace_back(kKeptHeader, "1");
}

}  // namespace

Answer AnswerOf(const Ruling& ruling, const Question& question, Dialect dialect, const Page& page) {
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
  if (question.keeps_answers) Keep(answer, ruling, question.kept_tag);
  if (!is_refused) return answer;
  const std::string retry = fmt::format("{}", ruling.retry_after_s);
  headers.emplace_back("Retry-After", retry);
  if (dialect == Dialect::kNginx) return answer;
  if (is_limited) {
    answer.status = agent::kLimitedStatus;
    headers.emplace_back("Content-Type", "text/plain");
    answer.body = agent::kLimitedWords;
    return answer;
  }
  if (question.wants_problem) {
    headers.emplace_back("Content-Type", "application/problem+json");
    answer.body = agent::WaitProblem(retry);
  } else {
    headers.emplace_back("Content-Type", "text/html; charset=utf-8");
    answer.body = page.own.empty() ? agent::WaitPage(retry) : OwnPage(page.own, retry);
  }
  return answer;
}

}  // namespace headgate::endpoint
