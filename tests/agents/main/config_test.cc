#include "agents/main/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace headgate::agent {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr char kGood[] = R"(name: edge-1
controllers: ['127.0.0.1:7443']
plaintext: true
state_dir: /var/lib/headgate
push_every: 500ms
rails: {step_up_max: 25%, between_steps_up: 10s}
metrics: 127.0.0.1:9464
labels: {zone: eu-1}
gates:
  - name: shop
    haproxy:
      socket: /run/haproxy/admin.sock
      map: /var/lib/headgate/shop.map
      app_backend: app
      probe_url: http://127.0.0.1:80/.headgate/probe
      slow: [1s, 500ms]
)";

std::string With(const std::string& from, const std::string& to) {
  std::string text = kGood;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string ErrorOf(const std::string& text) {
  const auto config = ParseConfig("agent.yaml", text);
  EXPECT_FALSE(config.ok());
  return std::string(config.status().message());
}

TEST(Config, ReadsAllThatThereIs) {
  const auto config = ParseConfig("agent.yaml", kGood);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->push_every, Duration(500));
  ASSERT_EQ(config->gates.size(), 1U);
  const GateConfig& gate = config->gates[0];
  EXPECT_EQ(gate.rails.step_up_max, *Share::Parse("25%"));
  EXPECT_EQ(gate.rails.between_steps_up_min, std::chrono::seconds(10));
  const auto& haproxy = std::get<haproxy::Settings>(gate.load_balancer);
  EXPECT_THAT(haproxy.slow_ms, testing::ElementsAre(500, 1000));
  EXPECT_EQ(haproxy.wait_backend, "headgate_shop_wait");
  EXPECT_EQ(haproxy.key.ToString(), "cookie headgate_uid");
}

TEST(Config, WhatComesFromTheNetworkNeedsCertificates) {
  EXPECT_THAT(ErrorOf(With("metrics: 127.0.0.1:9464",
                           "metrics: 127.0.0.1:9464\nmetrics_tls: 0.0.0.0:9465")),
              HasSubstr("'metrics_tls' needs 'tls"));
  std::string text = With("plaintext: true", "tls: {ca: a, cert: b, key: c}");
  text.replace(text.find("metrics:"), 8,
               "metrics_tls: 0.0.0.0:9465\nhealth: 0.0.0.0:9466\nmetrics:");
  const auto config = ParseConfig("agent.yaml", text);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->metrics, "127.0.0.1:9464");
  EXPECT_EQ(config->metrics_tls, "0.0.0.0:9465");
  EXPECT_EQ(config->health, "0.0.0.0:9466");
}

TEST(Config, AGateStandsBeforeOneLoadBalancer) {
  const std::string nginx =
      "    nginx:\n      share: /var/lib/headgate/shop.share\n"
      "      token: /etc/headgate/nginx/shop.token\n"
      "      probe_url: http://127.0.0.1:80/.headgate/probe\n";
  std::string text = kGood;
  const std::size_t at = text.find("    haproxy:");
  EXPECT_THAT(ErrorOf(text + nginx), HasSubstr("gate 'shop' needs one load balancer"));
  EXPECT_THAT(ErrorOf(text.substr(0, at)), HasSubstr("gate 'shop' needs one load balancer"));
  const auto config = ParseConfig("agent.yaml", text.substr(0, at) + nginx);
  ASSERT_TRUE(config.ok()) << config.status();
  const auto& settings = std::get<nginx::Settings>(config->gates[0].load_balancer);
  EXPECT_EQ(settings.share, "/var/lib/headgate/shop.share");
  EXPECT_EQ(settings.key.ToString(), "cookie headgate_uid");
}

// agent.yaml with an endpoint in place of HAProxy.
std::string WithEndpoint(const std::string& lines) {
  const std::string text = kGood;
  return text.substr(0, text.find("    haproxy:")) + "    endpoint:\n" + lines;
}

