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

}  // namespace
}  // namespace headgate::conductor
