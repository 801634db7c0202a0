#include <curl/curl.h>
#include <fmt/format.h>

#include <utility>

#include "agents/core/share_file.h"
#include "agents/endpoint/snippet.h"
#include "agents/envoy/asking_snippet.h"
#include "agents/envoy/weights.h"
#include "tests/agents/static/column.h"
#include "tests/agents/static/scene.h"
#include "tests/support/test_envoy.h"
#include "tests/support/test_haproxy.h"
#include "tests/support/test_nginx.h"

namespace headgate::test {
namespace {

std::vector<std::string> EnvironmentOf(const Column::Options& options) {
  return options.clock == nullptr ? std::vector<std::string>{} : options.clock->environment();
}

// What stands behind `name` in `text`, up to the line's end.
std::string After(const std::string& name, const std::string& text) {
  const std::size_t at = text.find(name);
  if (at == std::string::npos) return "";
  const std::size_t from = at + name.size();
  return text.substr(from, text.find_first_of("\r\n", from) - from);
}

// Unix seconds; 0 if there is no such header.
std::int64_t DateIn(const std::string& name, const std::string& headers) {
  const std::string date = After(name, headers);
  return date.empty() ? 0 : curl_getdate(date.c_str(), nullptr);
}

class HaproxyColumn : public Column {
 public:
  explicit HaproxyColumn(const Options& options)
      : haproxy_({.app_port = options.app_port,
                  .more_frontend = "    http-after-response set-header X-Now %[date]",
                  .share_folder = options.share_folder,
                  .environment = EnvironmentOf(options)}),
        control_(haproxy_.folder() + "/agent.sock", haproxy_.settings().socket) {}

  std::string AgentYaml() const override {
    haproxy::Settings settings = haproxy_.settings();
    settings.socket = haproxy_.folder() + "/agent.sock";
    return test::AgentYaml(settings);
  }
  int StatusFor(const std::string& user) const override { return haproxy_.StatusFor(user); }
  std::uint16_t Port() const override { return haproxy_.port(); }
  std::string ShareFile() const override { return haproxy_.map(); }
  Relay& control() override { return control_; }
  void Reload() override { haproxy_.Reload(); }
  void KillAndStart() override {
    haproxy_.Kill();
    haproxy_.Start();
  }
  // Its master executes itself anew, and the old worker ends with its last request.
  void UpgradeBesideTheOld() override { haproxy_.Reload(); }
  bool FollowsItsFile() const override { return false; }
  // 2.6 takes a step for the time that it meant to wait, so that the nearest timeout ends.
  bool DropsRequestsOverAStep() const override { return true; }
  std::int64_t UnixSeconds() const override {
    const std::string text = After("x-now: ", haproxy_.Get("/.headgate/probe").headers);
    return text.empty() ? 0 : std::stoll(text);
  }

 private:
  TestHaproxy haproxy_;
  Relay control_;
};

class NginxColumn : public Column {
 public:
  explicit NginxColumn(const Options& options)
      : nginx_({.app_port = options.app_port,
                .daemon = options.upgradable,
                .share_folder = options.share_folder,
                .environment = EnvironmentOf(options)}),
        port_(FreePort()),
        control_(port_, nginx_.port()) {}

  std::string AgentYaml() const override {
    nginx::Settings settings = nginx_.settings();
    settings.probe_url = fmt::format("http://127.0.0.1:{}/.headgate/probe", port_);
    return test::AgentYaml(settings);
  }
  int StatusFor(const std::string& user) const override { return nginx_.StatusFor(user); }
  std::uint16_t Port() const override { return nginx_.port(); }
  std::string ShareFile() const override { return nginx_.share_file(); }
  Relay& control() override { return control_; }
  void Reload() override { nginx_.Reload(); }
  void KillAndStart() override {
    nginx_.Kill();
    nginx_.Start();
  }
  void UpgradeBesideTheOld() override { nginx_.BeginUpgrade(); }
  bool FollowsItsFile() const override { return true; }
  std::int64_t UnixSeconds() const override {
    return DateIn("Date: ", nginx_.Get("/.headgate/probe").headers);
  }

 private:
  TestNginx nginx_;
  const std::uint16_t port_;
  Relay control_;
};

class EnvoyColumn : public Column {
 public:
  explicit EnvoyColumn(const Options& options)
      : envoy_({.app_port = options.app_port,
                .share_folder = options.share_folder,
                .environment = EnvironmentOf(options),
                .hot_restart = true}),
        control_(envoy_.folder() + "/agent.sock", envoy_.admin()) {}

  std::string AgentYaml() const override {
    envoy::Settings settings = envoy_.settings();
    settings.admin = envoy_.folder() + "/agent.sock";
    return test::AgentYaml(settings);
  }
  int StatusFor(const std::string& user) const override { return envoy_.StatusFor(user); }
  std::uint16_t Port() const override { return envoy_.port(); }
  std::string ShareFile() const override { return envoy_.share_file(); }
  agent::ShareForm Form() const override { return envoy::FormOf({"shop", {"app"}}); }
  Relay& control() override { return control_; }
  // It reads its file anew at a hot restart only.
  void Reload() override {
    envoy_.HotRestart(std::chrono::seconds(2));
    envoy_.AwaitEndOfTheOld();
  }
  void KillAndStart() override {
    envoy_.Kill();
    envoy_.Start();
  }
  void UpgradeBesideTheOld() override { envoy_.HotRestart(std::chrono::minutes(10)); }
  bool FollowsItsFile() const override { return false; }
  std::int64_t UnixSeconds() const override {
    return DateIn("date: ", envoy_.Get("/.headgate/probe").headers);
  }