constexpr char kEndpoint[] = R"(      listen: unix:/run/headgate/shop.sock
      mode: 0666
      group: www-data
      ext_authz: 127.0.0.1:9102
      share: /var/lib/headgate/shop.share
      bootstrap_share: 30%
      bypass: [path=/healthz, cidr=203.0.113.0/24]
      trusted_proxies: [10.0.0.0/8]
      access_log: 127.0.0.1:9103
      slow: [500ms]
      remembered: /var/cache/nginx/headgate-shop
      new_cookies_per_minute: 60
)";

std::string EndpointWith(const std::string& from, const std::string& to) {
  std::string lines = kEndpoint;
  const std::size_t at = lines.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return WithEndpoint(lines.replace(at, from.size(), to));
}

TEST(Config, ReadsAnEndpoint) {
  const auto config = ParseConfig("agent.yaml", WithEndpoint(kEndpoint));
  ASSERT_TRUE(config.ok()) << config.status();
  const auto& settings = std::get<endpoint::Settings>(config->gates[0].load_balancer);
  EXPECT_EQ(settings.gate, "shop");
  EXPECT_EQ(settings.listen.path, "/run/headgate/shop.sock");
  EXPECT_EQ(settings.mode, 0666U);
  EXPECT_EQ(settings.ext_authz->ToString(), "127.0.0.1:9102");
  EXPECT_EQ(settings.bootstrap_share, *Share::Parse("30%"));
  EXPECT_THAT(settings.bypass, testing::SizeIs(2));
  EXPECT_EQ(settings.access_log->port, 9103);
  EXPECT_THAT(settings.slow_ms, testing::ElementsAre(500));
  EXPECT_EQ(settings.new_cookies_per_minute, 60U);
}

TEST(Config, TimesAreToldInTheOperatorsOwnZone) {
  EXPECT_EQ(ParseConfig("agent.yaml", kGood)->gates[0].time_zone, "UTC");
  const auto config = ParseConfig(
      "agent.yaml", With("  - name: shop\n", "  - name: shop\n    time_zone: Europe/Berlin\n"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->gates[0].time_zone, "Europe/Berlin");
  const auto all = ParseConfig("agent.yaml", "time_zone: Asia/Tokyo\n" + std::string(kGood));
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->gates[0].time_zone, "Asia/Tokyo");
  EXPECT_THAT(ErrorOf("time_zone: Berlin\n" + std::string(kGood)),
              StartsWith("agent.yaml:1:12: 'time_zone': 'Berlin' is no time zone"));
}

TEST(Config, AnEndpointHasAPageForEachLanguage) {
  const test::TempFolder folder;
  test::WriteFile(folder / "fr.html", "bonjour");
  test::WriteFile(folder / "bad.html", "\n{{name}}");
  const auto with = [&](const std::string& lines) {
    return EndpointWith("      group", lines + "      group");
  };
  const auto config = ParseConfig(
      "agent.yaml", with("      page: {fr: " + (folder / "fr.html") + "}\n      language: fr\n"));
  ASSERT_TRUE(config.ok()) << config.status();
  const auto& settings = std::get<endpoint::Settings>(config->gates[0].load_balancer);
  EXPECT_EQ(settings.pages.default_language(), "fr");
  EXPECT_THAT(ErrorOf(with("      page: {fr: " + (folder / "fr.html") + "}\n")),
              HasSubstr("no page in the default language 'en'"));
  EXPECT_THAT(ErrorOf(with("      page: " + (folder / "bad.html") + "\n")),
              HasSubstr("bad.html:2: '{{name}}'"));
}

TEST(Config, AnEndpointsBootstrapShareHasNoDefault) {
  EXPECT_THAT(ErrorOf(EndpointWith("      bootstrap_share: 30%\n", "")),
              testing::AllOf(StartsWith("agent.yaml:12:7: 'gates[0].endpoint.bootstrap_share' is "
                                        "missing"),
                             HasSubstr("write 'bootstrap_share: 0%'")));
  EXPECT_THAT(ErrorOf(EndpointWith("30%", "130%")),
              StartsWith("agent.yaml:17:24: 'gates[0].endpoint.bootstrap_share'"));
}

