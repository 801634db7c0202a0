#include "controller/declared/inventory_of.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "controller/plan/plan.h"
#include "tests/support/places.h"
#include "tests/support/temp_folder.h"

namespace headgate::declared {
namespace {

engine::DatabaseSpec EveryKey() {
  const std::string bytes = test::ReadFile(InSources("tests/plans/good/every-key.yaml"));
  const auto plan = plan::LoadPlan(bytes, "every-key.yaml");
  EXPECT_TRUE(plan.ok()) << plan.status();
  return plan.ok() ? plan->spec().databases.at("orders") : engine::DatabaseSpec();
}

// One translation for the gate, the watch and dbcheck: none of them goes by the defaults.
TEST(DeclaredDatabase, KeepsTheBoundsOfThePlan) {
  const database::Inventory inventory = InventoryOf("orders", EveryKey());
  EXPECT_EQ(inventory.name, "orders");
  EXPECT_EQ(inventory.bounds.bytes_behind, (database::SoftHard{32ULL << 20U, 1024ULL << 20U}));
  EXPECT_EQ(inventory.bounds.connections_ppm, (database::SoftHard{700'000, 905'000}));
  EXPECT_EQ(inventory.bounds.rollbacks_ppm, (database::SoftHard{50'000, 200'000}));
  EXPECT_EQ(inventory.bounds.rollbacks_sample, 1'000U);
  EXPECT_EQ(inventory.bounds.deadlocks_per_minute, 0U);
  EXPECT_EQ(inventory.bounds.longest_transaction, Duration(300'000));
  EXPECT_EQ(inventory.bounds.lock_wait, Duration(1'000));
  EXPECT_EQ(inventory.bounds.cache_hits_ppm, 950'000U);
  EXPECT_EQ(inventory.lag_soft, Duration(500));
  EXPECT_EQ(inventory.lag_hard, Duration(3'000));
  EXPECT_EQ(inventory.schemas, (std::vector<std::string>{"public", "stock"}));
  EXPECT_EQ(inventory.allow, (std::vector<std::string>{"audit.*", "public.orders.note"}));
  ASSERT_EQ(inventory.replicas.size(), 1U);
  EXPECT_EQ(inventory.replicas[0].kind, database::ReplicaKind::kLogical);
}

TEST(DeclaredDatabase, SaysHowRowsAreCompared) {
  engine::DataSpec data = EveryKey().data;
  const auto rolling = RollingOf(data);
  ASSERT_TRUE(rolling.has_value());
  EXPECT_EQ(rolling->cpu_share_percent, 50U);
  EXPECT_EQ(rolling->tables, (std::vector<std::string>{"public.orders", "stock.items"}));
  EXPECT_EQ(rolling->every, Duration(600'000));
  EXPECT_EQ(rolling->patience, Duration(0));
  data.preflight.reset();
  EXPECT_FALSE(RollingOf(data)->patience.has_value());
  data.is_compared = false;
  EXPECT_FALSE(RollingOf(data).has_value());
}

}  // namespace
}  // namespace headgate::declared
