// Two gates in one load balancer, kept by one agent.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "agents/core/cookie.h"
#include "agents/core/forecast.h"
#include "agents/core/share_file.h"
#include "agents/envoy/snippet.h"
#include "agents/envoy/weights.h"
#include "agents/haproxy/snippet.h"
#include "agents/nginx/snippet.h"
#include "common/base/bucket.h"
#include "tests/support/agent_site.h"
#include "tests/support/test_app.h"
#include "tests/support/test_envoy.h"
#include "tests/support/test_haproxy.h"
#include "tests/support/test_nginx.h"

namespace headgate::test {
namespace {

constexpr int kUsers = 40;

// The files of a gate that admits everybody: no keys for its cookies yet, and nothing foretold.
void WriteShare(const std::string& path) {
  WriteFile(path, agent::ShareFileText({Share::All().Width(), 10}));
  WriteFile(agent::CookieKeysFileOf(path), agent::CookieKeysText({}));
  WriteFile(agent::ForecastFileOf(path), agent::ForecastText({}));
}

// With the gate 'shop' where people come in, and the gate 'bank' on a port or under a name of its
// own.
class Both {
 public:
  virtual ~Both() = default;
  // The lines of agent.yaml below a gate's name.
  virtual std::string ShopYaml() const = 0;
  virtual std::string BankYaml() const = 0;
  virtual int ShopFor(const std::string& user) const = 0;
  virtual void Reload() = 0;
  int BankFor(const std::string& user) const {
    return GetUrl(BankUrl("/"), {"Cookie: headgate_uid=" + user}).status;
  }

 protected:
  virtual std::string BankUrl(const std::string& path) const {
    return fmt::format("http://127.0.0.1:{}{}", bank_port_, path);
  }

  TestApp app_;
  const TempFolder folder_;
  const std::uint16_t bank_port_ = FreePort();
};

class BothInHaproxy : public Both {
 public:
  BothInHaproxy() {
    WriteShare(folder_ / "bank.map");
    haproxy::SnippetOptions options;
    options.gate = "bank";
    options.app_backend = "bank";
    options.slow_ms = {500};
    options.map = folder_ / "bank.map";
    // Only in its comments.
    options.socket = "/run/haproxy/admin.sock";
    const auto text = haproxy::Snippet(options);
    EXPECT_TRUE(text.ok()) << text.status();
    const std::size_t wait = text->find("# 3.");
    // Frontend and backend of one name, as people like it.
    haproxy_ = std::make_unique<TestHaproxy>(TestHaproxy::Options{
        .app_port = app_.port(),
        .more_sections =
            fmt::format("{}\nfrontend bank\n    bind 127.0.0.1:{}\n{}    "
                        "default_backend bank\nbackend bank\n"
                        "    server a 127.0.0.1:{}\n",
                        text->substr(wait), bank_port_, text->substr(0, wait), app_.port())});
  }
  std::string ShopYaml() const override { return AgentYaml(haproxy_->settings()); }
  std::string BankYaml() const override {
    haproxy::Settings settings = haproxy_->settings();
    settings.map = folder_ / "bank.map";
    settings.app_backend = "bank";
    settings.probe_url = BankUrl("/.headgate/probe");
    return AgentYaml(settings);
  }
  int ShopFor(const std::string& user) const override { return haproxy_->StatusFor(user); }
  void Reload() override { haproxy_->Reload(); }

