#include "agents/envoy/check.h"

#include <fmt/format.h>

namespace headgate::envoy {
namespace {

std::string Words(const absl::Status& status) { return std::string(status.message()); }

}  // namespace

std::vector<std::string> Check(const Settings& settings) {
  std::vector<std::string> findings;
  const auto find = [&](const std::string& words) {
    findings.push_back(settings.gate + ": " + words);
  };
  const char make_it[] = "headgate-agent snippet envoy … --write";
  const agent::ShareForm form = FormOf({settings.gate, settings.app_clusters});
  for (const std::string& words : agent::CheckShareFile(settings.share, make_it, form)) find(words);
  const auto version = Admin(settings.admin).ReadVersion();
  if (!version.ok()) {
    find(
        fmt::format("{}: write `admin: {{address: {{pipe: {{path: {}, mode: 432}}}}}}` into "
                    "Envoy's bootstrap, and let the agent's user reach it",
                    Words(version.status()),
                    settings.admin.starts_with('/') ? settings.admin : "/run/envoy/admin.sock"));
    return findings;
  }
  if (!CanHash(*version)) {
    find(
        fmt::format("this is Envoy {}: only 1.36 and newer admit by a hash of the user's key. "
                    "Update it",
                    *version));
    return findings;
  }
  const auto file = Admin(settings.admin).ReadLayerFile(LayerOf(settings.gate));
  if (file.ok() && !file->empty() && *file != settings.share) {
    find(
        fmt::format("Envoy takes its share at a start from {}, and not from {}: the bootstrap was "
                    "printed with another --share than the agent's configuration has (share)",
                    *file, settings.share));
  }
  Envoy envoy(settings);
  const agent::Reading reading = envoy.Read();
  if (!reading.trouble.empty()) find(reading.trouble);
  if (!reading.in_force) return findings;
  if (const absl::Status status = envoy.Try(*reading.in_force); !status.ok()) find(Words(status));
  if (const absl::Status status = envoy.TryWaitPage(); !status.ok()) find(Words(status));
  const std::string other = agent::OtherAtNextStart("Envoy", "share file", "restart", reading);
  if (!other.empty()) find(other);
  return findings;
}

}  // namespace headgate::envoy
