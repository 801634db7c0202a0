#include "tests/support/test_nginx.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "agents/core/cookie.h"
#include "agents/core/files.h"
#include "agents/nginx/snippet.h"
#include "common/base/check.h"

namespace headgate::test {
namespace {

constexpr char kConfig[] = R"({user}load_module modules/ndk_http_module.so;
load_module modules/ngx_http_lua_module.so;
daemon {daemon};
worker_processes {workers};
worker_shutdown_timeout 5s;
pid {folder}/nginx.pid;
error_log {folder}/error.log notice;
events {{ worker_connections 128; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {http}
    server {{
        listen 127.0.0.1:{port};
        {server}
        {more_server}
        location / {{
            proxy_connect_timeout 1s;
            proxy_pass http://127.0.0.1:{app_port};
        }}
    }}
    {more_http}
}}
)";

nginx::SnippetOptions OptionsOf(const TestNginx::Options& options, const nginx::Settings& settings,
                                const std::string& folder) {
  return {.gate = options.gate,
          .key = settings.key,
          .slow_ms = options.slow_ms,
          .folder = folder,
          .share = settings.share,
          .bypass = options.bypass,
          .pages = options.pages,
          .new_cookies_per_minute = options.new_cookies_per_minute};
}

}  // namespace

TestNginx::TestNginx(Options options) : options_(std::move(options)), port_(FreePort()) {
  const std::string text = options_.other_snippet.empty() ? MakeLuaGate() : options_.other_snippet;
  const std::size_t server = text.find("# 2.");
  HEADGATE_CHECK(server != std::string::npos);
  // Workers of root's are root here: the folder is the test's alone.
  WriteFile(
      config(),
      fmt::format(kConfig, fmt::arg("user", geteuid() == 0 ? "user root;\n" : ""),
                  fmt::arg("daemon", options_.daemon ? "on" : "off"),
                  fmt::arg("workers", options_.workers), fmt::arg("folder", folder()),
                  fmt::arg("http", text.substr(0, server)), fmt::arg("server", text.substr(server)),
                  fmt::arg("port", port_), fmt::arg("more_server", options_.more_server),
                  fmt::arg("more_http", options_.more_http),
                  fmt::arg("app_port", options_.app_port)));
  Start();
}

std::string TestNginx::MakeLuaGate() const {
  const nginx::SnippetOptions snippet = OptionsOf(options_, settings(), folder());
  const absl::StatusOr<std::string> text = nginx::Snippet(snippet);
  const absl::StatusOr<std::string> lua = nginx::Lua(snippet);
  HEADGATE_CHECK(text.ok() && lua.ok());
  WriteFile(nginx::LuaFileOf(snippet), *lua);
  WriteFile(settings().token, "00112233445566778899aabbccddeeff\n");
  WriteFile(agent::CookieKeysFileOf(share_file()), agent::CookieKeysText({}));
  WriteFile(share_file(), agent::ShareFileText({options_.share.Width(), 10}));
  return *text;
}

std::string AgentYaml(const nginx::Settings& settings) {
  return fmt::format(
      "    nginx:\n"
      "      share: {}\n"
      "      token: {}\n"
      "      probe_url: {}\n"
      "      slow: [500ms]\n",
      settings.share, settings.token, settings.probe_url);
}

std::string TestNginx::share_file() const {
  return (options_.share_folder.empty() ? folder() : options_.share_folder) + "/shop.share";
}

nginx::Settings TestNginx::settings() const {
  return {.gate = options_.gate,
          .probe_url = url("/.headgate/probe"),
          .share = share_file(),
          .token = folder_ / (options_.gate + ".token"),
          .key = *agent::UserKey::Parse(options_.key),
          .slow_ms = options_.slow_ms};
}

std::string TestNginx::url(const std::string& path) const {
  return fmt::format("http://127.0.0.1:{}{}", port_, path);
}

void TestNginx::Start() {
  process_ = std::make_unique<Process>(
      Process::Options{.argv = {"/usr/sbin/nginx", "-e", folder_ / "error.log", "-c", config()},
                       .environment = options_.environment});
  if (options_.daemon) {
    process_->Wait(Process::kStopPatience);
    daemons_.push_back(MasterPid());
  }
  const bool started = Eventually([&] { return Get("/.headgate/probe").status != 0; });
  if (!started) std::fprintf(stderr, "%s%s\n", process_->Output().c_str(), Log().c_str());
  HEADGATE_CHECK(started);
}

pid_t TestNginx::MasterPid() const {
  const auto text = agent::ReadSmallFile(folder_ / "nginx.pid");
  return text.ok() && !text->empty() ? std::stoi(*text) : 0;
}

TestNginx::~TestNginx() { Stop(); }

void TestNginx::Stop() {
  for (const pid_t daemon : daemons_) {
    kill(daemon, SIGTERM);
    Eventually([&] { return kill(daemon, 0) != 0; });
  }
  daemons_.clear();
  process_.reset();
}

void TestNginx::Kill() {
  // A master that is killed leaves its workers behind, who go on: so by their parent's number
  // first.
  std::vector<pid_t> workers;
  std::string path = fmt::format("/proc/{0}/task/{0}/children", process_->pid());
  std::istringstream children(ReadFile(path));
  for (pid_t pid = 0; children >> pid;) workers.push_back(pid);
  process_->Signal(SIGKILL);
  for (const pid_t worker : workers) kill(worker, SIGKILL);
  process_.reset();
}

void TestNginx::Reload() {
  const std::size_t before = Log().size();
  kill(MasterPid(), SIGHUP);
  // The old workers say that they end once the new ones listen.
  HEADGATE_CHECK(Eventually([&] {
    const std::string log = Log().substr(before);
    std::size_t ended = 0;
    for (std::size_t at = 0; (at = log.find("exited with code 0", at)) != std::string::npos; ++at) {
      ++ended;
    }
    return ended >= 2;
  }));
}

void TestNginx::BeginUpgrade() {
  // One that is nobody's daemon takes no upgrade.
  HEADGATE_CHECK(options_.daemon);
  const pid_t before = MasterPid();
  kill(before, SIGUSR2);
  HEADGATE_CHECK(Eventually([&] {
    const pid_t now = MasterPid();
    return now != 0 && now != before && std::filesystem::exists(folder_ / "nginx.pid.oldbin");
  }));
  daemons_.push_back(MasterPid());
}

std::string TestNginx::Log() const {
  std::error_code error;
  return std::filesystem::exists(folder_ / "error.log", error) ? ReadFile(folder_ / "error.log")
                                                               : "";
}

int TestNginx::StatusFor(const std::string& user) const {
  return Get("/", {"Cookie: headgate_uid=" + user}).status;
}

}  // namespace headgate::test
