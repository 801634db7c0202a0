#include "agents/haproxy/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headgate::haproxy {
namespace {

TEST(Answers, ReadsAProcess) {
  const auto info =
      ParseInfo("Name: HAProxy\nVersion: 2.6.12-1+deb12u4\nPid: 8641\nUptime_sec: 2\nx: 1");
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->pid, 8641U);
  EXPECT_EQ(info->uptime_s, 2U);
  EXPECT_EQ(info->version, "2.6.12");
}

TEST(Answers, RefusesGarbage) {
  EXPECT_FALSE(ParseInfo("").ok());
  EXPECT_FALSE(ParseInfo("Pid: x\nUptime_sec: y").ok());
  EXPECT_FALSE(ParseMapEntry("hello").ok());
  EXPECT_FALSE(ParseMapEntry("found=yes, value=\"12 34\"").ok());
  EXPECT_FALSE(ParseBackend("app", "# pxname\napp,BACKEND").ok());
  EXPECT_FALSE(ParseBackend("app", "").ok());
  EXPECT_FALSE(ParseCounts("t", "\x01\x02").ok());
  EXPECT_FALSE(ParseCounts("t", "# table: t\n0x1: key=1 gpc0=x").ok());
}

TEST(Answers, TellsAMissingEntryFromAMissingMap) {
  const auto missing = ParseMapEntry("type=str, case=sensitive, found=no");
  ASSERT_TRUE(missing.ok());
  EXPECT_FALSE(missing->has_value());
  EXPECT_TRUE(absl::IsNotFound(
      ParseMapEntry("Unknown map identifier. Please use #<id> or <file>.").status()));
}

TEST(Answers, ReadsTheBackendRowByTheNamesOfItsColumns) {
  const auto row = ParseBackend("app",
                                "# pxname,svname,scur,hrsp_5xx,econ,wretr,req_tot,\n"
                                "app,srv,9,9,9,9,9,\n"
                                "app,BACKEND,7,3,1,2,40,\n");
  ASSERT_TRUE(row.ok());
  EXPECT_EQ(row->in_flight, 7U);
  EXPECT_EQ(row->requests, 40U);
  EXPECT_EQ(row->http_5xx, 3U);
  EXPECT_EQ(row->connection_errors, 1U);
  EXPECT_EQ(row->retries, 2U);
  EXPECT_TRUE(absl::IsNotFound(ParseBackend("nope", "No such proxy.").status()));
}

TEST(Answers, ReadsCountsInOrder) {
  const auto counts =
      ParseCounts("t", "# table: t, type: integer\n0x5: key=1 use=0 exp=0 gpc0=1 gpc1=0 gpc2=7");
  ASSERT_TRUE(counts.ok());
  EXPECT_THAT(*counts, testing::ElementsAre(1, 0, 7));
  EXPECT_TRUE(ParseCounts("t", "# table: t, type: integer")->empty());
  EXPECT_TRUE(absl::IsNotFound(ParseCounts("t", "No such table").status()));
}

}  // namespace
}  // namespace headgate::haproxy
