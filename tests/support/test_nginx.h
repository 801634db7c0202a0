// A real nginx with one gate from our own snippet, in a folder of its own. One thread. Stopped by
// its pid with this object.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agents/nginx/nginx.h"
#include "common/base/share.h"
#include "tests/support/process.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_haproxy.h"

namespace headgate::test {

// Lines of agent.yaml below the gate's name.
std::string AgentYaml(const nginx::Settings& settings);

class TestNginx {
 public:
  struct Options {
    std::uint16_t app_port = 0;
    std::string gate = "shop";
    std::string key = "cookie headgate_uid";
    std::vector<std::uint32_t> slow_ms{500};
    std::vector<std::string> bypass{"path=/healthz"};
    Share share = Share::All();
    agent::WaitPages pages{};
    int workers = 2;
    // Takes an upgrade, and does not die with the test if that is killed.
    bool daemon = false;
    // Further lines of the server.
    std::string more_server{};
    // Of `http`.
    std::string more_http{};
    // Of the share file; empty: nginx's own.
    std::string share_folder{};
    unsigned new_cookies_per_minute = agent::kNewCookiesPerMinute;
    // "NAME=value", added to the test's own.
    std::vector<std::string> environment{};
    // Of another kind of gate, as printed for nginx; empty: the one in Lua.
    std::string other_snippet{};
  };

  // Starts it and waits until it answers.
  explicit TestNginx(Options options);
  TestNginx(const TestNginx&) = delete;
  TestNginx& operator=(const TestNginx&) = delete;
  ~TestNginx();

  nginx::Settings settings() const;
  const std::string& folder() const { return folder_.path(); }
  std::string share_file() const;
  std::uint16_t port() const { return port_; }
  std::string config() const { return folder_ / "nginx.conf"; }
  std::string url(const std::string& path) const;

  void Start();
  void Stop();
  // Master and workers.
  void Kill();
  // SIGHUP to the master; returns when the new workers have all of the traffic.
  void Reload();
  // SIGUSR2: a new binary beside the old one, which goes on accepting.
  void BeginUpgrade();
  std::string Log() const;

  HttpAnswer Get(const std::string& path, const std::vector<std::string>& headers = {}) const {
    return GetUrl(url(path), headers);
  }
  // A person's request for a page.
  HttpAnswer Visit(const std::vector<std::string>& headers) const { return Get("/", headers); }
  // The status that the user with this cookie gets.
  int StatusFor(const std::string& user) const;

 private:
  // Writes its files, and returns what is to be pasted.
  std::string MakeLuaGate() const;
  // Of the one that was started last.
  pid_t MasterPid() const;

  const Options options_;
  const TempFolder folder_;
  const std::uint16_t port_;
  std::unique_ptr<Process> process_;
  // Masters that are no children of ours.
  std::vector<pid_t> daemons_;
};

}  // namespace headgate::test
