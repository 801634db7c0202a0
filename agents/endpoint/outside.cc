#include "agents/endpoint/outside.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>

#include "agents/core/cookie.h"
#include "agents/core/http_call.h"
#include "agents/endpoint/remembered.h"
#include "agents/endpoint/server.h"

namespace headgate::endpoint {
namespace {

constexpr Duration kAskEvery{20};

std::optional<std::uint32_t> NumberBehind(const std::string& body, std::string_view name) {
  std::istringstream words(body);
  for (std::string word; words >> word;) {
    if (!word.starts_with(name)) continue;
    std::uint32_t number = 0;
    const auto [end, error] =
        std::from_chars(word.data() + name.size(), word.data() + word.size(), number);
    if (error == std::errc() && end == word.data() + word.size()) return number;
  }
  return std::nullopt;
}

}  // namespace

Outside::Outside(Settings settings)
    : settings_(std::move(settings)),
      file_(settings_.share,
            fmt::format("after a restart the agent would admit bootstrap_share, {}",
                        settings_.bootstrap_share.ToString())),
      prober_(settings_.gate, ProbeUrlOf(settings_.listen), settings_.key, settings_.listen.path) {}

absl::StatusOr<agent::ShareFile> Outside::Ask() const {
  const auto answer = agent::Call({.url = ProbeUrlOf(settings_.listen),
                                   .patience = agent::Prober::kPatience,
                                   .unix_socket = settings_.listen.path});
  if (!answer.ok()) {
    return absl::UnavailableError(fmt::format(
        "the agent's endpoint {} does not answer ({}): is `headgate-agent run` running?",
        settings_.listen.ToString(), std::string(answer.status().message())));
  }
  const auto width = NumberBehind(answer->body, "width=");
  const auto retry = NumberBehind(answer->body, fmt::format("{}=", agent::kRetryAfterEntry));
  if (answer->gate == settings_.gate && width && retry) return agent::ShareFile{*width, *retry};
  if (answer->body == kTooManyConnections) {
    return absl::ResourceExhaustedError(fmt::format(
        "the agent's endpoint {} has as many connections as it takes, and answers nobody else: "
        "who asks it must close them, or keep fewer",
        settings_.listen.ToString()));
  }
  return absl::FailedPreconditionError(fmt::format(
      "{} is answered by {}: another agent, or another gate of this one, listens there",
      settings_.listen.ToString(),
      answer->gate.empty() ? "something else" : fmt::format("gate '{}'", answer->gate)));
}

agent::Reading Outside::Read() {
  agent::Reading reading;
  file_.Read(reading);
  if (settings_.key.kind == agent::UserKey::Kind::kCookie) {
    const auto keys = agent::ReadCookieKeys(agent::CookieKeysFileOf(settings_.share));
    // The endpoint may go by those of before it was lost or damaged.
    prober_.FollowKeys(keys.ok() && !keys->empty() ? std::optional(*keys) : std::nullopt);
  }
  const absl::StatusOr<agent::ShareFile> told = Ask();
  if (!told.ok()) {
    agent::AddTrouble(reading.trouble, std::string(told.status().message()));
    return reading;
  }
  reading.in_force = agent::ShareOfWidth(told->width);
  reading.retry_after_s = told->retry_after_s;
  reading.instance = "endpoint";
  return reading;
}

agent::ApplyOutcome Outside::Put(const agent::Apply& apply) {
  agent::ApplyOutcome outcome = file_.Put(
      apply, [&](const agent::ShareFile& wanted) { return WaitFor(wanted, apply.direction); });
  // With the agent dead, too: then what nginx keeps is all that admits anybody.
  if (apply.direction == agent::Direction::kDown && !settings_.remembered.empty()) {
    outcome.in_memory.Update(ForgetAnswers(settings_.remembered, apply.share.Width()));
  }
  return outcome;
}

absl::Status Outside::WaitFor(const agent::ShareFile& wanted, agent::Direction direction) const {
  const SteadyClock clock;
  const TimePoint until = clock.Now() + kObeyMax;
  while (true) {
    const absl::StatusOr<agent::ShareFile> told = Ask();
    if (!told.ok()) return told.status();
    const bool is_down = direction == agent::Direction::kDown;
    if (is_down ? told->width <= wanted.width : told->width == wanted.width)
      return absl::OkStatus();
    if (clock.Now() >= until) {
      return absl::DeadlineExceededError(fmt::format("the agent still admits {} after {} ms",
                                                     agent::ShareOfWidth(told->width).ToString(),
                                                     kObeyMax.count()));
    }
    std::this_thread::sleep_for(kAskEvery);
  }
}

absl::StatusOr<agent::RawCounters> Outside::ReadCounters() {
  return absl::UnimplementedError("the endpoint tells its counters to its own agent only");
}

agent::Description Outside::Describe() const {
  return {"decision endpoint", settings_.key.ToString(), settings_.slow_ms};
}

}  // namespace headgate::endpoint
