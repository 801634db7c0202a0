#include "agents/main/health.h"

#include <fmt/format.h>

#include <string>

#include "agents/core/http_call.h"
#include "agents/main/exit_codes.h"
#include "agents/main/lock.h"

namespace headgate::agent {
namespace {

constexpr Duration kAnswerMax{1'000};

// The page's words without the end of the line.
std::string Words(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

// OK, or what the page says against it.
absl::Status AskPage(const Config& config, const std::string& path) {
  const auto answer = Call({.url = "http://" + config.metrics + path, .patience = kAnswerMax});
  if (!answer.ok()) return answer.status();
  if (answer->status == 200) return absl::OkStatus();
  return absl::InternalError(Words(answer->body));
}

}  // namespace

int PrintHealth(const Config& config, bool only_life, std::ostream& out) {
  const AgentSeen agent = FindAgent(config.state_dir);
  out << fmt::format("agent: {}\n", agent.ToString());
  if (agent.is == AgentSeen::Is::kUnknown) return kExitCouldNotTell;
  if (!agent.Acts()) return kExitRefused;
  if (config.metrics.empty()) {
    out << "its pages were not asked: the configuration has no `metrics: 127.0.0.1:9465`\n";
    return kExitDone;
  }
  const absl::Status live = AskPage(config, "/livez");
  out << fmt::format("alive: {}\n", live.ok() ? "yes" : std::string(live.message()));
  if (!live.ok()) return kExitRefused;
  const absl::Status ready = AskPage(config, "/readyz");
  out << fmt::format("ready: {}\n", ready.ok() ? "yes" : std::string(ready.message()));
  return ready.ok() || only_life ? kExitDone : kExitRefused;
}

std::string ComplaintOfAgent(const Config& config) {
  if (config.metrics.empty() || !FindAgent(config.state_dir).Acts()) return "";
  const absl::Status ready = AskPage(config, "/readyz");
  if (ready.ok()) return "";
  return ready.message().empty() ? "it is not ready" : std::string(ready.message());
}

}  // namespace headgate::agent
