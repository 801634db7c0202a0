// A real HAProxy in master-worker mode with one gate from our own snippet, in a folder of its own.
// One thread. Stopped by its pid with this object.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agents/haproxy/haproxy.h"
#include "agents/haproxy/snippet.h"
#include "common/base/share.h"
#include "tests/support/process.h"
#include "tests/support/temp_folder.h"

namespace headgate::test {

struct HttpAnswer {
  // 0: no answer.
  int status = 0;
  std::string headers;
  std::string body;
};

// `headers`: "Name: value" each; `from`: an address of this machine, or whichever it takes.
HttpAnswer GetUrl(const std::string& url, const std::vector<std::string>& headers = {},
                  const std::string& from = "");
HttpAnswer HeadUrl(const std::string& url, const std::vector<std::string>& headers);

// Lines of agent.yaml below the gate's name.
std::string AgentYaml(const haproxy::Settings& settings);

class TestHaproxy {
 public:
  struct Options {
    std::uint16_t app_port = 0;
    std::string gate = "shop";
    std::string key = "cookie headgate_uid";
    std::vector<std::uint32_t> slow_ms{500};
    std::vector<std::string> bypass{"path=/healthz"};
    Share share = Share::All();
    agent::WaitPages pages{};
    // Further lines of the frontend.
    std::string more_frontend{};
    // Below everything else.
    std::string more_sections{};
    // Of the map; empty: HAProxy's own.
    std::string share_folder{};
    unsigned new_cookies_per_minute = agent::kNewCookiesPerMinute;
    // "NAME=value", added to the test's own.
    std::vector<std::string> environment{};
  };

  // Starts it and waits until it answers.
  explicit TestHaproxy(Options options);

  haproxy::Settings settings() const;
  const std::string& folder() const { return folder_.path(); }
  std::string map() const;
  std::string share_file() const { return map(); }
  std::string config() const { return folder_ / "haproxy.cfg"; }
  std::string url(const std::string& path) const;
  std::uint16_t port() const { return port_; }

  void Start();
  void Stop();
  void Kill();
  // kill -USR2 to the master; returns when the new worker answers.
  void Reload();
  // Without waiting; may be lost right after the start.
  void BeginReload();
  // Of the worker that answers on the stats socket; 0 if none does.
  std::uint64_t WorkerPid() const;
  // `admit_w` in HAProxy's memory; -1 if it cannot be asked.
  std::int64_t WidthInMemory() const;
  std::string Ask(const std::string& command) const;
  std::string Log() const { return process_ ? process_->Output() : ""; }

  HttpAnswer Get(const std::string& path, const std::vector<std::string>& headers = {}) const {
    return GetUrl(url(path), headers);
  }
  // A person's request for a page.
  HttpAnswer Visit(const std::vector<std::string>& headers) const { return Get("/", headers); }
  // The status that the user with this cookie gets.
  int StatusFor(const std::string& user) const;

 private:
  const Options options_;
  const TempFolder folder_;
  const std::uint16_t port_;
  std::unique_ptr<Process> process_;
};

}  // namespace headgate::test