 private:
  std::unique_ptr<TestHaproxy> haproxy_;
};

class BothInNginx : public Both {
 public:
  BothInNginx() {
    WriteShare(folder_ / "bank.share");
    WriteFile(folder_ / "bank.token", "ffeeddccbbaa99887766554433221100\n");
    nginx::SnippetOptions options;
    options.gate = "bank";
    options.slow_ms = {500};
    options.folder = folder_.path();
    options.share = folder_ / "bank.share";
    const auto text = nginx::Snippet(options);
    const auto lua = nginx::Lua(options);
    EXPECT_TRUE(text.ok() && lua.ok()) << text.status();
    WriteFile(nginx::LuaFileOf(options), *lua);
    const std::string dict = "lua_shared_dict headgate 1m;\n";
    const std::size_t at_dict = text->find(dict);
    const std::size_t server = text->find("# 2.");
    EXPECT_LT(at_dict, server);
    // The first gate's stands for both.
    const std::string http = text->substr(0, at_dict) +
                             text->substr(at_dict + dict.size(), server - at_dict - dict.size());
    nginx_ = std::make_unique<TestNginx>(TestNginx::Options{
        .app_port = app_.port(),
        .more_http = fmt::format("{}\nserver {{\nlisten 127.0.0.1:{};\n{}\n"
                                 "location / {{ proxy_pass http://127.0.0.1:{}; }}\n}}\n",
                                 http, bank_port_, text->substr(server), app_.port())});
  }
  std::string ShopYaml() const override { return AgentYaml(nginx_->settings()); }
  std::string BankYaml() const override {
    nginx::Settings settings = nginx_->settings();
    settings.share = folder_ / "bank.share";
    settings.token = folder_ / "bank.token";
    settings.probe_url = BankUrl("/.headgate/probe");
    return AgentYaml(settings);
  }
  int ShopFor(const std::string& user) const override { return nginx_->StatusFor(user); }
  void Reload() override { nginx_->Reload(); }

 private:
  std::unique_ptr<TestNginx> nginx_;
};

// In one listener, told apart by the name that people ask for: each numbered part of the bank's
// bootstrap in its place in the shop's.
class BothInEnvoy : public Both {
 public:
  static std::string Missing() { return WhyNoEnvoy(); }

  BothInEnvoy() {
    const auto bank = envoy::Snippet({.gate = "bank",
                                      .app_clusters = {"bank"},
                                      .slow_ms = {500},
                                      .share = folder_ / "bank.yaml",
                                      .app_address = fmt::format("127.0.0.1:{}", app_.port())});
    EXPECT_TRUE(bank.ok()) << bank.status();
    WriteFile(folder_ / "bank.yaml",
              envoy::FormOf({"bank", {"bank"}}).text({Share::All().Width(), 10}));
    envoy_ = std::make_unique<TestEnvoy>(TestEnvoy::Options{
        .app_port = app_.port(), .hot_restart = true, .changed = [&](const std::string& shop) {
          return Merged(shop, *bank);
        }});
  }
  std::string ShopYaml() const override { return AgentYaml(envoy_->settings()); }
  std::string BankYaml() const override {
    envoy::Settings settings = envoy_->settings();
    settings.share = folder_ / "bank.yaml";
    settings.app_clusters = {"bank"};
    settings.probe_url = BankUrl("/.headgate/probe");
    return AgentYaml(settings);
  }
  int ShopFor(const std::string& user) const override { return envoy_->StatusFor(user); }
  void Reload() override {
    envoy_->HotRestart(std::chrono::seconds(2));
    envoy_->AwaitEndOfTheOld();
  }

 protected:
  std::string BankUrl(const std::string& path) const override {
    return fmt::format("http://localhost:{}{}", envoy_->port(), path);
  }

 private:
  static std::string Merged(std::string text, const std::string& bank) {
    const auto insert = [&](const char* from, const char* to, const char* before,
                            const std::string& domains = "") {
      const std::size_t begin = bank.find(from);
      const std::size_t end = to == nullptr ? bank.size() : bank.find(to, begin);
      const std::size_t at = before == nullptr ? text.size() : text.find(before);
      ASSERT_TRUE(begin != std::string::npos && end != std::string::npos && at != std::string::npos)
          << from;
      std::string part = bank.substr(begin, end - begin);
      constexpr std::string_view kEverybody = "[\"*\"]";
      const std::size_t all = domains.empty() ? std::string::npos : part.find(kEverybody);
      if (all != std::string::npos) part.replace(all, kEverybody.size(), domains);
      text.insert(at, part);
    };
    constexpr char kRouter[] = "          - name: envoy.filters.http.router";
    constexpr char kClusters[] = "  clusters:\n  # And this one";
    insert("  - name: headgate_bank\n", "  - name: admin\n", "  - name: admin\n");
    insert("  - match: {contains:", "stats_flush_interval", "stats_flush_interval");
    insert("          - name: headgate.bank.refused", kRouter, kRouter);
    insert("            - name: bank\n              domains", kClusters, kClusters,
           R"(["localhost", "localhost:*"])");
    insert("  - name: headgate_bank_wait\n    type", nullptr, nullptr);
    return text;
  }

