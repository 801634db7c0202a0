// A real nginx whose agent is gone, and something else listens in its place: what it says is no
// answer of an agent's.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/bucket.h"
#include "tests/agents/endpoint/asked_site.h"
#include "tests/agents/endpoint/stranger.h"

namespace headgate::test {
namespace {

using endpoint::OnAgentFailure;
using testing::HasSubstr;

std::string AnswerWith(int status) {
  return fmt::format("HTTP/1.1 {} Something\r\nContent-Length: 0\r\n\r\n", status);
}

struct Said {
  const char* name;
  std::string words;
};
void PrintTo(const Said& said, std::ostream* out) { *out << said.name; }

class StrangeAnswers : public testing::TestWithParam<Said> {
 protected:
  static std::string UserOf(bool inside) {
    for (int i = 0;; ++i) {
      const std::string user = "user-" + std::to_string(i);
      if (IsAdmitted(BucketOf(user), *Share::Parse("50%")) == inside) return user;
    }
  }
  static void ExpectPage(const HttpAnswer& answer) {
    EXPECT_EQ(answer.status, 503);
    EXPECT_THAT(answer.headers, HasSubstr("Retry-After: 10"));
    EXPECT_THAT(answer.headers, HasSubstr("Cache-Control: no-store"));
    EXPECT_THAT(answer.body, HasSubstr("not open to everybody yet"));
  }
};

TEST_P(StrangeAnswers, AreAsNoAgentWhoIsInStaysAndAllOthersReadThePage) {
  AskedSite site({.share = *Share::Parse("50%")});
  const std::string in = UserOf(true);
  const std::string out = UserOf(false);
  ASSERT_EQ(site.StatusFor(in), 200);
  ASSERT_EQ(site.StatusFor(out), 503);
  site.KillAgent();
  const Stranger stranger(site.socket(), GetParam().words);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(site.StatusFor(in), 200) << site.Log();
    ExpectPage(site.Get("/", {"Cookie: headgate_uid=" + out, "Accept: text/html"}));
    ExpectPage(site.Get("/a?b=%20c", {"Accept: text/html"}));
    EXPECT_EQ(site.Get("/healthz").status, 200);
  }
  EXPECT_THAT(site.Get("/", {"Accept: application/json"}).headers,
              HasSubstr("application/problem+json"));
  EXPECT_GT(stranger.asked(), 0);
  // What is the application's own stays so.
  site.app.AnswerWith(500);
  const std::uint64_t before = site.app.requests();
  const HttpAnswer broken = site.Get("/", {"Cookie: headgate_uid=" + in});
  EXPECT_EQ(broken.status, 500);
  EXPECT_EQ(site.app.requests(), before + 1);
}

TEST_P(StrangeAnswers, AdmitNobodyWhereClosedIsChosen) {
  AskedSite site({.on_agent_failure = OnAgentFailure::kClosed});
  ASSERT_EQ(site.StatusFor("a"), 200);
  site.KillAgent();
  const Stranger stranger(site.socket(), GetParam().words);
  ExpectPage(site.Get("/", {"Cookie: headgate_uid=a", "Accept: text/html"}));
  EXPECT_EQ(site.Get("/healthz").status, 200);
}

INSTANTIATE_TEST_SUITE_P(
    All, StrangeAnswers,
    testing::Values(Said{"Garbage", "garbage\r\n"}, Said{"Binary", "\x01\x02\xff\xfe\n\n"},
                    Said{"Zeros", std::string(500, '\0')},
                    Said{"Endless", std::string(90'000, 'x')},
                    Said{"NoStatus", "HTTP/1.1 none\r\n\r\n"}, Said{"Nothing", ""},
                    Said{"HalfAHeader", "HTTP/1.1 200 OK\r\nX-Head"},
                    Said{"Continue", "HTTP/1.1 100 Continue\r\n\r\n"},
                    Said{"Redirect", AnswerWith(302)}, Said{"Unauthorized", AnswerWith(401)},
                    Said{"NotFound", AnswerWith(404)}, Said{"Error", AnswerWith(500)},
                    Said{"NoSuchStatus", AnswerWith(999)}),
    [](const testing::TestParamInfo<Said>& said) { return said.param.name; });

TEST(NginxAuthRequest, NginxsOwn500StaysOne) {
  const AskedSite site({.more_server = "location = /own { proxy_pass http://$arg_none:99999/; }"});
  EXPECT_EQ(site.Get("/own", {"Cookie: headgate_uid=a"}).status, 500);
}

}  // namespace
}  // namespace headgate::test
