#include "agents/nginx/check.h"

#include <fmt/format.h>

#include "agents/core/share_store.h"

namespace headgate::nginx {
namespace {

std::string Words(const absl::Status& status) { return std::string(status.message()); }

}  // namespace

std::vector<std::string> Check(const Settings& settings) {
  std::vector<std::string> findings;
  const auto find = [&](const std::string& words) {
    findings.push_back(settings.gate + ": " + words);
  };
  const char make_it[] = "headgate-agent snippet nginx … --write";
  for (const std::string& words : agent::CheckShareFile(settings.share, make_it)) find(words);
  Nginx nginx(settings);
  const agent::Reading reading = nginx.Read();
  if (!reading.trouble.empty()) find(reading.trouble);
  if (!reading.in_force) return findings;
  if (const absl::Status status = nginx.Try(*reading.in_force); !status.ok()) find(Words(status));
  if (const absl::Status status = nginx.TryWaitPage(); !status.ok()) find(Words(status));
  const std::string other = agent::OtherAtNextStart("nginx", "share file", "restart", reading);
  if (!other.empty()) find(other);
  return findings;
}

}  // namespace headgate::nginx
