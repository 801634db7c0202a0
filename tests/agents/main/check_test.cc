#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/agents/main/site.h"

namespace headgate::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// The site's configuration with one line's value changed.
std::string With(const Site& site, const std::string& key, const std::string& value) {
  std::string text = site.ConfigText("");
  const std::size_t at = text.find(key + ": ");
  EXPECT_NE(at, std::string::npos);
  const std::size_t from = at + key.size() + 2;
  return text.replace(from, text.find('\n', from) - from, value);
}

TEST(Check, IsContentWithItsOwnSnippet) {
  Site site({.start_agent = false});
  const Finished check = site.Run({"check"});
  EXPECT_EQ(check.exit_code, 0) << check.output;
}

TEST(Check, SaysWhatTheAgentThatRunsFindsAndWhoeverChecksDoesNot) {
  Site site;
  site.DirectAndWait(7, 1, "50%");
  ASSERT_TRUE(Eventually([&] { return site.Page("/readyz").status == 200; }));
  const Finished sound = site.Run({"check"});
  EXPECT_EQ(sound.exit_code, 0) << sound.output;
  EXPECT_THAT(sound.standard_output, HasSubstr("All is well"));
  // In the place of the agent's page: one that complains.
  TestApp page;
  page.AnswerWith(503);
  site.WriteConfig(With(site, "metrics", fmt::format("127.0.0.1:{}", page.port())));
  const Finished check = site.Run({"check"});
  EXPECT_EQ(check.exit_code, 0) << check.output;
  EXPECT_THAT(check.standard_output,
              AllOf(HasSubstr("warning: the agent that runs here finds otherwise: "),
                    Not(HasSubstr("All is well"))));
}

TEST(Check, AnAgentThatIsStoppedIsNotWell) {
  Site site;
  site.DirectAndWait(7, 1, "50%");
  site.agent->Signal(SIGSTOP);
  const Finished check = site.Run({"check"});
  EXPECT_EQ(check.exit_code, 3) << check.output;
  EXPECT_THAT(check.standard_output,
              HasSubstr(fmt::format("`kill -CONT {}` lets it go on", site.agent->pid())));
  site.agent->Signal(SIGCONT);
  EXPECT_EQ(site.Run({"check"}).exit_code, 0);
}

TEST(Check, SaysInPlainWordsWhatIsWrong) {
  Site site({.start_agent = false});
  const auto finding = [&](const std::string& key, const std::string& value) {
    site.WriteConfig(With(site, key, value));
    const Finished check = site.Run({"check"});
    EXPECT_EQ(check.exit_code, 3) << check.output;
    return check.standard_output;
  };
  EXPECT_THAT(finding("socket", "/nowhere.sock"),
              AllOf(HasSubstr("does HAProxy run?"), HasSubstr("stats socket /nowhere.sock")));
  EXPECT_THAT(finding("app_backend", "nope"), HasSubstr("no backend 'nope'"));
  EXPECT_THAT(finding("probe_url", site.haproxy.url("/healthz")),
              HasSubstr("something else than the gate's rule"));
  EXPECT_THAT(finding("slow", "[100ms, 500ms]\n      wait_backend: app"),
              HasSubstr("no stick table 'app'"));
  EXPECT_THAT(finding("state_dir", site.folder / "none"), HasSubstr("state_dir"));
  std::filesystem::create_directory(site.folder / "m");
  WriteFile(site.folder / "m/shop.map", "admit_w 5\n");
  EXPECT_THAT(finding("map", site.folder / "m/shop.map"), HasSubstr("write the same path"));
  WriteFile(site.folder / "other.map", "admit_w 5\n");
  EXPECT_THAT(finding("map", site.folder / "other.map"), HasSubstr("has not loaded the map"));
}

TEST(Check, FindsAWrongUserKeyAtEveryShare) {
  for (const char* share : {"0%", "20%", "100%"}) {
    Site site({.share = Percent(share), .start_agent = false});
    site.WriteConfig(With(site, "slow", "[500ms]\n      key: cookie session"));
    const Finished check = site.Run({"check"});
    EXPECT_EQ(check.exit_code, 3) << share;
    EXPECT_THAT(check.standard_output, HasSubstr("another user key than 'cookie session'"))
        << share;
  }
}

TEST(Check, FindsAThresholdThatIsNotCountedBeforeTheFirstSlowAnswer) {
  Site site({.start_agent = false});
  site.WriteConfig(With(site, "slow", "[100ms, 500ms]"));
  const Finished check = site.Run({"check"});
  EXPECT_EQ(check.exit_code, 3);
  EXPECT_THAT(check.standard_output, HasSubstr("does not count answers slower than 100 ms"));
}

TEST(Check, FindsThatNobodyWouldBeRefused) {
  Site site({.start_agent = false});
  LetEverybodyThrough(site.haproxy);
  site.haproxy.Reload();
  const Finished check = site.Run({"check"});
  EXPECT_EQ(check.exit_code, 3);
  EXPECT_THAT(check.standard_output, HasSubstr("nobody would be refused"));
}

TEST(Check, FindsASocketThatMayOnlyLook) {
  Site site({.start_agent = false});
  site.haproxy.Stop();
  std::string config = ReadFile(site.haproxy.config());
  config.replace(config.find("level admin"), 11, "level user ");
  WriteFile(site.haproxy.config(), config);
  site.haproxy.Start();
  EXPECT_THAT(site.Run({"check"}).standard_output, HasSubstr("not of level admin"));
}

}  // namespace
}  // namespace headgate::test
