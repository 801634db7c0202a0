// A real nginx without Lua that asks the agent's own program: who comes in, and who stays when the
// agent is killed, hangs, or is gone.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "agents/core/forecast.h"
#include "common/base/bucket.h"
#include "tests/agents/endpoint/asked_site.h"

namespace headgate::test {
namespace {

using endpoint::OnAgentFailure;
using testing::HasSubstr;
using testing::Not;

Share Percent(const char* text) { return *Share::Parse(text); }

// Files below the folder of those that nginx keeps.
std::ptrdiff_t KeptAnswers(const AskedSite& site) {
  const std::filesystem::recursive_directory_iterator all(site.remembered());
  return std::count_if(begin(all), end(all),
                       [](const auto& entry) { return entry.is_regular_file(); });
}

// The first user from `from` on who is inside, or outside, of the share.
std::string UserOf(const char* share, bool inside, int from = 0) {
  for (int i = from;; ++i) {
    const std::string user = "user-" + std::to_string(i);
    if (IsAdmitted(BucketOf(user), Percent(share)) == inside) return user;
  }
}

TEST(NginxAuthRequest, AdmitsExactlyTheUsersOfTheShareWhateverItChangesTo) {
  const AskedSite site({});
  for (const char* share : {"100%", "50%", "20%", "0%", "1%", "50%"}) {
    site.Override(share);
    for (int i = 0; i < 100; ++i) {
      const std::string user = "user-" + std::to_string(i);
      ASSERT_EQ(site.StatusFor(user), IsAdmitted(BucketOf(user), Percent(share)) ? 200 : 503)
          << user << " at " << share << site.Log();
    }
  }
}

TEST(NginxAuthRequest, ARefusedPersonReadsTheirPlaceWhileThereIsAnAgent) {
  AskedSite site({.share = Percent("20%")});
  const std::string user = UserOf("20%", false);
  const std::vector<std::string> german = {"Accept: text/html", "Accept-Language: de",
                                           "Cookie: headgate_uid=" + user};
  const HttpAnswer page = site.Get("/", german);
  EXPECT_EQ(page.status, 503);
  EXPECT_THAT(page.body, HasSubstr(fmt::format("der bei <b>{}&nbsp;%</b> zurückkommt",
                                               agent::OwnPercent(BucketOf(user)))));
  EXPECT_THAT(page.headers, HasSubstr("Cache-Control: no-store"));
  EXPECT_THAT(page.headers, HasSubstr("X-Headgate-Gate: shop"));
  // The cookie that they are given is the one whose place they read.
  HttpAnswer first;
  std::string given;
  std::size_t from = 0;
  // Whose place is in reads that it takes but a moment.
  do {
    first = site.Get("/", {"Accept: text/html", "Sec-Fetch-Mode: navigate"});
    ASSERT_EQ(first.status, 503);
    from = first.headers.find("headgate_uid=") + 13;
    given = first.headers.substr(from, first.headers.find(';', from) - from);
  } while (IsAdmitted(BucketOf(given), Percent("20%")));
  EXPECT_EQ(first.headers.find("headgate_uid=", from), std::string::npos) << first.headers;
  EXPECT_THAT(first.body, HasSubstr(fmt::format("returns at <b>{}&nbsp;%</b>",
                                                agent::OwnPercent(BucketOf(given)))));
  site.KillAgent();
  const HttpAnswer alone = site.Get("/", german);
  EXPECT_EQ(alone.status, 503);
  EXPECT_THAT(alone.body, HasSubstr("is not known yet"));
  EXPECT_THAT(alone.headers, HasSubstr("Retry-After: "));
}

TEST(NginxAuthRequest, ARefusedPersonGetsAPageAndAProgramAProblemAndBothATime) {
  const AskedSite site({.share = Share::None()});
  const HttpAnswer page = site.Get("/", {"Accept: text/html"});
  EXPECT_EQ(page.status, 503);
  EXPECT_THAT(page.headers, HasSubstr("Retry-After: 1"));
  EXPECT_THAT(page.headers, HasSubstr("Cache-Control: no-store"));
  EXPECT_THAT(page.headers, HasSubstr("Content-Type: text/html; charset=utf-8"));
  EXPECT_THAT(page.headers, HasSubstr("Set-Cookie: headgate_uid="));
  EXPECT_THAT(page.body, HasSubstr("not open to everybody yet"));
  EXPECT_THAT(page.body, Not(HasSubstr("$headgate")));
  const HttpAnswer problem = site.Get("/api", {"Accept: application/json"});
  EXPECT_EQ(problem.status, 503);
  EXPECT_THAT(problem.headers, HasSubstr("Content-Type: application/problem+json"));
  EXPECT_THAT(problem.headers, HasSubstr("Retry-After: 1"));
  EXPECT_THAT(problem.headers, Not(HasSubstr("Set-Cookie")));
  EXPECT_THAT(problem.body, HasSubstr("\"retry_after_s\":1"));
  EXPECT_EQ(site.Get("/.headgate/authz/shop").status, 404);
  EXPECT_EQ(site.Get("/.headgate/wait/shop.json").status, 404);
  EXPECT_EQ(site.app.requests(), 1U) << "the bypassed one of the start";
}

TEST(NginxAuthRequest, GivesEachPersonACookieOfTheirOwnOnNavigationsOnly) {
  const AskedSite site({});
  std::set<std::string> given;
  for (int i = 0; i < 20; ++i) {
    const HttpAnswer answer = site.Get("/", {"Accept: text/html"});
    EXPECT_EQ(answer.status, 200);
    const std::size_t at = answer.headers.find("Set-Cookie: headgate_uid=");
    ASSERT_NE(at, std::string::npos) << answer.headers;
    given.insert(answer.headers.substr(at, 61));
  }
  EXPECT_EQ(given.size(), 20U);
  EXPECT_THAT(site.Get("/a.png", {"Sec-Fetch-Mode: no-cors"}).headers,
              Not(HasSubstr("Set-Cookie")));
  EXPECT_THAT(site.Get("/", {"Cookie: headgate_uid=a", "Accept: text/html"}).headers,
              Not(HasSubstr("Set-Cookie")));
}

TEST(NginxAuthRequest, TheApplicationsOwn403And500AreItsOwn) {
  AskedSite site({});
  for (const int status : {403, 500, 503}) {
    site.app.AnswerWith(status);
    const HttpAnswer answer = site.Get("/", {"Cookie: headgate_uid=a"});
    EXPECT_EQ(answer.status, status);
    EXPECT_THAT(answer.body, Not(HasSubstr("not open to everybody yet")));
  }
}

TEST(NginxAuthRequest, AUserCannotForgeAWayAroundTheGate) {
  const AskedSite site({.share = Share::None()});
  for (const char* header :
       {"X-Original-URL: http://shop/healthz", "X-Original-URI: /healthz",
        "X-Forwarded-Uri: /healthz", "X-Headgate-Verdict: in", "X-Accel-Expires: @1",
        "X-Headgate-Probe-Key: a", "Content-Length: 0"}) {
    EXPECT_EQ(site.Get("/", {header}).status, 503) << header;
  }
  for (const char* path :
       {"/healthz/", "/healthz/../a", "/%68ealthz", "/a?/healthz", "//healthz"}) {
    EXPECT_EQ(site.Get(path).status, 503) << path;
  }
}

class WithoutAnAgent : public testing::TestWithParam<bool> {
 protected:
  // Killed, or stopped as if it hung.
  static void Lose(AskedSite& site) {
    if (GetParam()) {
      site.KillAgent();
    } else {
      site.agent->Signal(SIGSTOP);
    }
  }
  static void Return(AskedSite& site) {
    if (GetParam()) {
      site.StartAgent();
    } else {
      site.agent->Signal(SIGCONT);
    }
  }
};
INSTANTIATE_TEST_SUITE_P(KilledAndHung, WithoutAnAgent, testing::Bool(),
                         [](const auto& parameter) { return parameter.param ? "Killed" : "Hung"; });

TEST_P(WithoutAnAgent, WhoWasAdmittedStaysAndNobodyNewComesIn) {
  AskedSite site({.share = Percent("50%")});
  const std::string in = UserOf("50%", true);
  const std::string unseen = UserOf("50%", true, 1000);
  const std::string out = UserOf("50%", false);
  ASSERT_EQ(site.StatusFor(in), 200);
  ASSERT_EQ(site.StatusFor(out), 503);
  Lose(site);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(site.StatusFor(in), 200) << site.Log();
    EXPECT_EQ(site.StatusFor(out), 503);
    EXPECT_EQ(site.StatusFor(unseen), 503);
    EXPECT_EQ(site.Get("/").status, 503);
    EXPECT_EQ(site.Get("/healthz").status, 200);
  }
  const HttpAnswer page = site.Get("/", {"Accept: text/html"});
  EXPECT_THAT(page.headers, HasSubstr("Retry-After: 10"));
  EXPECT_THAT(page.body, HasSubstr("not open to everybody yet"));
  Return(site);
  EXPECT_TRUE(Eventually([&] { return site.StatusFor(unseen) == 200; }));
  EXPECT_EQ(site.StatusFor(out), 503);
  EXPECT_EQ(site.StatusFor(in), 200);
}

TEST_P(WithoutAnAgent, WhoWasTakenOutByALoweringDoesNotComeBack) {
  AskedSite site({.share = Percent("50%")});
  const std::string inside = UserOf("5%", true);
  std::string taken_out = UserOf("50%", true);
  for (int i = 0; IsAdmitted(BucketOf(taken_out), Percent("5%")); ++i) {
    taken_out = UserOf("50%", true, i);
  }
  ASSERT_EQ(site.StatusFor(taken_out), 200);
  ASSERT_EQ(site.StatusFor(inside), 200);
  // The user does not ask between the lowering and the loss: nginx knows of the admission only.
  site.Override("5%");
  ASSERT_TRUE(Eventually([&] { return KeptAnswers(site) == 1; }));
  Lose(site);
  EXPECT_EQ(site.StatusFor(taken_out), 503);
  EXPECT_EQ(site.StatusFor(inside), 200);
}

TEST_P(WithoutAnAgent, WhereEverybodyWasAdmittedEverybodyIsAndNobodyGetsAnothersCookie) {
  AskedSite site({});
  const HttpAnswer given = site.Get("/", {"Accept: text/html"});
  ASSERT_THAT(given.headers, HasSubstr("Set-Cookie: headgate_uid="));
  Lose(site);
  EXPECT_EQ(site.StatusFor("never-seen-before"), 200);
  const HttpAnswer kept = site.Get("/", {"Accept: text/html"});
  EXPECT_EQ(kept.status, 200);
  EXPECT_THAT(kept.headers, Not(HasSubstr("Set-Cookie")));
  Return(site);
  site.Override("99%");
  ASSERT_TRUE(Eventually([&] { return std::filesystem::is_empty(site.remembered()); }));
  Lose(site);
  EXPECT_EQ(site.StatusFor("never-seen-either"), 503);
  EXPECT_EQ(site.Get("/").status, 503);
}

// The inode of what nginx keeps, 0 if that is nothing: another one when it was written again.
std::uint64_t KeptFile(const AskedSite& site) {
  for (const auto& entry : std::filesystem::directory_iterator(site.remembered())) {
    struct stat found {};
    if (stat(entry.path().c_str(), &found) == 0) return found.st_ino;
  }
  return 0;
}

TEST(NginxAuthRequest, AnAdmissionIsWrittenOnceAndARefusalOnlyInThePlaceOfOne) {
  AskedSite site({.share = Percent("50%")});
  const std::string in = UserOf("50%", true);
  const std::string out = UserOf("50%", false);
  EXPECT_EQ(site.StatusFor(out), 503);
  EXPECT_EQ(KeptFile(site), 0U);
  EXPECT_EQ(site.StatusFor(in), 200);
  const std::uint64_t written = KeptFile(site);
  EXPECT_NE(written, 0U);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(site.StatusFor(in), 200);
  EXPECT_EQ(KeptFile(site), written);
  // Whoever is admitted only later is kept from then on.
  site.Override("100%");
  EXPECT_EQ(site.StatusFor(out), 200);
  site.KillAgent();
  EXPECT_EQ(site.StatusFor(out), 200);
}

TEST(NginxAuthRequest, AKeptAdmissionThatCameTooLateToBeRemovedIsWrittenOver) {
  AskedSite site({.share = Percent("50%")});
  const std::string out = UserOf("50%", false);
  const auto aside = site.folder / "aside";
  site.Override("100%");
  ASSERT_EQ(site.StatusFor(out), 200);
  std::filesystem::copy(site.remembered(), aside, std::filesystem::copy_options::recursive);
  site.Override("50%");
  ASSERT_TRUE(Eventually([&] { return std::filesystem::is_empty(site.remembered()); }));
  // As if nginx had written it only now.
  std::filesystem::copy(aside, site.remembered(), std::filesystem::copy_options::recursive);
  EXPECT_EQ(site.StatusFor(out), 503);
  site.KillAgent();
  EXPECT_EQ(site.StatusFor(out), 503);
}

// nginx takes the first cookie of the name, whatever its case, and the agent the last.
TEST(NginxAuthRequest, AnAdmissionOfOneUserIsNobodyElsesWithoutAnAgent) {
  AskedSite site({.share = Percent("50%")});
  const std::string in = UserOf("50%", true);
  const std::string out = UserOf("50%", false);
  for (const std::string& cookies :
       {"headgate_uid=; headgate_uid=" + in, "HEADGATE_UID=; headgate_uid=" + in,
        "headgate_uid=" + out + "; headgate_uid=" + in, "headgate_uid=zzz; headgate_uid=" + in}) {
    EXPECT_EQ(site.Get("/", {"Cookie: " + cookies}).status, 200) << cookies;
  }
  EXPECT_EQ(KeptAnswers(site), 0);
  site.KillAgent();
  EXPECT_EQ(site.Get("/").status, 503);
  EXPECT_EQ(site.StatusFor(out), 503);
  EXPECT_EQ(site.StatusFor("zzz"), 503);
}

TEST(NginxAuthRequest, ABypassedRequestOfARefusedUserIsNoAdmission) {
  AskedSite site({.share = Share::None()});
  ASSERT_EQ(site.Get("/healthz", {"Cookie: headgate_uid=a"}).status, 200);
  site.KillAgent();
  EXPECT_EQ(site.StatusFor("a"), 503);
}

TEST(NginxAuthRequest, TheWordOnTheBoxClosesWithADeadAgentToo) {
  AskedSite site({});
  ASSERT_EQ(site.StatusFor("a"), 200);
  site.KillAgent();
  ASSERT_EQ(site.StatusFor("a"), 200);
  const Finished lowered = site.Run({"lower", "0%"});
  // Nobody who could be asked confirms it.
  EXPECT_EQ(lowered.exit_code, 11) << lowered.output;
  EXPECT_THAT(lowered.output, HasSubstr("does not answer"));
  EXPECT_EQ(site.StatusFor("a"), 503);
  site.StartAgent();
  EXPECT_EQ(site.StatusFor("a"), 503);
}

TEST(NginxAuthRequest, ALoweringOnTheBoxWithADeadAgentTakesOutOnlyThoseBeyondIt) {
  AskedSite site({});
  const std::string inside = UserOf("5%", true);
  const std::string beyond = UserOf("5%", false);
  ASSERT_EQ(site.StatusFor(inside), 200);
  ASSERT_EQ(site.StatusFor(beyond), 200);
  // Everybody came in, and so does who has no key.
  ASSERT_EQ(site.Get("/").status, 200);
  site.KillAgent();
  EXPECT_EQ(site.Run({"lower", "5%"}).exit_code, 11);
  EXPECT_EQ(KeptAnswers(site), 1);
  EXPECT_EQ(site.StatusFor(inside), 200);
  EXPECT_EQ(site.StatusFor(beyond), 503);
  EXPECT_EQ(site.Get("/").status, 503);
  EXPECT_EQ(site.StatusFor("never-seen"), 503);
}

TEST(NginxAuthRequest, ClosedAdmitsNobodyWithoutAnAgentAndOpenEverybody) {
  AskedSite closed({.on_agent_failure = OnAgentFailure::kClosed});
  ASSERT_EQ(closed.StatusFor("a"), 200);
  closed.KillAgent();
  EXPECT_EQ(closed.StatusFor("a"), 503);
  EXPECT_EQ(closed.Get("/healthz").status, 200);
  AskedSite open({.share = Share::None(), .on_agent_failure = OnAgentFailure::kOpen});
  ASSERT_EQ(open.StatusFor("a"), 503);
  open.KillAgent();
  EXPECT_EQ(open.StatusFor("a"), 200);
}

TEST(NginxAuthRequest, ARestartOfTheAgentIsNotNoticedAndNeverRaises) {
  AskedSite site({.share = Percent("50%")});
  const std::string in = UserOf("50%", true);
  const std::string out = UserOf("50%", false);
  ASSERT_EQ(site.StatusFor(in), 200);
  for (int i = 0; i < 2; ++i) {
    site.KillAgent();
    EXPECT_EQ(site.StatusFor(in), 200);
    site.StartAgent();
    for (int j = 0; j < 10; ++j) {
      EXPECT_EQ(site.StatusFor(in), 200);
      EXPECT_EQ(site.StatusFor(out), 503);
    }
  }
}

TEST(NginxAuthRequest, CountsAnswersOfWhoWasAdmittedAlsoAfterTheAgentWasGone) {
  AskedSite site({.with_access_log = true});
  const auto admitted = [&] { return site.Metric("headgate_local_admitted_total"); };
  ASSERT_EQ(site.StatusFor("a"), 200);
  ASSERT_TRUE(Eventually([&] { return admitted() >= 1; })) << site.Log();
  const double before = admitted();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(site.StatusFor("a"), 200);
  site.app.AnswerWith(500);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(site.StatusFor("a"), 500);
  site.app.AnswerWith(200);
  site.app.DelayBy(600);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(site.StatusFor("a"), 200);
  site.app.DelayBy(0);
  const auto slow = [&] { return site.Metric("headgate_local_slow_answers_total"); };
  // nginx tells of an answer after it has given it: the last slow one is the last that is counted.
  EXPECT_TRUE(Eventually([&] { return slow() == 2; })) << slow();
  EXPECT_EQ(admitted(), before + 9);
  EXPECT_EQ(site.Metric("headgate_local_http_5xx_total"), 3);
  site.KillAgent();
  EXPECT_EQ(site.StatusFor("a"), 200);
  site.StartAgent();
  // The first answers may be lost, as datagrams are; then nginx has found the agent again.
  EXPECT_TRUE(Eventually([&] {
    EXPECT_EQ(site.StatusFor("a"), 200);
    return admitted() >= 3;
  }));
}

TEST(NginxAuthRequest, CheckSaysThatAllIsWellOrThatTheAgentDoesNotRun) {
  AskedSite site({});
  // There is no controller here: of that alone is there a word.
  EXPECT_THAT(site.Run({"check"}).output, Not(HasSubstr("shop:")));
  site.KillAgent();
  EXPECT_THAT(site.Run({"check"}).output, HasSubstr("is `headgate-agent run` running?"));
}

}  // namespace
}  // namespace headgate::test
