#include "controller/database/maria_dsn.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/temp_folder.h"

namespace headgate::database {
namespace {

using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::Pair;

TEST(MariaDsn, TakesWhatItDoesNotSayFromItsGroupOfTheOptionFile) {
  const test::TempFolder folder;
  const std::string file = folder / "headgate.cnf";
  test::WriteFile(file,
                  "!includedir /etc/mysql/conf.d/\n"
                  "[mysqld]\nuser = mysql\nport = 1\n"
                  "# a comment\n[client]\n"
                  "user=headgate  # whom we are\n"
                  "password = \"hunt#er\\\"2\\s\"\n"
                  "host = db9\nskip-something\nssl_ca = '/etc/ssl/ca.pem'\n"
                  "; another\n[client-db2]\npassword=other\nsocket=/run/db2.sock\n");
  const auto options = ReadMariaDsn(fmt::format("host=db1 port=3307 option_file={}", file));
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_THAT(*options,
              IsSupersetOf({Pair("host", "db1"), Pair("port", "3307"), Pair("user", "headgate"),
                            Pair("password", "hunt#er\"2 "), Pair("ssl_ca", "/etc/ssl/ca.pem")}));
  const auto of_group = ReadMariaDsn(fmt::format("option_file={} option_group=client-db2", file));
  ASSERT_TRUE(of_group.ok()) << of_group.status();
  EXPECT_THAT(*of_group,
              IsSupersetOf({Pair("socket", "/run/db2.sock"), Pair("password", "other")}));
  EXPECT_FALSE(of_group->contains("user"));
}

TEST(MariaDsn, SaysWhichOptionFileItCannotUse) {
  const test::TempFolder folder;
  const auto absent = ReadMariaDsn("host=db1 option_file=" + (folder / "none.cnf"));
  EXPECT_THAT(std::string(absent.status().message()), HasSubstr("none.cnf cannot be read"));
  test::WriteFile(folder / "large.cnf", std::string(kOptionFileBytesMax + 1, '#'));
  const auto large = ReadMariaDsn("host=db1 option_file=" + (folder / "large.cnf"));
  EXPECT_THAT(std::string(large.status().message()), HasSubstr("larger than 65536 bytes"));
  test::WriteFile(folder / "empty.cnf", "[client]\npassword=hunter2\n");
  const auto nowhere = ReadMariaDsn("option_file=" + (folder / "empty.cnf"));
  EXPECT_THAT(std::string(nowhere.status().message()), HasSubstr("neither a host nor a socket"));
  EXPECT_THAT(std::string(nowhere.status().message()), Not(HasSubstr("hunter2")));
}

TEST(MariaDsn, RefusesAPortThatIsNoneWhereverItStands) {
  const test::TempFolder folder;
  test::WriteFile(folder / "port.cnf", "[client]\nport=mysql\n");
  const auto options = ReadMariaDsn("host=db1 option_file=" + (folder / "port.cnf"));
  EXPECT_THAT(std::string(options.status().message()), HasSubstr("file's port is not a number"));
}

TEST(MariaDsn, IsShownWithoutItsSecrets) {
  EXPECT_EQ(FormatMariaDsnForPeople("host=db1 user=headgate dbname=shop option_file=/etc/h.cnf"),
            "shop at db1:3306 as headgate");
  EXPECT_EQ(FormatMariaDsnForPeople("socket=/run/db.sock"), "at /run/db.sock");
  EXPECT_EQ(FormatMariaDsnForPeople("option_file=/etc/h.cnf"), "of /etc/h.cnf");
  EXPECT_EQ(FormatMariaDsnForPeople("host=db1 password=hunter2"), "(not a connection string)");
}

}  // namespace
}  // namespace headgate::database
