#include "tests/agents/endpoint/asked_site.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "agents/core/http_call.h"
#include "agents/core/share_file.h"
#include "agents/envoy/admin.h"
#include "agents/envoy/asking_snippet.h"
#include "common/base/check.h"
#include "tests/support/places.h"

namespace headgate::test {
namespace {

constexpr char kCaddy[] = R"({{
    admin off
    auto_https off
}}
http://127.0.0.1:{port} {{
{site}
}}
)";

}  // namespace

AskedSite::AskedSite(Options options)
    : options_(std::move(options)),
      port_(FreePort()),
      metrics_port_(FreePort()),
      log_port_(FreePort()) {
  std::filesystem::create_directory(folder / "state");
  WriteFile(share_file(), agent::ShareFileText({options_.share.Width(), 10}));
  WriteAgentConfig();
  StartAgent();
  switch (options_.asker) {
    case Asker::kNginx:
      StartNginx();
      break;
    case Asker::kCaddy:
      StartCaddy();
      break;
    case Asker::kEnvoy:
      StartEnvoy();
      break;
  }
  const bool answers = Eventually([&] { return Get("/healthz").status == 200; });
  if (!answers) std::fprintf(stderr, "%s%s\n", Log().c_str(), agent->Output().c_str());
  HEADGATE_CHECK(answers);
}

void AskedSite::WriteAgentConfig() const {
  std::string config = fmt::format(
      "name: edge-1\n"
      "controllers: ['127.0.0.1:1']\n"
      "plaintext: true\n"
      "state_dir: {0}/state\n"
      "metrics: 127.0.0.1:{1}\n"
      "gates:\n"
      "  - name: shop\n"
      "    endpoint:\n"
      "      listen: unix:{2}\n"
      "      share: {0}/shop.share\n"
      "      bootstrap_share: 0%\n"
      "      bypass: [path=/healthz]\n"
      "      key: {3}\n",
      folder.path(), metrics_port_, socket(), options_.key);
  if (options_.asker == Asker::kEnvoy) config += "      ext_authz: unix:" + ext_authz() + "\n";
  if (options_.on_agent_failure == endpoint::OnAgentFailure::kStatic) {
    config += fmt::format("      remembered: {}\n", remembered());
  }
  if (options_.with_access_log) {
    config += fmt::format("      access_log: 127.0.0.1:{}\n      slow: [500ms]\n", log_port_);
  }
  WriteFile(folder / "agent.yaml", config);
}

endpoint::SnippetOptions AskedSite::SnippetOptionsHere() const {
  return {.gate = "shop",
          .listen = {.path = socket()},
          .bypass = {"path=/healthz"},
          .on_agent_failure = options_.on_agent_failure,
          .remembered = remembered(),
          .access_log = options_.with_access_log ? fmt::format("127.0.0.1:{}", log_port_) : ""};
}

void AskedSite::StartNginx() {
  const auto text = endpoint::NginxSnippet(SnippetOptionsHere());
  HEADGATE_CHECK(text.ok());
  nginx_ = std::make_unique<TestNginx>(TestNginx::Options{
      .app_port = app.port(), .more_server = options_.more_server, .other_snippet = *text});
  port_ = nginx_->port();
}

void AskedSite::StartCaddy() {
  auto text = endpoint::CaddySnippet(SnippetOptionsHere());
  HEADGATE_CHECK(text.ok());
  const std::string there = "# Here: what was there before";
  const std::size_t at = text->find(there);
  HEADGATE_CHECK(at != std::string::npos);
  text->insert(at, fmt::format("reverse_proxy 127.0.0.1:{}\n", app.port()));
  const std::string config = folder / "Caddyfile";
  WriteFile(config, fmt::format(kCaddy, fmt::arg("port", port_), fmt::arg("site", *text)));
  caddy_ = std::make_unique<Process>(Process::Options{
      .argv = {"caddy", "run", "--adapter", "caddyfile", "--config", config},
      .environment = {"XDG_DATA_HOME=" + folder.path(), "XDG_CONFIG_HOME=" + folder.path()}});
}

