#include "agents/endpoint/check.h"

#include <fmt/format.h>

#include "agents/core/files.h"
#include "agents/core/share_store.h"
#include "agents/endpoint/grpc_knock.h"
#include "agents/endpoint/outside.h"
#include "agents/endpoint/readable.h"

namespace headgate::endpoint {
namespace {

std::string Words(const absl::Status& status) { return std::string(status.message()); }

}  // namespace

std::vector<std::string> Check(const Settings& settings) {
  std::vector<std::string> findings;
  const auto find = [&](const std::string& words) {
    findings.push_back(settings.gate + ": " + words);
  };
  // A missing file is what bootstrap_share is for; one that is there must be good.
  const auto text = agent::ReadSmallFile(settings.share);
  if (!absl::IsNotFound(text.status())) {
    for (const std::string& words : agent::CheckShareFile(settings.share, "headgate-agent run")) {
      find(words);
    }
  }
  Outside outside(settings);
  const agent::Reading reading = outside.Read();
  if (!reading.in_force) {
    find(reading.trouble);
    return findings;
  }
  if (const absl::Status status = outside.Try(*reading.in_force); !status.ok()) find(Words(status));
  if (const absl::Status status = outside.TryWaitPage(); !status.ok()) find(Words(status));
  if (settings.ext_authz) {
    if (const absl::Status status = Knock(*settings.ext_authz); !status.ok()) find(Words(status));
    const std::string why = WhyUnreadable(settings.share, settings.group);
    if (!why.empty()) find(why);
  }
  const std::string other = agent::OtherAtNextStart("the agent", "share file", "restart", reading);
  if (!other.empty()) find(other);
  return findings;
}

}  // namespace headgate::endpoint
