#include "tests/agents/main/site.h"

#include <fmt/format.h>
#include <signal.h>

#include <filesystem>

#include "tests/support/places.h"

namespace headgate::test {

Directive DirectiveOf(std::uint64_t epoch, std::uint64_t revision, const char* share,
                      const std::string& gate) {
  return {.gate = gate,
          .version = {epoch, revision},
          .share = Percent(share),
          .no_raise = false,
          .retry_after_s = 10};
}

void LetEverybodyThrough(const TestHaproxy& haproxy) {
  std::string config = ReadFile(haproxy.config());
  const std::size_t at = config.find("    use_backend");
  ASSERT_NE(at, std::string::npos);
  WriteFile(haproxy.config(), config.insert(at, "    use_backend app if { path_beg / }\n"));
}

Site::Site(const Options& options)
    : haproxy({.app_port = app.port(), .share = options.share}),
      options_(options),
      controller_port_(FreePort()),
      metrics_port_(FreePort()) {
  std::filesystem::create_directory(state_dir());
  WriteConfig(ConfigText(options_.more_config));
  StartController();
  if (options_.start_agent) StartAgent();
}

std::string Site::ConfigText(const std::string& more) const {
  const haproxy::Settings settings = haproxy.settings();
  return fmt::format(
      "name: edge-1\n"
      "controllers: ['127.0.0.1:{}']\n"
      "plaintext: true\n"
      "state_dir: {}\n"
      "metrics: 127.0.0.1:{}\n"
      "labels: {{zone: eu-1}}\n"
      "gates:\n"
      "  - name: shop\n"
      "    haproxy:\n"
      "      socket: {}\n"
      "      map: {}\n"
      "      app_backend: {}\n"
      "      probe_url: {}\n"
      "      slow: [500ms]\n"
      "{}",
      controller_port_, state_dir(), metrics_port_, settings.socket, settings.map,
      settings.app_backend, settings.probe_url, more);
}

void Site::StartController() {
  controller = std::make_unique<FakeController>(
      FakeController::Options{.port = controller_port_,
                              .valid_for = options_.valid_for,
                              // A short validity is one that a test lets pass.
                              .renew_every = options_.valid_for < std::chrono::seconds(2)
                                                 ? Duration(std::chrono::hours(1))
                                                 : Duration(std::chrono::seconds(1))});
}

void Site::StartAgent() {
  agent = std::make_unique<Process>(
      std::vector<std::string>{BuiltProgram("headgate-agent"), "run", "--config", config()});
}

void Site::KillAgent() {
  agent->Signal(SIGKILL);
  agent->Wait(Process::kStopPatience);
  agent.reset();
}

bool Site::WaitForWidth(const char* share) const {
  return Eventually([&] { return haproxy.WidthInMemory() == Percent(share).Width(); });
}

void Site::DirectAndWait(std::uint64_t epoch, std::uint64_t revision, const char* share) {
  controller->Direct(DirectiveOf(epoch, revision, share));
  ASSERT_TRUE(WaitForWidth(share)) << agent->Output();
  ASSERT_TRUE(Eventually([&] {
    const v1::Report report = controller->report();
    return report.version().revision() == revision && report.stage() == v1::OBSERVED &&
           !report.unsaved();
  })) << controller->report().DebugString()
      << agent->Output();
}

Finished Site::Run(std::vector<std::string> words) const {
  words.insert(words.begin(), BuiltProgram("headgate-agent"));
  words.insert(words.end(), {"--config", config()});
  return RunToEnd(std::move(words));
}

HttpAnswer Site::Page(const std::string& path) const {
  return GetUrl(fmt::format("http://127.0.0.1:{}{}", metrics_port_, path));
}

}  // namespace headgate::test
