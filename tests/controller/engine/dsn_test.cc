#include "controller/engine/dsn.h"

#include <gtest/gtest.h>

#include <string>

namespace headgate::engine {
namespace {

TEST(Dsn, TakesBothFormsOfLibpq) {
  for (const char* dsn :
       {"host=db1", "host = db1 user='my user' dbname=shop", "service=orders",
        "host=db1 passfile=/etc/headgate/pgpass", "postgresql://headgate@db1:5432/shop",
        "postgres://db1/shop?sslmode=require", "host='it\\'s' options=a\\ b", "user=''"}) {
    EXPECT_EQ(FindDsnProblem(dsn), std::nullopt) << dsn;
  }
}

TEST(Dsn, RefusesAPasswordWhereverItHidesAndNeverRepeatsIt) {
  for (const char* dsn :
       {"host=db1 password=hunter2", "password = 'hunter2' host=db1", "host='x' password=hunter2",
        "postgresql://bob:hunter2@db1/shop", "postgres://db1/shop?password=hunter2",
        "postgres://db1/shop?a=b&pass%77ord=hunter2", "host=db1 sslpassword=hunter2",
        "postgresql://bob:a@hunter2@db1/shop"}) {
    const auto problem = FindDsnProblem(dsn);
    ASSERT_TRUE(problem.has_value()) << dsn;
    EXPECT_NE(problem->find("passfile"), std::string::npos) << dsn;
    EXPECT_EQ(problem->find("hunter2"), std::string::npos) << dsn;
  }
}

TEST(Dsn, RefusesWhatIsNoConnectionString) {
  for (const char* dsn :
       {"", "   ", "db1", "db1:5432", "=x", "host=db1 shop", "host='db1", "mysql://db1/shop"}) {
    EXPECT_TRUE(FindDsnProblem(dsn).has_value()) << dsn;
  }
  EXPECT_TRUE(FindDsnProblem("host=" + std::string(1100, 'x')).has_value());
}

}  // namespace
}  // namespace headgate::engine
