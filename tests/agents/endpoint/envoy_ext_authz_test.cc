// A real Envoy, from our own snippet, that asks the agent's own program about each request by gRPC
// ext_authz, and decides by the share file where that does not answer.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <optional>

#include "agents/core/wait_template.h"
#include "common/base/bucket.h"
#include "tests/agents/endpoint/asked_site.h"
#include "tests/agents/endpoint/stranger.h"

namespace headgate::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr auto kEnvoy = AskedSite::Asker::kEnvoy;
constexpr char kUnasked[] = "http.edge.ext_authz.headgate_shop.failure_mode_allowed";

Share Percent(const char* text) { return *Share::Parse(text); }

// The first user from `from` on who is inside, or outside, of the share.
std::string UserOf(const char* share, bool inside, int from = 0) {
  for (int i = from;; ++i) {
    const std::string user = "user-" + std::to_string(i);
    if (IsAdmitted(BucketOf(user), Percent(share)) == inside) return user;
  }
}

void ExpectUsersOf(const AskedSite& site, const char* share, int users) {
  for (int i = 0; i < users; ++i) {
    const std::string user = "user-" + std::to_string(i);
    ASSERT_EQ(site.StatusFor(user), IsAdmitted(BucketOf(user), Percent(share)) ? 200 : 503)
        << user << " at " << share << site.Log();
  }
}

// Each of Envoy's workers looks at the file for itself: so many answers in a row are of all of
// them.
bool ComesToStay(const AskedSite& site, const std::string& header, int status) {
  constexpr int kInARow = 20;
  return Eventually([&] {
    int seen = 0;
    while (seen < kInARow && site.Get("/", {header}).status == status) ++seen;
    return seen == kInARow;
  });
}

TEST(EnvoyExtAuthz, AdmitsTheUsersOfTheShareAndPassesTheRefusalThrough) {
  HEADGATE_NEEDS_ENVOY();
  const AskedSite site({.asker = kEnvoy});
  for (const char* share : {"50%", "20%", "0%", "1%", "100%"}) {
    site.Override(share);
    ExpectUsersOf(site, share, 100);
  }
  const HttpAnswer given = site.Get("/", {"Accept: text/html"});
  EXPECT_EQ(given.status, 200);
  EXPECT_THAT(given.headers, HasSubstr("set-cookie: headgate_uid="));
  site.Override("0%");
  const HttpAnswer page = site.Get("/", {"Accept: text/html", "Accept-Language: de"});
  EXPECT_EQ(page.status, 503);
  EXPECT_THAT(page.headers,
              AllOf(HasSubstr("retry-after: 1"), HasSubstr("cache-control: no-store"),
                    HasSubstr("set-cookie: headgate_uid="), HasSubstr("x-headgate-gate: shop")));
  EXPECT_THAT(page.body, HasSubstr("der bei <b>"));
  EXPECT_THAT(site.Get("/api", {"Accept: application/json"}).headers,
              HasSubstr("application/problem+json"));
  EXPECT_EQ(site.Get("/healthz").status, 200);
  EXPECT_EQ(site.EnvoyCount(kUnasked), 0) << "all of it was the agent's word";
}

// How the agent is lost, and what is in its place.
enum class Loss { kKilled, kHung, kGarbage, kNothing };

std::string NameOf(Loss loss) {
  switch (loss) {
    case Loss::kKilled:
      return "Killed";
    case Loss::kHung:
      return "Hung";
    case Loss::kGarbage:
      return "Garbage";
    case Loss::kNothing:
      return "Nothing";
  }
  return "";
}

class EnvoyWithoutItsAgent : public testing::TestWithParam<Loss> {
 protected:
  void SetUp() override {
    if (const std::string why = WhyNoEnvoy(); !why.empty()) GTEST_SKIP() << why;
  }
  void Lose(AskedSite& site) {
    if (GetParam() == Loss::kHung) return site.agent->Signal(SIGSTOP);
    site.KillAgent();
    if (GetParam() == Loss::kGarbage)
      stranger_.emplace(site.ext_authz(), "HTTP/1.1 200 OK\r\n\r\n");
    if (GetParam() == Loss::kNothing) stranger_.emplace(site.ext_authz(), "");
  }
  void Return(AskedSite& site) {
    if (GetParam() == Loss::kHung) return site.agent->Signal(SIGCONT);
    stranger_.reset();
    site.StartAgent();
  }

