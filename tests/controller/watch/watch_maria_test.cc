// The watch of a real MariaDB pair: the same as of PostgreSQL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "controller/watch/watch.h"
#include "tests/controller/database/lab.h"
#include "tests/controller/database/maria_lab.h"

namespace headgate::watch {
namespace {

using ::headgate::testing::MariaLab;
using ::headgate::testing::WaitUntil;
using ::testing::HasSubstr;

TEST(WatchOfMariadb, KnowsOfDriftAndOfAStoppedReplicaAndClaimsNothingOfTheLoad) {
  MariaLab lab;
  ASSERT_TRUE(lab.Catches());
  signals::DatabaseWatch shop{.inventory = {.name = "shop"},
                              .look_every = Duration(200),
                              .fingerprint_every = Duration(1'000)};
  shop.inventory.engine = database::Engine::kMariadb;
  shop.inventory.primary_dsn = lab.Dsn(lab.db1());
  shop.inventory.replicas = {{.name = "db2", .dsn = lab.Dsn(lab.db2())}};
  const SteadyClock clock;
  Log log(clock, {.format = LogFormat::kJson, .fd = STDERR_FILENO});
  prometheus::Registry registry;
  const Watch watch({.databases = {shop}, .history_file = ""}, clock, log, registry);
  const auto known = [&] { return watch.Show("shop").databases.at(0).known; };
  const auto becomes = [&](Check check, Verdict verdict) {
    return WaitUntil(
        [&] {
          const auto checks = known().checks;
          const auto found = checks.find(check);
          return found != checks.end() && found->second.standing.verdict == verdict;
        },
        Duration(30'000));
  };
  for (const Check check : kChecks) EXPECT_TRUE(becomes(check, Verdict::kHealthy)) << NameOf(check);
  EXPECT_TRUE(known().last_success.has_value());
  lab.db2().Sql("SET sql_log_bin = 0; ALTER TABLE shop.orders ADD gift TEXT");
  EXPECT_TRUE(becomes(Check::kSchema, Verdict::kFailed));
  EXPECT_THAT(known().checks.at(Check::kSchema).standing.why, HasSubstr("column gift is text"));
  EXPECT_EQ(known().checks.at(Check::kReplication).standing.verdict, Verdict::kHealthy);
  lab.db2().Sql("STOP SLAVE SQL_THREAD");
  EXPECT_TRUE(becomes(Check::kReplication, Verdict::kFailed));
}

}  // namespace
}  // namespace headgate::watch
