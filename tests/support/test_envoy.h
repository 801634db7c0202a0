// A real Envoy with one gate from our own snippet, in a folder of its own. One thread. Stopped by
// its pid with this object. A test begins with HEADGATE_NEEDS_ENVOY.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agents/envoy/envoy.h"
#include "agents/envoy/snippet.h"
#include "common/base/share.h"
#include "tests/support/process.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_haproxy.h"

namespace headgate::test {

// Its path: $HEADGATE_ENVOY, or where `./dev test` puts it; empty if there is none.
std::string EnvoyProgram();

// Why there is none; empty if there is one.
std::string WhyNoEnvoy();

#define HEADGATE_NEEDS_ENVOY()                                                                 \
  if (const std::string why = headgate::test::WhyNoEnvoy(); !why.empty()) GTEST_SKIP() << why; \
  static_assert(true, "a semicolon follows")

// Lines of agent.yaml below the gate's name.
std::string AgentYaml(const envoy::Settings& settings);

class TestEnvoy {
 public:
  struct Options {
    std::uint16_t app_port = 0;
    std::string gate = "shop";
    std::string key = "cookie headgate_uid";
    std::vector<std::uint32_t> slow_ms{500};
    std::vector<std::string> bypass{"path=/healthz"};
    Share share = Share::All();
    // Of the share file; empty: Envoy's own.
    std::string share_folder{};
    // "NAME=value", added to the test's own.
    std::vector<std::string> environment{};
    // Takes a hot restart.
    bool hot_restart = false;
    agent::WaitPages pages{};
    // What is written of the bootstrap that is printed; null: all of it as it is.
    std::function<std::string(const std::string&)> changed{};
    // In the place of the gate's own: the bootstrap of one that listens on port() and has its admin
    // interface at admin(). Null: the gate's.
    std::function<std::string(const TestEnvoy&)> other_bootstrap{};
  };

  // Starts it and waits until it answers.
  explicit TestEnvoy(Options options);
  TestEnvoy(const TestEnvoy&) = delete;
  TestEnvoy& operator=(const TestEnvoy&) = delete;
  ~TestEnvoy() { Stop(); }

  envoy::Settings settings() const;
  const std::string& folder() const { return folder_.path(); }
  std::string share_file() const;
  std::string config() const { return folder_ / "envoy.yaml"; }
  std::string admin() const { return folder_ / "admin.sock"; }
  std::uint16_t port() const { return port_; }
  std::string url(const std::string& path) const;
  // A share file as the agent writes it.
  std::string FileText(Share share) const;

  void Start();
  void Stop();
  void Kill();
  // A new process, which has all new connections when this returns. The old one ends with its last
  // request, or `patience` later.
  void HotRestart(std::chrono::seconds patience);
  // Until the old one of a hot restart is gone.
  void AwaitEndOfTheOld();
  void Signal(int signal) const { process_->Signal(signal); }
  // With one piece of text of its configuration in another's place, at its first place.
  void ChangeAndStart(const std::string& from, const std::string& to);
  std::string Log() const { return process_ ? process_->Output() : ""; }
  // Exits instead of answering: the exit code, and what it says.
  Finished RunToEnd() const;
  // `/runtime_modify`, as somebody else.
  void Modify(const envoy::Entries& entries) const;

  HttpAnswer Get(const std::string& path, const std::vector<std::string>& headers = {}) const {
    return GetUrl(url(path), headers);
  }
  // A person's request for a page.
  HttpAnswer Visit(const std::vector<std::string>& headers) const { return Get("/", headers); }
  // The status that the user with this cookie gets.
  int StatusFor(const std::string& user) const;

 private:
  std::vector<std::string> Command(std::chrono::seconds parent_patience) const;
  std::string Bootstrap() const;
  void Spawn(std::chrono::seconds parent_patience);
  // Of the process that answers at the admin interface; -1 if none does.
  int AnsweringEpoch() const;

  const Options options_;
  const TempFolder folder_;
  const std::uint16_t port_;
  std::unique_ptr<Process> process_;
  // Before a hot restart.
  std::unique_ptr<Process> old_;
  int epoch_ = 0;
};

}  // namespace headgate::test