 private:
  std::optional<Stranger> stranger_;
};
INSTANTIATE_TEST_SUITE_P(All, EnvoyWithoutItsAgent,
                         testing::Values(Loss::kKilled, Loss::kHung, Loss::kGarbage,
                                         Loss::kNothing),
                         [](const auto& parameter) { return NameOf(parameter.param); });

TEST_P(EnvoyWithoutItsAgent, TheUsersOfTheShareAreInAndAllOthersReadTheirPlace) {
  AskedSite site({.asker = kEnvoy, .share = Percent("50%")});
  Lose(site);
  ExpectUsersOf(site, "50%", 20);
  EXPECT_GE(site.EnvoyCount(kUnasked), 20) << site.Log();
  EXPECT_EQ(site.Get("/healthz").status, 200);
  EXPECT_EQ(site.Get("/healthz?a=b").status, 200);
  EXPECT_THAT(site.app.last_headers(), Not(HasSubstr("failure-mode"))) << "what only Envoy knows";
  const std::string out = UserOf("50%", false);
  const HttpAnswer page =
      site.Get("/", {"Accept: text/html", "Accept-Language: de", "Cookie: headgate_uid=" + out});
  EXPECT_EQ(page.status, 503);
  EXPECT_THAT(page.headers,
              AllOf(HasSubstr("retry-after: 1"), HasSubstr("cache-control: no-store"),
                    HasSubstr("x-headgate-gate: shop"), HasSubstr("content-type: text/html")));
  EXPECT_THAT(page.body, HasSubstr(fmt::format("der bei <b>{}&nbsp;%</b> zurückkommt",
                                               agent::OwnPercent(BucketOf(out)))));
  EXPECT_THAT(site.Get("/", {"Accept: application/json", "Cookie: headgate_uid=" + out}).headers,
              HasSubstr("application/problem+json"));
  // Nobody signs a cookie now: whoever comes without one comes in later.
  const HttpAnswer first = site.Get("/", {"Accept: text/html", "Sec-Fetch-Mode: navigate"});
  EXPECT_EQ(first.status, 503);
  EXPECT_THAT(first.headers, Not(HasSubstr("set-cookie")));
  EXPECT_THAT(first.body, HasSubstr("is not known yet"));
  Return(site);
  EXPECT_TRUE(Eventually([&] {
    return site.Get("/", {"Accept: text/html"}).headers.find("set-cookie") != std::string::npos;
  }));
  ExpectUsersOf(site, "50%", 20);
}

TEST_P(EnvoyWithoutItsAgent, ALoweringOnTheBoxIsInForceWithinASecond) {
  AskedSite site({.asker = kEnvoy, .share = Percent("50%")});
  const std::string beyond = UserOf("50%", true);
  ASSERT_FALSE(IsAdmitted(BucketOf(beyond), Percent("1%")));
  Lose(site);
  ASSERT_EQ(site.StatusFor(beyond), 200);
  EXPECT_EQ(site.Run({"lower", "1%"}).exit_code, 11) << "nobody confirms it";
  EXPECT_TRUE(ComesToStay(site, "Cookie: headgate_uid=" + beyond, 503));
  EXPECT_EQ(site.StatusFor(UserOf("1%", true)), 200);
  Return(site);
  EXPECT_TRUE(
      Eventually([&] { return site.Metric("headgate_local_enforced_share_ratio") == 0.01; }));
  EXPECT_EQ(site.StatusFor(beyond), 503);
}