 private:
  TestEnvoy envoy_;
  Relay control_;
};

// nginx that asks the agent about each request, and keeps its admissions.
class AskingNginxColumn : public Column {
 public:
  explicit AskingNginxColumn(const Options& options)
      : share_file_((options.share_folder.empty() ? folder_.path() : options.share_folder) +
                    "/shop.share"),
        nginx_({.app_port = options.app_port,
                .daemon = options.upgradable,
                .environment = EnvironmentOf(options),
                .other_snippet = *endpoint::NginxSnippet({.gate = "shop",
                                                          .listen = {.path = folder_ / "way.sock"},
                                                          .bypass = {"path=/healthz"},
                                                          .remembered = folder_ / "kept"})}),
        way_(folder_ / "way.sock", folder_ / "agent.sock") {
    WriteFile(share_file_, agent::ShareFileText({Share::All().Width(), 10}));
  }

  std::string AgentYaml() const override {
    return fmt::format(
        "    endpoint:\n"
        "      listen: unix:{0}/agent.sock\n"
        "      share: {1}\n"
        "      bootstrap_share: 0%\n"
        "      remembered: {0}/kept\n",
        folder_.path(), share_file_);
  }
  int StatusFor(const std::string& user) const override { return nginx_.StatusFor(user); }
  std::uint16_t Port() const override { return nginx_.port(); }
  std::string ShareFile() const override { return share_file_; }
  Relay& control() override { return way_; }
  bool IsDecidedByItsAgent() const override { return true; }
  void Reload() override { nginx_.Reload(); }
  void KillAndStart() override {
    nginx_.Kill();
    nginx_.Start();
  }
  void UpgradeBesideTheOld() override { nginx_.BeginUpgrade(); }
  bool FollowsItsFile() const override { return true; }
  std::int64_t UnixSeconds() const override {
    return DateIn("Date: ", nginx_.Get("/healthz").headers);
  }

 private:
  const TempFolder folder_;
  const std::string share_file_;
  TestNginx nginx_;
  Relay way_;
};

// Envoy that asks the agent about each request, and looks at the share file where it gets no
// answer.
class AskingEnvoyColumn : public Column {
 public:
  explicit AskingEnvoyColumn(const Options& options)
      : share_file_(MadeIn(options.share_folder.empty() ? folder_.path() : options.share_folder)),
        envoy_({.environment = EnvironmentOf(options),
                .hot_restart = true,
                .other_bootstrap =
                    [this, app_port = options.app_port](const TestEnvoy& envoy) {
                      return Bootstrap(envoy, app_port);
                    }}),
        way_(folder_ / "way.sock", folder_ / "grpc.sock") {}

  std::string AgentYaml() const override {
    return fmt::format(
        "    endpoint:\n"
        "      listen: unix:{0}/agent.sock\n"
        "      ext_authz: unix:{0}/grpc.sock\n"
        "      share: {1}\n"
        "      bootstrap_share: 0%\n",
        folder_.path(), share_file_);
  }
  int StatusFor(const std::string& user) const override { return envoy_.StatusFor(user); }
  std::uint16_t Port() const override { return envoy_.port(); }
  std::string ShareFile() const override { return share_file_; }
  Relay& control() override { return way_; }
  bool IsDecidedByItsAgent() const override { return true; }
  bool LooksAtItsFileOnceASecond() const override { return true; }
  void Reload() override {
    envoy_.HotRestart(std::chrono::seconds(2));
    envoy_.AwaitEndOfTheOld();
  }
  void KillAndStart() override {
    envoy_.Kill();
    envoy_.Start();
  }
  void UpgradeBesideTheOld() override { envoy_.HotRestart(std::chrono::minutes(10)); }
  bool FollowsItsFile() const override { return true; }
  std::int64_t UnixSeconds() const override {
    return DateIn("date: ", envoy_.Get("/healthz").headers);
  }

 private:
  // Before Envoy looks for it.
  static std::string MadeIn(const std::string& folder) {
    WriteFile(folder + "/shop.share", agent::ShareFileText({Share::All().Width(), 10}));
    return folder + "/shop.share";
  }
  std::string Bootstrap(const TestEnvoy& envoy, std::uint16_t app_port) const {
    return fmt::format(
        "admin: {{address: {{pipe: {{path: {}, mode: 384}}}}}}\n{}", envoy.admin(),
        *envoy::AskingSnippet({.gate = "shop",
                               .ext_authz = fmt::format("unix:{}", folder_ / "way.sock"),
                               .share = share_file_,
                               .bypass = {"path=/healthz"},
                               .listen = fmt::format("127.0.0.1:{}", envoy.port()),
                               .app_address = fmt::format("127.0.0.1:{}", app_port)}));
  }

  const TempFolder folder_;
  const std::string share_file_;
  TestEnvoy envoy_;
  Relay way_;
};

template <typename Made>
std::unique_ptr<Column> Make(const Column::Options& options) {
  return std::make_unique<Made>(options);
}

}  // namespace

std::vector<Kind> AllColumns() {
  return {{"haproxy", &Make<HaproxyColumn>},
          {"nginx", &Make<NginxColumn>},
          {"envoy", &Make<EnvoyColumn>, &WhyNoEnvoy},
          {"auth_request", &Make<AskingNginxColumn>},
          {"ext_authz", &Make<AskingEnvoyColumn>, &WhyNoEnvoy}};
}

INSTANTIATE_TEST_SUITE_P(LoadBalancer, FailingStatic, testing::ValuesIn(AllColumns()),
                         [](const testing::TestParamInfo<Kind>& kind) { return kind.param.name; });

}  // namespace headgate::test
