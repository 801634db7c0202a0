#include "agents/endpoint/desk.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "agents/core/http_call.h"
#include "agents/core/prober.h"
#include "agents/core/share_file.h"
#include "agents/core/snippet_words.h"
#include "common/base/bucket.h"

namespace headgate::endpoint {
namespace {

Answer NotFound(std::string_view path) {
  return {
      .status = 404,
      .headers = {{"Content-Type", "text/plain"}},
      .body = fmt::format("nothing is at '{}': ask {} (200 or 503), {} (204 or 403) or {} (200 or "
                          "429)\n",
                          path.substr(0, 200), kForwardPath, kNginxPath, kEnvoyPath)};
}

}  // namespace

Desk::Desk(Admission& admission, Page page, std::vector<std::uint32_t> slow_ms)
    : admission_(admission),
      page_(std::move(page)),
      slow_ms_(std::move(slow_ms)),
      forecast_(std::make_shared<const agent::Forecast>()) {}

void Desk::Foretell(const agent::Forecast& forecast) {
  forecast_ = std::make_shared<const agent::Forecast>(forecast);
}

Answer Desk::With(const Ruling& ruling, const Question& question, Dialect dialect) const {
  const bool is_told = ruling.verdict == Verdict::kRefused && ruling.bucket;
  if (!is_told) return AnswerOf(ruling, question, dialect, page_);
  const std::shared_ptr<const agent::Forecast> forecast = forecast_;
  return AnswerOf(ruling, question, dialect, page_,
                  forecast->Find(*ruling.bucket, clock_.WallNow()));
}

Answer Desk::Decide(const Asked& asked, const Headers& headers, Dialect answer_in) {
  Question question = ReadQuestion(admission_.rules(), asked, headers);
  question.has_no_room = !has_room_;
  return With(admission_.Decide(question, clock_.Now()), question, answer_in);
}

Answer Desk::WaitForNginx(const Asked& asked, const Headers& headers) {
  const Question question = ReadQuestion(admission_.rules(), asked, headers);
  const auto given = headers.All(kGivenHeader);
  return With(admission_.Refuse(question, given.size() == 1 ? std::string(given.front()) : ""),
              question, Dialect::kForward);
}

Answer Desk::DecideForEnvoy(const Asked& asked, const Headers& headers) {
  return Decide(asked, headers, Dialect::kForward);
}

Answer Desk::Respond(const Request& request) {
  const std::string_view path = request.target.substr(0, request.target.find('?'));
  const auto decide = [&](Dialect dialect, std::string_view target) {
    return Decide({.dialect = dialect, .method = request.method, .target = target}, request.headers,
                  dialect);
  };
  if (path == kForwardPath) return decide(Dialect::kForward, request.target);
  if (path == kNginxPath) return decide(Dialect::kNginx, request.target);
  if (path == kNginxWaitPath) {
    return WaitForNginx(
        {.dialect = Dialect::kNginx, .method = request.method, .target = request.target},
        request.headers);
  }
  if (path == kEnvoyPath) return decide(Dialect::kEnvoy, "/");
  constexpr std::string_view kPrefix = kEnvoyPath;
  // Envoy puts the user's own path behind the prefix.
  if (path.starts_with(kPrefix) && path[kPrefix.size()] == '/') {
    return decide(Dialect::kEnvoy, request.target.substr(kPrefix.size()));
  }
  if (path == agent::kProbePath) return Probe(request.headers);
  if (path == std::string(agent::kProbePath) + agent::kWaitProbeSuffix) {
    const Question question =
        ReadQuestion(admission_.rules(), {.dialect = Dialect::kForward}, request.headers);
    return With(admission_.Refuse(question), question, Dialect::kForward);
  }
  return NotFound(path);
}

// Two requests of the agent's, just inside and just outside, are decided by the same rule.
Answer Desk::Probe(const Headers& headers) const {
  const Rules& rules = admission_.rules();
  std::string key =
      admission_.Verified(ReadQuestion(rules, {.dialect = Dialect::kForward}, headers).key);
  if (rules.key.kind != agent::UserKey::Kind::kHeader) {
    const auto given = headers.All("x-headgate-probe-key");
    if (!given.empty()) key = std::string(given.back());
  }
  const agent::ShareFile share = admission_.share();
  return {
      .status = admission_.Admits(key) ? 200U : 503U,
      .headers = {{agent::kGateHeader, page_.gate},
                  {"Content-Type", "text/plain"},
                  {"Cache-Control", "no-store"}},
      .body = fmt::format("bucket={} width={} slow={} {}={}\n",
                          key.empty() ? "" : fmt::format("{}", BucketOf(key)), share.width,
                          fmt::join(slow_ms_, ","), agent::kRetryAfterEntry, share.retry_after_s)};
}

}  // namespace headgate::endpoint