void AskedSite::StartEnvoy() {
  const auto bootstrap = [this](const TestEnvoy& envoy) {
    const auto text =
        envoy::AskingSnippet({.gate = "shop",
                              .ext_authz = "unix:" + ext_authz(),
                              .share = share_file(),
                              .key = *agent::UserKey::Parse(options_.key),
                              .bypass = {"path=/healthz", "cidr=203.0.113.0/24"},
                              .listen = fmt::format("127.0.0.1:{}", envoy.port()),
                              .app_address = fmt::format("127.0.0.1:{}", app.port())});
    HEADGATE_CHECK(text.ok());
    return fmt::format("admin: {{address: {{pipe: {{path: {}, mode: 384}}}}}}\n{}", envoy.admin(),
                       *text);
  };
  envoy_ = std::make_unique<TestEnvoy>(TestEnvoy::Options{.other_bootstrap = bootstrap});
  port_ = envoy_->port();
}

void AskedSite::KillAndStartCaddy() {
  caddy_->Signal(SIGKILL);
  caddy_->Wait(Process::kStopPatience);
  StartCaddy();
  const bool answers = Eventually([&] { return Get("/").status != 0; });
  HEADGATE_CHECK(answers);
}

double AskedSite::EnvoyCount(const std::string& name) const {
  const auto stats = agent::Call({.url = "http://envoy/stats?filter=" + name,
                                  .unix_socket = envoy_->admin(),
                                  .body_bytes_max = envoy::Admin::kAnswerBytesMax});
  const std::size_t at = stats.ok() ? stats->body.find(name + ": ") : std::string::npos;
  return at == std::string::npos ? -1
                                 : std::strtod(stats->body.c_str() + at + name.size() + 2, nullptr);
}

void AskedSite::StartAgent() {
  agent = std::make_unique<Process>(std::vector<std::string>{BuiltProgram("headgate-agent"), "run",
                                                             "--config", folder / "agent.yaml"});
  const bool listens = Eventually([&] { return Metric("headgate_local_load_balancer_up") == 1; });
  if (!listens) std::fprintf(stderr, "%s\n", agent->Output().c_str());
  HEADGATE_CHECK(listens);
}

void AskedSite::KillAgent() {
  agent->Signal(SIGKILL);
  agent->Wait(Process::kStopPatience);
  agent.reset();
}

Finished AskedSite::Run(std::vector<std::string> words) const {
  words.insert(words.begin(), BuiltProgram("headgate-agent"));
  words.insert(words.end(), {"--config", folder / "agent.yaml"});
  return RunToEnd(std::move(words));
}

void AskedSite::Override(const std::string& share) const {
  const Finished finished = Run({"override", share, "--until", "1h"});
  ASSERT_EQ(finished.exit_code, 0) << finished.output;
}

HttpAnswer AskedSite::Get(const std::string& path, const std::vector<std::string>& headers) const {
  return GetUrl(fmt::format("http://127.0.0.1:{}{}", port_, path), headers);
}

int AskedSite::StatusFor(const std::string& user) const {
  return Get("/", {"Cookie: headgate_uid=" + user}).status;
}

double AskedSite::Metric(const std::string& name) const {
  const std::string page = GetUrl(fmt::format("http://127.0.0.1:{}/metrics", metrics_port_)).body;
  const std::size_t at = page.find("\n" + name + "{");
  if (at == std::string::npos) return -1;
  return std::strtod(page.c_str() + page.find("} ", at) + 2, nullptr);
}

std::string AskedSite::Readiness() const {
  return GetUrl(fmt::format("http://127.0.0.1:{}/readyz", metrics_port_)).body;
}

std::string AskedSite::Log() const {
  if (envoy_) return envoy_->Log();
  return nginx_ ? nginx_->Log() : caddy_->Output();
}

}  // namespace headgate::test
