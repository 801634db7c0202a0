#include "common/metrics/exposition.h"

#include <gtest/gtest.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

namespace headgate {
namespace {

TEST(Exposition, IsTheTextThatPrometheusReads) {
  prometheus::Registry registry;
  prometheus::BuildGauge()
      .Name("headgate_gate_share_ppm")
      .Help("What a gate admits, in parts per million.")
      .Register(registry)
      .Add({{"gate", "shop \"1\""}})
      .Set(50'000);
  EXPECT_EQ(Exposition(registry),
            "# HELP headgate_gate_share_ppm What a gate admits, in parts per million.\n"
            "# TYPE headgate_gate_share_ppm gauge\n"
            "headgate_gate_share_ppm{gate=\"shop \\\"1\\\"\"} 50000\n");
}

}  // namespace
}  // namespace headgate
