#include "tests/support/shop/shop_config.h"

#include "gtest/gtest.h"

namespace headgate::shop {
namespace {

constexpr char kGood[] =
    "# two replicas\npool 2\nhold_ms 5\nrelease 2\norders host=p\n"
    "replica standby host=a port=1\nreplica logical host=b\n";

TEST(ShopConfig, ReadsEverySettingAndKeepsTheDefaultsOfTheOthers) {
  const auto config = ShopConfig::Parse(kGood);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->pool, 2);
  EXPECT_EQ(config->hold, std::chrono::milliseconds(5));
  EXPECT_EQ(config->release, 2);
  EXPECT_EQ(config->queue_timeout, std::chrono::milliseconds(500));
  EXPECT_EQ(config->orders_dsn, "host=p");
  ASSERT_EQ(config->replicas.size(), 2u);
  EXPECT_EQ(config->replicas[0], (Replica{"standby", "host=a port=1"}));
}

TEST(ShopConfig, RefusesWhatItDoesNotKnowAndWhatIsOutOfBounds) {
  const std::string good = kGood;
  const struct {
    std::string line;
    std::string told;
  } cases[] = {
      {"pool 0", "pool 0: must be a number from 1 to 500"},
      {"pool 501", "pool 501"},
      {"queue 10001", "queue 10001"},
      {"hold_ms 60001", "hold_ms 60001"},
      {"fail_percent 101", "fail_percent 101"},
      {"release 3", "release 3"},
      {"colour red", "unknown setting colour"},
      {"replica alone", "write `replica NAME CONNECTION_STRING`"},
  };
  for (const auto& bad : cases) {
    const auto config = ShopConfig::Parse(good + bad.line + "\n");
    ASSERT_FALSE(config.ok()) << bad.line;
    EXPECT_NE(config.status().message().find(bad.told), std::string::npos) << config.status();
    EXPECT_NE(config.status().message().find("line 8"), std::string::npos) << config.status();
  }
  EXPECT_FALSE(ShopConfig::Parse("orders host=p\n").ok());
  EXPECT_FALSE(ShopConfig::Parse("replica a host=p\n").ok());
  std::string many = kGood;
  for (std::size_t i = 0; i < ShopConfig::kReplicasMax; ++i) many += "replica r host=r\n";
  EXPECT_FALSE(ShopConfig::Parse(many).ok());
}

}  // namespace
}  // namespace headgate::shop
