#include "tests/support/agent_site.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <utility>

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

AgentSite::AgentSite(Options options, std::string balancer)
    : options_(std::move(options)),
      balancer_(std::move(balancer)),
      controller_port_(FreePort()),
      metrics_port_(FreePort()) {
  std::filesystem::create_directory(state_dir());
  WriteConfig(ConfigText(options_.more_config));
  StartController();
}

std::string AgentSite::state_dir() const {
  return options_.state_dir.empty() ? folder / "state" : options_.state_dir;
}

std::string AgentSite::ConfigText(const std::string& more) const {
  return fmt::format(
      "name: edge-1\n"
      "controllers: ['127.0.0.1:{}']\n"
      "plaintext: true\n"
      "state_dir: {}\n"
      "metrics: 127.0.0.1:{}\n"
      "labels: {{zone: eu-1}}\n"
      "gates:\n"
      "  - name: shop\n"
      "{}{}",
      controller_port_, state_dir(), metrics_port_, balancer_, more);
}

void AgentSite::StartController() {
  controller = std::make_unique<FakeController>(
      FakeController::Options{.port = controller_port_,
                              .valid_for = options_.valid_for,
                              // A short validity is one that a test lets pass.
                              .renew_every = options_.valid_for < std::chrono::seconds(2)
                                                 ? Duration(std::chrono::hours(1))
                                                 : Duration(std::chrono::seconds(1))});
}

void AgentSite::StartAgent() {
  agent = std::make_unique<Process>(
      std::vector<std::string>{BuiltProgram("headgate-agent"), "run", "--config", config()});
}

void AgentSite::KillAgent() {
  agent->Signal(SIGKILL);
  agent->Wait(Process::kStopPatience);
  agent.reset();
}

void AgentSite::DirectAndWait(std::uint64_t epoch, std::uint64_t revision, const char* share) {
  controller->Direct(DirectiveOf(epoch, revision, share));
  ASSERT_TRUE(Eventually([&] {
    const v1::Report report = controller->report();
    return report.version().epoch() == epoch && report.version().revision() == revision &&
           report.stage() == v1::OBSERVED && !report.unsaved();
  })) << controller->report().DebugString()
      << (agent ? agent->Output() : "");
}

Finished AgentSite::Run(std::vector<std::string> words) const {
  words.insert(words.begin(), BuiltProgram("headgate-agent"));
  words.insert(words.end(), {"--config", config()});
  return RunToEnd(std::move(words));
}

HttpAnswer AgentSite::Page(const std::string& path) const {
  return GetUrl(fmt::format("http://127.0.0.1:{}{}", metrics_port_, path));
}

}  // namespace headgate::test
