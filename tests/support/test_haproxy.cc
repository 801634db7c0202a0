#include "tests/support/test_haproxy.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <signal.h>

#include "agents/core/cookie.h"
#include "agents/core/forecast.h"
#include "agents/core/share_file.h"
#include "agents/haproxy/answers.h"
#include "agents/haproxy/names.h"
#include "agents/haproxy/wait_rules.h"
#include "common/base/check.h"

namespace headgate::test {
namespace {

constexpr char kConfig[] = R"(global
    stats socket {socket} mode 600 level admin expose-fd listeners
    hard-stop-after 5s
    nbthread 2
defaults
    mode http
    timeout connect 1s
    timeout client 10s
    timeout server 10s
    retries 1
frontend fe
    bind 127.0.0.1:{port}
{frontend}
{more_frontend}
    default_backend app
backend app
    server a 127.0.0.1:{app_port}
{wait}
{more_sections}
)";

std::size_t Take(char* text, std::size_t size, std::size_t count, void* target) {
  static_cast<std::string*>(target)->append(text, size * count);
  return size * count;
}

}  // namespace

TestHaproxy::TestHaproxy(Options options) : options_(std::move(options)), port_(FreePort()) {
  haproxy::SnippetOptions snippet;
  snippet.gate = options_.gate;
  snippet.app_backend = "app";
  snippet.key = *agent::UserKey::Parse(options_.key);
  snippet.slow_ms = options_.slow_ms;
  snippet.map = map();
  snippet.socket = settings().socket;
  snippet.bypass = options_.bypass;
  snippet.new_cookies_per_minute = options_.new_cookies_per_minute;
  snippet.pages = options_.pages;
  const absl::StatusOr<std::string> text = haproxy::Snippet(snippet);
  HEADGATE_CHECK(text.ok());
  const std::size_t wait = text->find("# 3.");
  HEADGATE_CHECK(wait != std::string::npos);
  WriteFile(config(), fmt::format(kConfig, fmt::arg("socket", settings().socket),
                                  fmt::arg("port", port_), fmt::arg("app_port", options_.app_port),
                                  fmt::arg("frontend", text->substr(0, wait)),
                                  fmt::arg("more_frontend", options_.more_frontend),
                                  fmt::arg("wait", text->substr(wait)),
                                  fmt::arg("more_sections", options_.more_sections)));
  WriteFile(map(), agent::ShareFileText({options_.share.Width(), 10}));
  WriteFile(agent::CookieKeysFileOf(map()), agent::CookieKeysText({}));
  WriteFile(agent::ForecastFileOf(map()), agent::ForecastText({}));
  for (const auto& [path, page] : haproxy::PageFiles({options_.gate, map(), snippet.pages})) {
    WriteFile(path, page);
  }
  Start();
}

std::string AgentYaml(const haproxy::Settings& settings) {
  return fmt::format(
      "    haproxy:\n"
      "      socket: {}\n"
      "      map: {}\n"
      "      app_backend: {}\n"
      "      probe_url: {}\n"
      "      slow: [500ms]\n",
      settings.socket, settings.map, settings.app_backend, settings.probe_url);
}

std::string TestHaproxy::map() const {
  return (options_.share_folder.empty() ? folder() : options_.share_folder) + "/shop.map";
}

haproxy::Settings TestHaproxy::settings() const {
  return haproxy::Settings{.gate = options_.gate,
                           .socket = folder_ / "stats.sock",
                           .map = map(),
                           .app_backend = "app",
                           .wait_backend = haproxy::WaitBackendOf(options_.gate),
                           .probe_url = url("/.headgate/probe"),
                           .key = *agent::UserKey::Parse(options_.key),
                           .slow_ms = options_.slow_ms};
}

std::string TestHaproxy::url(const std::string& path) const {
  return fmt::format("http://127.0.0.1:{}{}", port_, path);
}

void TestHaproxy::Start() {
  process_ = std::make_unique<Process>(Process::Options{.argv = {"haproxy", "-W", "-f", config()},
                                                        .environment = options_.environment});
  const bool started =
      Eventually([&] { return WorkerPid() != 0 && Get("/.headgate/probe").status != 0; });
  if (!started) std::fprintf(stderr, "%s\n", process_->Output().c_str());
  HEADGATE_CHECK(started);
}

void TestHaproxy::Stop() { process_.reset(); }

void TestHaproxy::Kill() {
  // The worker first, so that nobody serves on while the master is reaped.
  const std::uint64_t worker = WorkerPid();
  if (worker != 0) kill(static_cast<pid_t>(worker), SIGKILL);
  process_->Signal(SIGKILL);
  process_.reset();
}

void TestHaproxy::BeginReload() { process_->Signal(SIGUSR2); }

void TestHaproxy::Reload() {
  const std::uint64_t before = WorkerPid();
  const auto has_new_worker = [&] {
    const std::uint64_t now = WorkerPid();
    return now != 0 && now != before;
  };
  // The master loses a signal that comes while it executes itself anew after its start.
  const bool reloaded = Eventually([&] {
    BeginReload();
    return Eventually(has_new_worker, std::chrono::seconds(2));
  });
  if (!reloaded) std::fprintf(stderr, "%s\n", process_->Output().c_str());
  HEADGATE_CHECK(reloaded);
}

std::string TestHaproxy::Ask(const std::string& command) const {
  const auto answer =
      haproxy::StatsSocket(settings().socket, std::chrono::milliseconds(10'000)).Ask({command});
  return answer.ok() ? *answer : "";
}

std::uint64_t TestHaproxy::WorkerPid() const {
  const auto info = haproxy::ParseInfo(Ask("show info"));
  return info.ok() ? info->pid : 0;
}

std::int64_t TestHaproxy::WidthInMemory() const {
  const auto entry = haproxy::ParseMapEntry(Ask(fmt::format("get map {} admit_w", map())));
  return entry.ok() ? entry->value_or(-1) : -1;
}

namespace {

HttpAnswer AskUrl(const std::string& url, const std::vector<std::string>& headers,
                  const std::string& from, bool wants_body) {
  CURL* curl = curl_easy_init();
  curl_slist* list = nullptr;
  for (const std::string& header : headers) list = curl_slist_append(list, header.c_str());
  HttpAnswer answer;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_NOBODY, wants_body ? 0L : 1L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 8000L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  const std::string interface = "host!" + from;
  if (!from.empty()) curl_easy_setopt(curl, CURLOPT_INTERFACE, interface.c_str());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Take);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &Take);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer.headers);
  long status = 0;
  if (curl_easy_perform(curl) == CURLE_OK) {
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  }
  answer.status = static_cast<int>(status);
  curl_slist_free_all(list);
  curl_easy_cleanup(curl);
  return answer;
}

}  // namespace

HttpAnswer GetUrl(const std::string& url, const std::vector<std::string>& headers,
                  const std::string& from) {
  return AskUrl(url, headers, from, true);
}

HttpAnswer HeadUrl(const std::string& url, const std::vector<std::string>& headers) {
  return AskUrl(url, headers, "", false);
}

int TestHaproxy::StatusFor(const std::string& user) const {
  return Get("/", {"Cookie: headgate_uid=" + user}).status;
}

}  // namespace headgate::test