TEST(Config, RefusesEachMistakeInAnEndpoint) {
  EXPECT_THAT(ErrorOf(EndpointWith("unix:/run/headgate/shop.sock", "0.0.0.0:9101")),
              HasSubstr("not on this machine"));
  EXPECT_THAT(ErrorOf(EndpointWith("127.0.0.1:9102", "10.0.0.1:9102")), HasSubstr("ext_authz"));
  for (const char* many : {"-1", "1000001", "60/min"}) {
    EXPECT_THAT(ErrorOf(EndpointWith("minute: 60", std::string("minute: ") + many)),
                HasSubstr("new_cookies_per_minute' is '" + std::string(many) + "'"));
  }
  EXPECT_THAT(ErrorOf(EndpointWith("0666", "0888")), HasSubstr("octal"));
  EXPECT_THAT(ErrorOf(EndpointWith("path=/healthz", "/healthz")), HasSubstr("path=/healthz"));
  EXPECT_THAT(ErrorOf(EndpointWith("10.0.0.0/8", "everybody")), HasSubstr("trusted_proxies"));
  EXPECT_THAT(ErrorOf(EndpointWith("      access_log: 127.0.0.1:9103\n", "")),
              HasSubstr("needs 'gates[0].endpoint.access_log'"));
  EXPECT_THAT(ErrorOf(EndpointWith("127.0.0.1:9103", "unix:/run/a.sock")),
              HasSubstr("would not find back"));
  EXPECT_THAT(ErrorOf(EndpointWith("      group", "      page: /no/such/page\n      group")),
              HasSubstr("/no/such/page"));
  EXPECT_THAT(ErrorOf(EndpointWith("      share: /var/lib/headgate/shop.share\n", "")),
              HasSubstr("share"));
  EXPECT_THAT(ErrorOf(std::string(kGood) + "    endpoint:\n" + kEndpoint),
              HasSubstr("gate 'shop' needs one load balancer"));
}

TEST(Config, ReadsAnEnvoyAndRefusesWhatItCannotCount) {
  const std::string gate = kGood;
  const std::string envoy =
      gate.substr(0, gate.find("    haproxy:")) +
      "    envoy:\n      admin: /run/envoy/admin.sock\n"
      "      share: /var/lib/headgate/shop.yaml\n      app_clusters: [web, api]\n"
      "      probe_url: http://127.0.0.1:80/.headgate/probe\n      slow: [500ms]\n";
  const auto config = ParseConfig("agent.yaml", envoy);
  ASSERT_TRUE(config.ok()) << config.status();
  const auto& settings = std::get<envoy::Settings>(config->gates[0].load_balancer);
  EXPECT_THAT(settings.app_clusters, testing::ElementsAre("web", "api"));
  const auto spoilt = [&](const std::string& from, const std::string& to) {
    std::string text = envoy;
    return ErrorOf(text.replace(text.find(from), from.size(), to));
  };
  EXPECT_THAT(spoilt("[500ms]", "[505ms]"), HasSubstr("write 500ms or 510ms"));
  EXPECT_THAT(spoilt("[web, api]", "[]"), HasSubstr("names none: write [app]"));
  EXPECT_THAT(spoilt("[web, api]", "['a b']"), HasSubstr("app_clusters 'a b'"));
  EXPECT_THAT(spoilt("      admin: /run/envoy/admin.sock\n", ""), HasSubstr("admin' is missing"));
}

TEST(Config, RefusesWhatItDoesNotKnowWithLineAndColumn) {
  EXPECT_THAT(ErrorOf(With("metrics:", "metrix:")),
              StartsWith("agent.yaml:7:1: unknown key 'metrix'; did you mean 'metrics'?"));
  EXPECT_THAT(
      ErrorOf(With("      map:", "      mapp: x\n      map:")),
      StartsWith("agent.yaml:13:7: unknown key 'gates[0].haproxy.mapp'; did you mean 'map'?"));
  EXPECT_THAT(ErrorOf(With("gates:", "gatez:")),
              StartsWith("agent.yaml:9:1: unknown key 'gatez'; did you mean 'gates'?"));
  EXPECT_THAT(ErrorOf(With("plaintext:", "plaintxt:")), HasSubstr("did you mean 'plaintext'?"));
  EXPECT_THAT(ErrorOf(With("metrics:", "colour:")),
              HasSubstr("unknown key 'colour': write one of controllers, name,"));
}

