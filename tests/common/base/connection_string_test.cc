#include "common/base/connection_string.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace headgate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

TEST(ConnectionString, IsTakenApartWithQuotesAndBackslashes) {
  const auto pairs = SplitConnectionString("host = db1 user='my \\' user' dbname=a\\ b empty=''");
  ASSERT_TRUE(pairs.has_value());
  EXPECT_THAT(*pairs, ElementsAre(Pair("host", "db1"), Pair("user", "my ' user"),
                                  Pair("dbname", "a b"), Pair("empty", "")));
  EXPECT_TRUE(SplitConnectionString("  ")->empty());
}

TEST(ConnectionString, ThatIsNoneIsRefused) {
  for (const char* text : {"db1", "=x", "host=db1 shop", "host='db1", "host='db1\\"}) {
    EXPECT_EQ(SplitConnectionString(text), std::nullopt) << text;
  }
}

TEST(MariaDsn, IsTakenWithAWayToTheServer) {
  for (const char* dsn :
       {"host=db1", "socket=/run/mysqld/mysqld.sock user=headgate dbname=shop",
        "option_file=/etc/headgate/mariadb.cnf option_group=db2",
        "host=db1 port=3307 ssl_ca=/etc/ssl/ca.pem ssl_verify_name=yes tls_version=TLSv1.3"}) {
    EXPECT_EQ(FindMariaDsnProblem(dsn), std::nullopt) << dsn;
  }
}

TEST(MariaDsn, IsRefusedWithWhatToWriteInsteadAndWithoutItsValues) {
  const struct {
    std::string dsn;
    const char* why;
  } refused[] = {{"", "not a connection string"},
                 {"mysql://headgate:hunter2@db1/shop", "not a connection string"},
                 {"host=db1 password=hunter2", "write option_file=/path/to/file"},
                 {"host=db1 passwd=hunter2", "passwd is no keyword"},
                 {"user=hunter2", "there is no server"},
                 {"host=db1 host=hunter2", "host is given twice"},
                 {"host=db1,hunter2", "several servers"},
                 {"host=hunter2 socket=/run/x", "host and socket are two ways"},
                 {"host=db1 port=hunter2", "from 1 to 65535"},
                 {"host=db1 port=65536", "from 1 to 65535"},
                 {"host=db1 ssl_verify_name=hunter2", "neither yes nor no"},
                 {"host=" + std::string(1'100, 'x'), "at most 1024 bytes"}};
  for (const auto& [dsn, why] : refused) {
    const auto problem = FindMariaDsnProblem(dsn);
    ASSERT_TRUE(problem.has_value()) << dsn;
    EXPECT_THAT(*problem, HasSubstr(why));
    EXPECT_THAT(*problem, Not(HasSubstr("hunter2")));
  }
}

}  // namespace
}  // namespace headgate
