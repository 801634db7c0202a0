#include "controller/database/dsn.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "controller/database/resolver.h"

namespace headgate::database {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Dsn, IsShownWithoutItsSecrets) {
  EXPECT_EQ(FormatDsnForPeople("host=db1 port=5433 user=headgate dbname=shop password=hunter2"),
            "shop at db1:5433 as headgate");
  EXPECT_EQ(FormatDsnForPeople("postgresql://headgate:hunter2@db1/shop?sslpassword=hunter3"),
            "shop at db1:5432 as headgate");
  EXPECT_EQ(FormatDsnForPeople("service=orders"), "service orders");
}

TEST(Dsn, ThatCannotBeParsedIsNotRepeated) {
  const auto parsed = ParseDsn("host=db1 password hunter2");
  ASSERT_FALSE(parsed.ok());
  EXPECT_THAT(std::string(parsed.status().message()), Not(HasSubstr("hunter2")));
  EXPECT_EQ(FormatDsnForPeople("host=db1 password hunter2"), "(not a connection string)");
}

TEST(Dsn, MustNameOneServer) {
  const auto parsed = ParseDsn("host=db1,db2 dbname=shop");
  ASSERT_FALSE(parsed.ok());
  EXPECT_THAT(std::string(parsed.status().message()), HasSubstr("db1,db2 names several servers"));
}

TEST(Dsn, TextOfServersIsShownOnOneLineCutAndWithoutSecrets) {
  const DsnOptions options = {{"password", "hunter2"}};
  EXPECT_EQ(ScrubServerText("no\x1b[31m\nhunter2\n", options), "no [31m ***");
  const std::string cut =
      ScrubServerText(fmt::format("{:a>{}}ééé", "", kServerTextMax - 1), options);
  EXPECT_EQ(cut, fmt::format("{:a>{}}…", "", kServerTextMax - 1));
}

TEST(Resolver, LooksUpNamesOnly) {
  EXPECT_TRUE(Resolver::NeedsLookup("db1.example.com"));
  EXPECT_FALSE(Resolver::NeedsLookup("192.0.2.1"));
  EXPECT_FALSE(Resolver::NeedsLookup("fe80::1%eth0"));
  EXPECT_FALSE(Resolver::NeedsLookup("/var/run/postgresql"));
  EXPECT_FALSE(Resolver::NeedsLookup(""));
}

}  // namespace
}  // namespace headgate::database