TEST_P(EnvoyWithoutItsAgent, WhoSaysThatTheAgentWasNotAskedGetsNoFurther) {
  AskedSite site({.asker = kEnvoy, .share = Percent("50%")});
  const std::string in = "Cookie: headgate_uid=" + UserOf("50%", true);
  const std::string out = "Cookie: headgate_uid=" + UserOf("50%", false);
  const auto expect_the_same = [&] {
    for (const char* mark :
         {"X-Envoy-Auth-Failure-Mode-Allowed: true", "X-Envoy-Auth-Failure-Mode-Allowed: false",
          "X-Envoy-Auth-Failure-Mode-Allowed;", "X-Original-URL: http://shop/healthz",
          "X-Forwarded-Uri: /healthz", "X-Headgate-Verdict: in", "X-Headgate-Probe-Key: a"}) {
      EXPECT_EQ(site.Get("/", {mark, out}).status, 503) << mark;
      EXPECT_EQ(site.Get("/", {mark}).status, 503) << mark;
      EXPECT_EQ(site.Get("/", {mark, in}).status, 200) << mark;
      EXPECT_THAT(site.app.last_headers(), Not(HasSubstr("failure-mode")));
    }
    for (const char* path :
         {"/healthz/", "/healthz/../a", "/a?/healthz", "//healthz", "/Healthz"}) {
      EXPECT_EQ(site.Get(path).status, 503) << path;
    }
  };
  expect_the_same();
  Lose(site);
  expect_the_same();
}

// What a browser, or somebody who tries things out, sends as cookies.
TEST(EnvoyExtAuthz, WithoutAnAgentAKeyIsWhatItIsWithOne) {
  HEADGATE_NEEDS_ENVOY();
  AskedSite site({.asker = kEnvoy, .share = Percent("50%")});
  const std::string in = UserOf("50%", true);
  const std::string out = UserOf("50%", false);
  std::vector<std::vector<std::string>> sent;
  for (const char* form :
       {"headgate_uid={0}", "a=b; headgate_uid={0}; c=d", "headgate_uid={1}; headgate_uid={0}",
        "headgate_uid={0}; headgate_uid=", "headgate_uid=\"{0}\"", " headgate_uid={0} ;",
        "headgate_uid ={0}", "HEADGATE_UID={0}", "xheadgate_uid={0}",
        "headgate_uid={0}=", "=headgate_uid={0}", "headgate_uid", "headgate_uid={0}\t; a",
        ";;headgate_uid={0}", "a=\"; headgate_uid={0}\"", "headgate_uid=%{0}"}) {
    sent.push_back({"Cookie: " + fmt::format(fmt::runtime(form), in, out)});
    sent.push_back({"Cookie: " + fmt::format(fmt::runtime(form), out, in)});
  }
  sent.push_back({"Cookie: headgate_uid=" + in, "Cookie: headgate_uid=" + out});
  sent.push_back({"Cookie: headgate_uid=" + out, "Cookie: a=b; headgate_uid=" + in});
  std::vector<int> asked;
  for (const auto& headers : sent) asked.push_back(site.Get("/", headers).status);
  EXPECT_THAT(asked, AllOf(testing::Contains(200), testing::Contains(503)));
  EXPECT_EQ(site.EnvoyCount(kUnasked), 0);
  site.KillAgent();
  for (std::size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(site.Get("/", sent[i]).status, asked[i])
        << fmt::format("{}", fmt::join(sent[i], "\n"));
  }
}

TEST(EnvoyExtAuthz, WithoutAnAgentAFileThatSaysNoShareAdmitsNobodyAndAllOfItEverybody) {
  HEADGATE_NEEDS_ENVOY();
  AskedSite site({.asker = kEnvoy, .share = Percent("50%")});
  const std::string in = UserOf("50%", true);
  const auto comes_to = [&](const std::string& header, int status) {
    return ComesToStay(site, header, status);
  };
  const std::string user = "Cookie: headgate_uid=" + in;
  const std::string good = ReadFile(site.share_file());
  site.KillAgent();
  ASSERT_TRUE(comes_to(user, 200));
  for (const std::string& text :
       {std::string(), std::string("admit_w 1048576"), "garbage\n" + good}) {
    WriteFile(site.share_file(), text);
    EXPECT_TRUE(comes_to(user, 503)) << text;
    EXPECT_EQ(site.Get("/healthz").status, 200);
    WriteFile(site.share_file(), good);
    EXPECT_TRUE(comes_to(user, 200)) << site.Log();
  }
  std::filesystem::remove(site.share_file());
  EXPECT_TRUE(comes_to(user, 503));
  std::filesystem::create_directory(site.share_file());
  EXPECT_TRUE(comes_to(user, 503));
  std::filesystem::remove(site.share_file());
  WriteFile(site.share_file(), "admit_w 1048576\nretry_after 10\n");
  EXPECT_TRUE(comes_to("Accept: text/html", 200)) << "without a key, too";
}

