#include "controller/conductor/translate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <variant>

#include "controller/plan/plan.h"
#include "tests/support/places.h"
#include "tests/support/temp_folder.h"

namespace headgate::conductor {
namespace {

TEST(SignalsOfAPlan, WatchADatabaseWithTheProbeOfItsEngine) {
  const std::string bytes = test::ReadFile(InSources("tests/plans/good/mariadb.yaml"));
  const auto plan = plan::LoadPlan(bytes, "mariadb.yaml");
  ASSERT_TRUE(plan.ok()) << plan.status();
  const auto specs = SignalsOf(plan->spec(), "");
  const auto watch = std::find_if(specs.begin(), specs.end(), [](const auto& spec) {
    return spec.name == "shop/database/orders";
  });
  ASSERT_NE(watch, specs.end());
  const auto& inventory = std::get<signals::DatabaseWatch>(watch->source).inventory;
  EXPECT_EQ(inventory.engine, database::Engine::kMariadb);
  EXPECT_EQ(inventory.replicas.size(), 3U);
  EXPECT_TRUE(inventory.replicas[2].out);
}

TEST(SignalsOfAPlan, SayHowRowsAreCompared) {
  const std::string bytes = test::ReadFile(InSources("tests/plans/good/every-key.yaml"));
  const auto plan = plan::LoadPlan(bytes, "every-key.yaml");
  ASSERT_TRUE(plan.ok()) << plan.status();
  engine::DataSpec data = plan->spec().databases.at("orders").data;
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
}  // namespace headgate::conductor
