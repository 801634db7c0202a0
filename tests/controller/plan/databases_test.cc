#include "controller/plan/databases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headgate::plan {
namespace {

std::string ErrorOf(const std::string& text) {
  const auto watched = LoadDatabases(text, "databases.yaml");
  return watched.ok() ? "" : std::string(watched.status().message());
}

constexpr char kOrders[] =
    "databases:\n"
    "  orders:\n"
    "    engine: postgres\n"
    "    primary: host=db1 user=headgate\n"
    "    replicas: [{name: db2, dsn: host=db2, kind: physical}]\n";

TEST(LoadDatabases, TakesTheSectionOfAPlanAndHowOften) {
  const auto watched = LoadDatabases(std::string(kOrders) +
                                         "    bounds: {lock_wait: 3s}\n"
                                         "look_every: 2s\n"
                                         "fingerprint_every: 1m\n",
                                     "databases.yaml");
  ASSERT_TRUE(watched.ok()) << watched.status();
  EXPECT_EQ(watched->look_every, Duration(2'000));
  EXPECT_EQ(watched->fingerprint_every, Duration(60'000));
  const engine::DatabaseSpec& orders = watched->databases.at("orders");
  EXPECT_EQ(orders.primary, "host=db1 user=headgate");
  EXPECT_EQ(orders.replicas.at(0).name, "db2");
  EXPECT_EQ(orders.bounds.lock_wait, Duration(3'000));
}

TEST(LoadDatabases, LooksEveryFiveSecondsAndComparesEveryFiveMinutesByItself) {
  const auto watched = LoadDatabases(kOrders, "databases.yaml");
  ASSERT_TRUE(watched.ok()) << watched.status();
  EXPECT_EQ(watched->look_every, Duration(5'000));
  EXPECT_EQ(watched->fingerprint_every, Duration(300'000));
}

TEST(LoadDatabases, RefusesWithLineAndColumnAsAPlanDoes) {
  EXPECT_EQ(ErrorOf(std::string(kOrders) + "    lag: 5s..1s\n"),
            "databases.yaml:6:10: databases.orders.lag: 5s..1s: the lag that fails must be above "
            "the one that holds, e.g. 1s..5s");
  EXPECT_EQ(ErrorOf(std::string(kOrders) + "look_evry: 5s\n"),
            "databases.yaml:6:1: unknown key 'look_evry'; did you mean 'look_every'?");
  EXPECT_EQ(ErrorOf(std::string(kOrders) + "gate: shop\n"),
            "databases.yaml:6:1: unknown key 'gate': the file takes databases, look_every, "
            "fingerprint_every");
  EXPECT_EQ(ErrorOf(std::string(kOrders) + "look_every: 10ms\n"),
            "databases.yaml:6:13: look_every: 10ms is shorter than 1s: write 1s to 1h");
  EXPECT_EQ(ErrorOf(std::string(kOrders) + "fingerprint_every: 5s\n"),
            "databases.yaml:6:20: fingerprint_every: 5s is shorter than 10s: write 10s to 24h");
  EXPECT_EQ(ErrorOf("- orders\n"),
            "databases.yaml:1:1: a file of this kind is a map that begins with `databases:`, not a "
            "list");
}

TEST(LoadDatabases, RefusesAFileThatDeclaresNone) {
  EXPECT_THAT(ErrorOf("look_every: 5s\n"), testing::HasSubstr("there is no database to watch"));
}

TEST(LoadDatabases, RefusesAPasswordAndTellsNothingOfIt) {
  const std::string error =
      ErrorOf("databases: {orders: {engine: postgres, primary: 'host=db1 password=hunter2'}}\n");
  EXPECT_THAT(error, testing::HasSubstr("password"));
  EXPECT_THAT(error, testing::Not(testing::HasSubstr("hunter2")));
}

}  // namespace
}  // namespace headgate::plan
