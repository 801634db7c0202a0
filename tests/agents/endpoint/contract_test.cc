// Requests as Traefik, Caddy, ingress-nginx, nginx and Istio send them according to their
// documentation, to the real endpoint: the answers are those that each of them understands.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "agents/endpoint/endpoint.h"
#include "common/base/bucket.h"
#include "tests/agents/endpoint/test_endpoint.h"

namespace headgate::endpoint {
namespace {

using test::HttpAnswer;
using test::TestEndpoint;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Contract : public testing::Test {
 protected:
  void Admit(const char* share) {
    ASSERT_TRUE(endpoint_.Put({*Share::Parse(share), 7, agent::Direction::kDown}).in_memory.ok());
  }
  HttpAnswer Ask(const std::string& path, std::vector<std::string> headers,
                 const std::vector<std::string>& more) const {
    headers.insert(headers.end(), more.begin(), more.end());
    return place_.Get(path, headers);
  }

  const TestEndpoint place_{{}};
  Endpoint endpoint_{place_.settings(), std::nullopt, nullptr};
};

const std::vector<std::string> kTraefik = {"X-Forwarded-Method: GET",
                                           "X-Forwarded-Proto: https",
                                           "X-Forwarded-Host: shop.example",
                                           "X-Forwarded-Uri: /cart?item=7",
                                           "X-Forwarded-For: 203.0.113.7",
                                           "Accept: text/html",
                                           "User-Agent: Mozilla/5.0 (X11; Linux)"};
const std::vector<std::string> kIngressNginx = {"X-Original-URL: https://shop.example/cart?item=7",
                                                "X-Original-Method: GET",
                                                "X-Sent-From: nginx-ingress-controller",
                                                "X-Real-IP: 203.0.113.7",
                                                "X-Forwarded-For: 203.0.113.7",
                                                "X-Auth-Request-Redirect: /cart?item=7",
                                                "Accept: text/html"};
const std::vector<std::string> kIstio = {"X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https",
                                         "X-Envoy-Internal: true", "Accept: text/html",
                                         "Content-Length: 0"};

TEST_F(Contract, TraefikForwardAuthPassesTheRefusalThrough) {
  EXPECT_EQ(Ask("/authz", kTraefik, {"Cookie: headgate_uid=a"}).status, 200);
  const HttpAnswer given = Ask("/authz", kTraefik, {});
  EXPECT_EQ(given.status, 200);
  // Secure, because the user's own request was; `addAuthCookiesToResponse` hands it on.
  EXPECT_THAT(given.headers, HasSubstr("Set-Cookie: headgate_uid="));
  EXPECT_THAT(given.headers, HasSubstr("HttpOnly; Secure"));
  Admit("0%");
  const HttpAnswer page = Ask("/authz", kTraefik, {});
  EXPECT_EQ(page.status, 503);
  EXPECT_THAT(page.headers, HasSubstr("Retry-After: "));
  EXPECT_THAT(page.headers, HasSubstr("Cache-Control: no-store"));
  EXPECT_THAT(page.headers, HasSubstr("Content-Type: text/html; charset=utf-8"));
  EXPECT_THAT(page.headers, HasSubstr("Set-Cookie: headgate_uid="));
  EXPECT_THAT(page.body, HasSubstr("not open to everybody yet"));
  EXPECT_THAT(page.body, Not(HasSubstr("{{")));
  std::vector<std::string> api = kTraefik;
  api[5] = "Accept: application/json";
  const HttpAnswer problem = Ask("/authz", api, {});
  EXPECT_EQ(problem.status, 503);
  EXPECT_THAT(problem.headers, HasSubstr("application/problem+json"));
  EXPECT_THAT(problem.headers, Not(HasSubstr("Set-Cookie")));
  EXPECT_THAT(problem.body, HasSubstr("\"retry_after_s\":"));
  std::vector<std::string> probe = kTraefik;
  probe[3] = "X-Forwarded-Uri: /healthz";
  EXPECT_EQ(Ask("/authz", probe, {}).status, 200);
  EXPECT_EQ(endpoint_.ReadCounters()->bypassed, 1U);
}

TEST_F(Contract, RetryAfterIsSpreadByHalfOfItself) {
  Admit("0%");
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const std::string headers = place_.Get("/authz").headers;
    const std::size_t at = headers.find("Retry-After: ") + 13;
    seen.insert(headers.substr(at, headers.find('\r', at) - at));
  }
  EXPECT_EQ(seen, (std::set<std::string>{"7", "8", "9", "10"}));
}

TEST_F(Contract, IngressNginxGetsNothingButWhatItTakesForAnAnswer) {
  const HttpAnswer in = Ask("/authz/nginx", kIngressNginx, {"Cookie: headgate_uid=a"});
  EXPECT_EQ(in.status, 204);
  EXPECT_THAT(in.headers, HasSubstr("X-Headgate-Verdict: in"));
  EXPECT_THAT(in.headers, HasSubstr("X-Accel-Expires: @1"));
  EXPECT_THAT(in.headers, Not(HasSubstr("Content-Length")));
  Admit("0%");
  const HttpAnswer out = Ask("/authz/nginx", kIngressNginx, {});
  EXPECT_EQ(out.status, 403);
  EXPECT_THAT(out.headers, HasSubstr("Retry-After: "));
  EXPECT_THAT(out.headers, HasSubstr("Set-Cookie: headgate_uid="));
  EXPECT_THAT(out.headers, HasSubstr("X-Headgate-Verdict: out"));
  EXPECT_THAT(out.body, IsEmpty());
  std::vector<std::string> probe = kIngressNginx;
  probe[0] = "X-Original-URL: https://shop.example/healthz";
  const HttpAnswer bypassed = Ask("/authz/nginx", probe, {});
  EXPECT_EQ(bypassed.status, 204);
  // It says nothing of its user: it must not be kept as an answer to them.
  EXPECT_THAT(bypassed.headers, HasSubstr("X-Accel-Expires: 0"));
}

TEST_F(Contract, AnNginxThatKeepsAnswersIsToldWhatIsNotToBeWrittenAgain) {
  const std::string tag = fmt::format("\"in.{}\"", BucketOf("a"));
  const auto ask = [&](const std::string& kept) {
    return Ask(
        "/authz/nginx", kIngressNginx,
        {"Cookie: headgate_uid=a", "X-Headgate-Keeps: etag=" + kept, "X-Headgate-Keeps-As: a"});
  };
  const HttpAnswer first = ask("");
  EXPECT_EQ(first.status, 200);
  EXPECT_THAT(first.headers, HasSubstr("ETag: " + tag));
  EXPECT_THAT(first.headers, Not(HasSubstr("X-Headgate-Kept")));
  EXPECT_THAT(ask(tag).headers, HasSubstr("X-Headgate-Kept: 1"));
  Admit("0%");
  const HttpAnswer taken_back = ask(tag);
  EXPECT_EQ(taken_back.status, 403);
  EXPECT_THAT(taken_back.headers, Not(HasSubstr("X-Headgate-Kept")));
  EXPECT_THAT(ask("").headers, HasSubstr("X-Headgate-Kept: 1"));
}

TEST_F(Contract, NothingIsKeptOfOneUserAsAnothersOrAsEverybodys) {
  for (const char* as : {"X-Headgate-Keeps-As: b", "X-Headgate-Keeps-As: ", "X-Other: a"}) {
    const HttpAnswer in = Ask("/authz/nginx", kIngressNginx,
                              {"Cookie: headgate_uid=a", "X-Headgate-Keeps: etag=", as});
    EXPECT_EQ(in.status, 200);
    EXPECT_THAT(in.headers, HasSubstr("X-Headgate-Kept: 1")) << as;
  }
}

TEST_F(Contract, IstioAndEnvoyGetARefusalThatIsNoErrorOfTheService) {
  // envoyExtAuthzHttp with pathPrefix: /authz/envoy.
  EXPECT_EQ(Ask("/authz/envoy/cart?item=7", kIstio, {"Cookie: headgate_uid=a"}).status, 200);
  Admit("0%");
  const HttpAnswer out = Ask("/authz/envoy/cart?item=7", kIstio, {});
  EXPECT_EQ(out.status, 429);
  EXPECT_THAT(out.headers, HasSubstr("Retry-After: "));
  EXPECT_THAT(out.headers, HasSubstr("Set-Cookie: headgate_uid="));
  EXPECT_THAT(out.body, HasSubstr("not open to everybody yet"));
  EXPECT_EQ(Ask("/authz/envoy/healthz", kIstio, {}).status, 200);
  EXPECT_EQ(Ask("/authz/envoy/authz", kIstio, {}).status, 429);
  EXPECT_EQ(Ask("/authz/envoy", kIstio, {}).status, 429);
}

TEST_F(Contract, WhoAsksElsewhereIsToldWhere) {
  for (const char* path : {"/", "/authz/", "/authz/nginx/", "/authz/envoyx", "/metrics"}) {
    const HttpAnswer answer = place_.Get(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_THAT(answer.body, HasSubstr("ask /authz (200 or 503)"));
  }
}

}  // namespace
}  // namespace headgate::endpoint