TEST(Config, WhatAGateCountsAndReadsIsItsOwn) {
  const auto two = [](const std::string& backend, const std::string& map) {
    return ParseConfig("agent.yaml",
                       std::string(kGood) +
                           "  - name: bank\n    haproxy: {socket: /run/haproxy/admin.sock, map: " +
                           map + ", app_backend: " + backend +
                           ", probe_url: 'http://127.0.0.1:80/probe', slow: [500ms]}\n")
        .status();
  };
  EXPECT_TRUE(two("bank", "/var/lib/headgate/bank.map").ok());
  EXPECT_THAT(two("app", "/var/lib/headgate/bank.map").message(),
              HasSubstr("gates 'shop' and 'bank' both have app_backend 'app': HAProxy counts "
                        "answers by backend, so each gate would count the other's. Give each its "
                        "own"));
  EXPECT_THAT(two("bank", "/var/lib/headgate/shop.map").message(),
              HasSubstr("both have map '/var/lib/headgate/shop.map': the share of one would be"));
}

TEST(Config, RefusesEachContradictionAndMistake) {
  EXPECT_THAT(ErrorOf(With("state_dir: /var/lib/headgate\n", "")),
              HasSubstr("'state_dir' is missing"));
  EXPECT_THAT(ErrorOf(With("state_dir: /var/lib/headgate", "state_dir: headgate")),
              HasSubstr("'state_dir' is 'headgate': write the whole path"));
  EXPECT_THAT(ErrorOf(With("name: edge-1\n", "name: a\nname: b\n")), HasSubstr("there twice"));
  EXPECT_THAT(ErrorOf(With("labels: {zone: eu-1}", "labels: {zone: eu-1, zone: us}")),
              HasSubstr("label 'zone' is there twice"));
  EXPECT_THAT(ErrorOf(With("name: edge-1\n", "")), HasSubstr("write 'name: edge-1'"));
  EXPECT_THAT(ErrorOf(With("plaintext: true\n", "")), HasSubstr("write either 'tls:"));
  EXPECT_THAT(ErrorOf(With("plaintext: true", "plaintext: true\ntls: {ca: a, cert: b, key: c}")),
              HasSubstr("write either 'tls:"));
  EXPECT_THAT(ErrorOf(With("127.0.0.1:7443", "10.0.0.1:7443")), HasSubstr("10.0.0.1:7443"));
  EXPECT_THAT(ErrorOf(With("25%", "125%")), HasSubstr("step_up_max"));
  EXPECT_THAT(ErrorOf(With("500ms\n", "1ms\n")), HasSubstr("write 50ms to 2s"));
  EXPECT_THAT(ErrorOf(With("name: shop", "name: Shop")), HasSubstr("[a-z0-9-]"));
  EXPECT_THAT(ErrorOf(With("http://127.0.0.1", "127.0.0.1")), HasSubstr("probe_url"));
  EXPECT_THAT(ErrorOf(With("/var/lib/headgate/shop.map", "/var/a b;c")), HasSubstr("haproxy.map"));
  EXPECT_THAT(ErrorOf(With("[1s, 500ms]", "[1s]\n      key: session")), HasSubstr("user key"));
  EXPECT_THAT(ErrorOf(With("[1s, 500ms]", "[1, 2]")), HasSubstr("slow"));
  EXPECT_THAT(ErrorOf("a: [b"), StartsWith("agent.yaml:"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("must be a mapping"));
  EXPECT_THAT(ErrorOf("gates: 5\ncontrollers: [a:1]"), HasSubstr("agent.yaml:"));
}

}  // namespace
}  // namespace headgate::agent
