// Where a test's endpoint lies: a folder, a share file and a port of its own. The endpoint itself
// is made by the test. One thread.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

#include "agents/core/share_file.h"
#include "agents/endpoint/endpoint.h"
#include "tests/support/process.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_haproxy.h"

namespace headgate::test {

class TestEndpoint {
 public:
  struct Options {
    // Of no use here: it is the load balancer that has an application behind it.
    std::uint16_t app_port = 0;
    std::string key = "cookie headgate_uid";
    Share share = Share::All();
    std::vector<std::string> bypass{"path=/healthz"};
    unsigned new_cookies_per_minute = agent::kNewCookiesPerMinute;
    agent::WaitPages pages{};
    endpoint::Limits limits{};
  };

  explicit TestEndpoint(Options options) : options_(std::move(options)), port_(FreePort()) {
    WriteFile(settings().share, agent::ShareFileText({options_.share.Width(), 10}));
  }

  endpoint::Settings settings() const {
    return {.gate = "shop",
            .listen = {.host = "127.0.0.1", .port = port_},
            .share = folder_ / "shop.share",
            .bootstrap_share = Share::None(),
            .key = *agent::UserKey::Parse(options_.key),
            .bypass = options_.bypass,
            .new_cookies_per_minute = options_.new_cookies_per_minute,
            .pages = options_.pages,
            .limits = options_.limits};
  }
  const TempFolder& folder() const { return folder_; }
  std::uint16_t port() const { return port_; }
  HttpAnswer Get(const std::string& path, const std::vector<std::string>& headers = {}) const {
    return GetUrl(fmt::format("http://127.0.0.1:{}{}", port_, path), headers);
  }
  std::string share_file() const { return settings().share; }
  // A person's request for a page, as a load balancer asks about it.
  HttpAnswer Visit(std::vector<std::string> headers) const {
    headers.insert(headers.end(), {"X-Forwarded-Method: GET", "X-Forwarded-Uri: /",
                                   "X-Forwarded-For: 203.0.113.7"});
    return Get("/authz", headers);
  }
  int StatusFor(const std::string& user) const {
    return Get("/authz", {"Cookie: headgate_uid=" + user}).status;
  }
  static std::string Log() { return ""; }

 private:
  const Options options_;
  const TempFolder folder_;
  const std::uint16_t port_;
};

}  // namespace headgate::test