TEST(EnvoyExtAuthz, OfAHeaderTheKeyIsTheSameAndOfAnAddressTheAgentAloneKnowsIt) {
  HEADGATE_NEEDS_ENVOY();
  AskedSite by_header({.asker = kEnvoy, .share = Percent("50%"), .key = "header X-User-Id"});
  const std::string in = "X-User-Id: " + UserOf("50%", true);
  const std::string out = "X-User-Id: " + UserOf("50%", false);
  for (const bool is_asked : {true, false}) {
    EXPECT_EQ(by_header.Get("/", {in}).status, 200) << is_asked;
    EXPECT_EQ(by_header.Get("/", {out}).status, 503) << is_asked;
    EXPECT_EQ(by_header.Get("/").status, 503) << is_asked;
    if (is_asked) by_header.KillAgent();
  }
  const Share share = *Share::FromPpm(999'999);
  ASSERT_TRUE(IsAdmitted(BucketOf("127.0.0.1"), share));
  AskedSite by_address({.asker = kEnvoy, .share = share, .key = "client_address"});
  // That it is asked nobody else may say: else the Lua, which knows no address, would refuse.
  EXPECT_EQ(by_address.Get("/", {"X-Envoy-Auth-Failure-Mode-Allowed: true"}).status, 200);
  by_address.KillAgent();
  EXPECT_EQ(by_address.Get("/").status, 503);
}

TEST(EnvoyExtAuthz, ARestartOfTheAgentIsNotNoticedAndNeverRaises) {
  HEADGATE_NEEDS_ENVOY();
  AskedSite site({.asker = kEnvoy, .share = Percent("50%")});
  for (int i = 0; i < 2; ++i) {
    site.KillAgent();
    ExpectUsersOf(site, "50%", 10);
    site.StartAgent();
    ExpectUsersOf(site, "50%", 10);
  }
}

TEST(EnvoyExtAuthz, CheckSaysWhoDoesNotAnswerAndWhatEnvoyCannotRead) {
  HEADGATE_NEEDS_ENVOY();
  using std::filesystem::perms;
  AskedSite site({.asker = kEnvoy});
  const auto check = [&] { return site.Run({"check"}).output; };
  EXPECT_THAT(check(), HasSubstr("chmod o+x " + site.folder.path()))
      << "a test's folder is its own";
  std::filesystem::permissions(site.folder.path(), perms::others_exec,
                               std::filesystem::perm_options::add);
  // There is no controller here: of that alone is there a word.
  EXPECT_TRUE(Eventually([&] { return check().find("shop:") == std::string::npos; })) << check();
  std::filesystem::permissions(site.share_file(), perms::owner_read | perms::owner_write);
  EXPECT_TRUE(Eventually([&] { return check().find("shop:") == std::string::npos; }))
      << "the agent lets it be read";
  std::filesystem::rename(site.ext_authz(), site.ext_authz() + ".gone");
  EXPECT_THAT(check(), HasSubstr("ext_authz unix:" + site.ext_authz() + ": cannot be reached"));
  const Stranger stranger(site.ext_authz(), "HTTP/1.1 400 Bad Request\r\n\r\n");
  EXPECT_THAT(check(), HasSubstr("answered by something else than gRPC"));
}

}  // namespace
}  // namespace headgate::test
