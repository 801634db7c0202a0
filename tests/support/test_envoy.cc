#include "tests/support/test_envoy.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "agents/core/http_call.h"
#include "agents/envoy/admin.h"
#include "agents/envoy/weights.h"
#include "common/base/check.h"

namespace headgate::test {
namespace {

// As in `dev`.
constexpr char kVersion[] = "1.40.0";
constexpr Duration kAsking{1000};

std::string Of(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

}  // namespace

std::string EnvoyProgram() {
  if (!Of("HEADGATE_ENVOY").empty()) return Of("HEADGATE_ENVOY");
  const std::string cache =
      Of("XDG_CACHE_HOME").empty() ? Of("HOME") + "/.cache" : Of("XDG_CACHE_HOME");
  const std::string program = fmt::format("{}/headgate/envoy-{}/envoy", cache, kVersion);
  return access(program.c_str(), X_OK) == 0 ? program : "";
}

std::string WhyNoEnvoy() {
  if (!EnvoyProgram().empty()) return "";
  return "there is no Envoy: `./dev test` installs it where its wheel can be had; $HEADGATE_ENVOY "
         "names another";
}

TestEnvoy::TestEnvoy(Options options) : options_(std::move(options)), port_(FreePort()) {
  const std::string text = Bootstrap();
  WriteFile(config(), options_.changed ? options_.changed(text) : text);
  if (!options_.other_bootstrap) WriteFile(share_file(), FileText(options_.share));
  Start();
}

std::string TestEnvoy::Bootstrap() const {
  if (options_.other_bootstrap) return options_.other_bootstrap(*this);
  absl::StatusOr<std::string> text =
      envoy::Snippet({.gate = options_.gate,
                      .app_clusters = settings().app_clusters,
                      .key = settings().key,
                      .slow_ms = options_.slow_ms,
                      .share = share_file(),
                      .admin = admin(),
                      .bypass = options_.bypass,
                      .pages = options_.pages,
                      .listen = fmt::format("127.0.0.1:{}", port_),
                      .app_address = fmt::format("127.0.0.1:{}", options_.app_port)});
  if (!text.ok()) std::fprintf(stderr, "%s\n", std::string(text.status().message()).c_str());
  HEADGATE_CHECK(text.ok());
  return *std::move(text);
}

envoy::Settings TestEnvoy::settings() const {
  return {.gate = options_.gate,
          .admin = admin(),
          .probe_url = url("/.headgate/probe"),
          .share = share_file(),
          .app_clusters = {"app"},
          .key = *agent::UserKey::Parse(options_.key),
          .slow_ms = options_.slow_ms};
}

std::string AgentYaml(const envoy::Settings& settings) {
  return fmt::format(
      "    envoy:\n"
      "      admin: {}\n"
      "      share: {}\n"
      "      app_clusters: [{}]\n"
      "      probe_url: {}\n"
      "      slow: [500ms]\n",
      settings.admin, settings.share, fmt::join(settings.app_clusters, ", "), settings.probe_url);
}

std::string TestEnvoy::share_file() const {
  return (options_.share_folder.empty() ? folder() : options_.share_folder) + "/shop.yaml";
}

std::string TestEnvoy::url(const std::string& path) const {
  return fmt::format("http://127.0.0.1:{}{}", port_, path);
}

std::string TestEnvoy::FileText(Share share) const {
  return envoy::FormOf({options_.gate, settings().app_clusters}).text({share.Width(), 10});
}

std::vector<std::string> TestEnvoy::Command(std::chrono::seconds parent_patience) const {
  std::vector<std::string> command = {EnvoyProgram(), "-c",     config(), "--concurrency", "2",
                                      "--log-level",  "warning"};
  const std::string base_id = folder_ / "base_id";
  std::vector<std::string> more = {"--disable-hot-restart"};
  if (options_.hot_restart && epoch_ == 0) {
    more = {"--use-dynamic-base-id", "--base-id-path", base_id};
  } else if (options_.hot_restart) {
    more = {"--base-id",
            ReadFile(base_id),
            "--restart-epoch",
            std::to_string(epoch_),
            "--drain-time-s",
            "1",
            "--parent-shutdown-time-s",
            std::to_string(parent_patience.count())};
  }
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

int TestEnvoy::AnsweringEpoch() const {
  const auto info = agent::Call({.url = "http://envoy/server_info",
                                 .patience = kAsking,
                                 .unix_socket = admin(),
                                 .body_bytes_max = envoy::Admin::kAnswerBytesMax});
  if (!info.ok()) return -1;
  const auto parsed = nlohmann::json::parse(info->body, nullptr, false);
  if (!parsed.is_object() || parsed.value("state", "") != "LIVE") return -1;
  return parsed["command_line_options"].value("restart_epoch", -1);
}

void TestEnvoy::Start() {
  epoch_ = 0;
  Spawn({});
}

void TestEnvoy::Spawn(std::chrono::seconds parent_patience) {
  process_ = std::make_unique<Process>(
      Process::Options{.argv = Command(parent_patience), .environment = options_.environment});
  const bool started = Eventually(
      [&] {
        const bool answers = AnsweringEpoch() == epoch_ && Get("/.headgate/probe").status != 0;
        return answers || !process_->IsRunning();
      },
      std::chrono::seconds(20));
  const bool runs = started && process_->IsRunning();
  if (!runs) std::fprintf(stderr, "%s\n", Log().c_str());
  HEADGATE_CHECK(runs);
}

void TestEnvoy::Stop() {
  process_.reset();
  old_.reset();
}

void TestEnvoy::Kill() {
  process_->Signal(SIGKILL);
  Stop();
}

void TestEnvoy::HotRestart(std::chrono::seconds patience) {
  old_ = std::move(process_);
  ++epoch_;
  Spawn(patience);
}

void TestEnvoy::AwaitEndOfTheOld() {
  const bool has_ended = Eventually([&] { return !old_->IsRunning(); });
  HEADGATE_CHECK(has_ended);
}

void TestEnvoy::ChangeAndStart(const std::string& from, const std::string& to) {
  std::string text = ReadFile(config());
  const std::size_t at = text.find(from);
  HEADGATE_CHECK(at != std::string::npos);
  Stop();
  WriteFile(config(), text.replace(at, from.size(), to));
  Start();
}

Finished TestEnvoy::RunToEnd() const { return test::RunToEnd(Command({})); }

void TestEnvoy::Modify(const envoy::Entries& entries) const {
  HEADGATE_CHECK(envoy::Admin(admin()).Set(entries).ok());
}

int TestEnvoy::StatusFor(const std::string& user) const {
  return Get("/", {"Cookie: headgate_uid=" + user}).status;
}

}  // namespace headgate::test