  std::unique_ptr<TestEnvoy> envoy_;
};

template <typename Made>
class SeveralGates : public testing::Test {
 protected:
  void SetUp() override {
    // Of one that cannot be had everywhere.
    if constexpr (requires { Made::Missing(); }) {
      if (const std::string why = Made::Missing(); !why.empty()) GTEST_SKIP() << why;
    }
    both_ = std::make_unique<Made>();
    const AgentSite::Options options{.more_config = "  - name: bank\n" + both_->BankYaml()};
    site_ = std::make_unique<AgentSite>(options, both_->ShopYaml());
    site_->StartAgent();
  }

  void DirectBank(const char* share) {
    site_->controller->Direct(DirectiveOf(7, 1, share, "bank"));
    EXPECT_TRUE(Eventually([&] {
      return site_->controller->report("bank").stage() == v1::OBSERVED;
    })) << site_->controller->report("bank").DebugString()
        << site_->agent->Output();
  }
  void ExpectShares(const char* shop, const char* bank) const {
    for (int i = 0; i < kUsers; ++i) {
      const std::string user = fmt::format("user-{}", i);
      EXPECT_EQ(both_->ShopFor(user), IsAdmitted(BucketOf(user), Percent(shop)) ? 200 : 503);
      EXPECT_EQ(both_->BankFor(user), IsAdmitted(BucketOf(user), Percent(bank)) ? 200 : 503);
    }
  }

  std::unique_ptr<Made> both_;
  std::unique_ptr<AgentSite> site_;
};

using LoadBalancers = testing::Types<BothInHaproxy, BothInNginx, BothInEnvoy>;
TYPED_TEST_SUITE(SeveralGates, LoadBalancers);

TYPED_TEST(SeveralGates, HaveSharesAndCountersOfTheirOwn) {
  this->site_->DirectAndWait(7, 1, "20%");
  this->DirectBank("60%");
  this->ExpectShares("20%", "60%");
  int shop = 0;
  int bank = 0;
  for (int i = 0; i < kUsers; ++i) {
    const std::uint32_t bucket = BucketOf(fmt::format("user-{}", i));
    shop += int{IsAdmitted(bucket, Percent("20%"))};
    bank += int{IsAdmitted(bucket, Percent("60%"))};
  }
  ASSERT_LT(shop, bank);
  const auto admitted = [this](const char* gate) {
    return static_cast<int>(this->site_->controller->gate_counters(gate).admitted());
  };
  EXPECT_TRUE(Eventually([&] { return admitted("shop") == shop && admitted("bank") == bank; }))
      << shop << " and " << bank << ", but " << this->site_->controller->counters().DebugString();
}

TYPED_TEST(SeveralGates, OneIsLoweredOnTheBoxAndTheOtherStays) {
  this->site_->DirectAndWait(7, 1, "20%");
  this->DirectBank("60%");
  const Finished lowered = this->site_->Run({"lower", "1%", "--gate", "bank"});
  EXPECT_EQ(lowered.exit_code, 0) << lowered.output;
  this->ExpectShares("20%", "1%");
  this->both_->Reload();
  this->ExpectShares("20%", "1%");
  this->site_->KillAgent();
  this->both_->Reload();
  this->ExpectShares("20%", "1%");
}

}  // namespace
}  // namespace headgate::test
