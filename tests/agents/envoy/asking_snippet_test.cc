// What `snippet envoy-ext-authz` prints; what it does stands in
// tests/agents/endpoint/envoy_ext_authz_test.cc.
#include "agents/envoy/asking_snippet.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/support/places.h"
#include "tests/support/test_app.h"
#include "tests/support/test_envoy.h"

namespace headgate::envoy {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

AskingOptions Options() {
  return {.gate = "my-shop",
          .ext_authz = "127.0.0.1:9102",
          .share = "/var/lib/headgate/my-shop.share",
          .bypass = {"path=/healthz", "cidr=203.0.113.0/24", "path=/pay"}};
}

TEST(AskingSnippet, TakesTheMarkAwayThenAsksThenDecides) {
  const std::string text = *AskingSnippet(Options());
  const std::size_t strips = text.find("remove: x-envoy-auth-failure-mode-allowed");
  const std::size_t asks = text.find("failure_mode_allow: true");
  const std::size_t marks = text.find("failure_mode_allow_header_add: true");
  const std::size_t decides =
      text.find("local UNASKED, BUCKETS = \"x-envoy-auth-failure-mode-allowed\"");
  const std::size_t routes = text.find("envoy.filters.http.router");
  ASSERT_NE(strips, std::string::npos);
  EXPECT_LT(strips, asks);
  EXPECT_LT(asks, marks);
  EXPECT_LT(marks, decides);
  EXPECT_LT(decides, routes);
  for (const char* part :
       {"cluster_name: headgate_my_shop_agent}, timeout: 0.2s", "name: headgate_my_shop_agent\n",
        "explicit_http_config: {http2_protocol_options: {}}",
        "address: {socket_address: {address: 127.0.0.1, port_value: 9102}}",
        "SHARE, WIDTH, RETRY_AFTER = \"/var/lib/headgate/my-shop.share\", \"admit_w\"",
        "PATHS = {[\"/healthz\"] = true, [\"/pay\"] = true}", "\n# others: 203.0.113.0/24.\n"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(AskingSnippet, LeadsToAUnixSocketTooAndShowsTheAgentAKeyInAHeader) {
  AskingOptions options = Options();
  options.ext_authz = "unix:/run/headgate-agent/grpc.sock";
  EXPECT_THAT(*AskingSnippet(options),
              AllOf(HasSubstr("{pipe: {path: /run/headgate-agent/grpc.sock}}"),
                    HasSubstr("{exact: cookie}"), Not(HasSubstr("user-id"))));
  options.key = *agent::UserKey::Parse("header X-User-Id");
  EXPECT_THAT(*AskingSnippet(options),
              AllOf(HasSubstr("{exact: \"x-user-id\"}"), HasSubstr("\"header\", \"x-user-id\"")));
}

TEST(AskingSnippet, RefusesWhatEnvoyWouldReadOtherwise) {
  for (const auto& spoil : std::vector<std::function<void(AskingOptions&)>>{
           [](AskingOptions& o) { o.gate = "Shop"; },
           [](AskingOptions& o) { o.share = "/tmp/a b"; }, [](AskingOptions& o) { o.share = ""; },
           [](AskingOptions& o) { o.ext_authz = "9102"; },
           [](AskingOptions& o) { o.ext_authz = "unix:/a}b"; },
           [](AskingOptions& o) { o.bypass = {"path=/a}"}; },
           [](AskingOptions& o) { o.bypass = {"/healthz"}; },
           [](AskingOptions& o) { o.listen = "80"; },
           [](AskingOptions& o) { o.app_address = "a:b"; }}) {
    AskingOptions options = Options();
    spoil(options);
    EXPECT_FALSE(AskingSnippet(options).ok());
  }
}

test::Finished Print(const std::string& ext_authz, const std::string& key) {
  return test::RunToEnd({BuiltProgram("headgate-agent"), "snippet", "envoy-ext-authz", "--gate",
                         "my-shop", "--ext-authz", ext_authz, "--share",
                         "/var/lib/headgate/my-shop.share", "--key", key, "--bypass",
                         "path=/healthz", "--bypass", "cidr=203.0.113.0/24"});
}

TEST(AskingSnippet, IsABootstrapThatEnvoyTakes) {
  HEADGATE_NEEDS_ENVOY();
  const test::TempFolder folder;
  for (const auto& [ext_authz, key] :
       {std::pair{"127.0.0.1:9102", "cookie headgate_uid"},
        std::pair{"unix:/run/headgate-agent/grpc.sock", "header X-User-Id"},
        std::pair{"localhost:9102", "client_address"}}) {
    const test::Finished printed = Print(ext_authz, key);
    ASSERT_EQ(printed.exit_code, 0) << printed.output;
    test::WriteFile(folder / "envoy.yaml", printed.standard_output);
    const test::Finished valid =
        test::RunToEnd({test::EnvoyProgram(), "-c", folder / "envoy.yaml", "--mode", "validate"});
    EXPECT_EQ(valid.exit_code, 0) << valid.output;
  }
}

TEST(AskingSnippet, AnAgentElsewhereIsNoneThatIsBelieved) {
  const test::Finished printed = Print("10.0.0.7:9102", "cookie headgate_uid");
  EXPECT_EQ(printed.exit_code, 2);
  EXPECT_THAT(printed.output, AllOf(HasSubstr("--ext-authz"), HasSubstr("not on this machine")));
}

// What stands in `text` from `first` up to `last`.
std::string Part(const std::string& text, const char* first, const char* last) {
  const std::size_t from = text.find(first);
  return text.substr(from, text.find(last, from) - from);
}

std::string Put(std::string text, const char* before, const std::string& more) {
  return text.insert(text.find(before), more);
}

std::string NotAsked(const char* gate) {
  return fmt::format(
      "typed_per_filter_config: {{headgate.{}.asked: {{\"@type\": "
      "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute, "
      "disabled: true}}}}",
      gate);
}

// As docs/agents/envoy.md has it: 'shop' with the application, and 'bank', which answers 201.
std::string TwoGates(const test::TestEnvoy& envoy, std::uint16_t app_port) {
  AskingOptions options{.gate = "shop",
                        .ext_authz = "unix:" + envoy.folder() + "/shop.sock",
                        .share = envoy.folder() + "/shop.share",
                        .listen = fmt::format("127.0.0.1:{}", envoy.port()),
                        .app_address = fmt::format("127.0.0.1:{}", app_port)};
  std::string text = *AskingSnippet(options);
  options.gate = "bank";
  options.ext_authz = "unix:" + envoy.folder() + "/bank.sock";
  options.share = envoy.folder() + "/bank.share";
  const std::string bank = *AskingSnippet(options);
  constexpr char kRouter[] = "          - name: envoy.filters.http.router";
  text = Put(text, kRouter, Part(bank, "          - name: headgate.bank.unmarked", kRouter));
  text = Put(text, "  - name: app\n", Part(bank, "  - name: headgate_bank_agent", "  - name: app"));
  text = Put(text, "              domains:", "              " + NotAsked("bank") + "\n");
  text =
      Put(text, "            - name: shop\n",
          fmt::format("            - name: bank\n              domains: [bank]\n              {}\n"
                      "              routes: [{{match: {{prefix: /}}, direct_response: "
                      "{{status: 201}}}}]\n",
                      NotAsked("shop")));
  return fmt::format("admin: {{address: {{pipe: {{path: {}, mode: 384}}}}}}\n{}", envoy.admin(),
                     text);
}

TEST(AskingSnippet, OfTwoGatesInOneListenerEachDecidesItsOwn) {
  HEADGATE_NEEDS_ENVOY();
  const test::TestApp app;
  const test::TestEnvoy real({.other_bootstrap = [&](const test::TestEnvoy& envoy) {
    return TwoGates(envoy, app.port());
  }});
  // There is no agent here: each gate's own file decides.
  for (const auto& [shop, bank] : {std::pair{0U, 1'048'576U}, std::pair{1'048'576U, 0U}}) {
    test::WriteFile(real.folder() + "/shop.share", fmt::format("admit_w {}\n", shop));
    test::WriteFile(real.folder() + "/bank.share", fmt::format("admit_w {}\n", bank));
    const int of_shop = shop == 0 ? 503 : 200;
    const int of_bank = bank == 0 ? 503 : 201;
    EXPECT_TRUE(test::Eventually([&] {
      int seen = 0;
      while (seen < 20 && real.Get("/").status == of_shop &&
             real.Get("/", {"Host: bank"}).status == of_bank) {
        ++seen;
      }
      return seen == 20;
    })) << shop
        << bank << real.Log();
  }
  EXPECT_THAT(real.Get("/", {"Host: bank"}).headers, HasSubstr("x-headgate-gate: bank"));
}

}  // namespace
}  // namespace headgate::envoy
