// Lines of an access log as datagrams: what is counted, and that nothing else does harm.
#include "agents/endpoint/access_log.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace headgate::endpoint {
namespace {

std::string Line(const std::string& message) { return "<190>Nov 26 04:47:27 headgate: " + message; }

TEST(AccessLog, CountsStatusAndTimeOfWhoWasAdmitted) {
  AnswerCounts counts({100, 500});
  counts.Take("shop", Line("shop in 200 0.003 0.002"));
  counts.Take("shop", Line("shop in 500 0.100 0.099"));
  counts.Take("shop", Line("shop in 200 1.250 1.249"));
  counts.Take("shop", Line("shop in 502 0.001 -"));
  counts.Take("shop", Line("shop in 504 2.000 0.002, -"));
  counts.Take("shop", Line("shop in 502 0.001 0.001"));
  counts.Take("shop", Line("shop bypass 503 9.000 9.000"));
  const AnswerCounts::Values values = counts.values();
  EXPECT_EQ(values.answered, 7U);
  EXPECT_EQ(values.http_5xx, 5U);
  EXPECT_EQ(values.connection_errors, 2U);
  EXPECT_EQ(values.bypassed, 1U);
  EXPECT_EQ(values.bypassed_5xx, 1U);
  EXPECT_EQ(values.slow.at(100), 3U);
  EXPECT_EQ(values.slow.at(500), 2U);
  EXPECT_EQ(values.garbled, 0U);
}

TEST(AccessLog, TakesNothingElse) {
  AnswerCounts counts({100});
  const std::string lines[] = {"",
                               "headgate:",
                               Line(""),
                               Line("bank in 200 0.003 0.002"),
                               Line("shop out 200 0.003 0.002"),
                               Line("shop in 99 0.003 0.002"),
                               Line("shop in 600 0.003 0.002"),
                               Line("shop in -1 0.003 0.002"),
                               Line("shop in 2e2 0.003 0.002"),
                               Line("shop in 200"),
                               Line("shop in 200 3"),
                               Line("shop in 200 0.3"),
                               Line("shop in 200 -0.003 -"),
                               Line("shop in 200 nan.000 -"),
                               Line("shop in 200 99999999999.000 -"),
                               Line("shop in 200 86400.000 -"),
                               Line("shop in 200 0.003 " + std::string(kDatagramBytesMax, 'x'))};
  for (const std::string& line : lines) counts.Take("shop", line);
  EXPECT_EQ(counts.values().answered, 0U);
  EXPECT_EQ(counts.values().garbled, std::size(lines));
}

TEST(AccessLog, GarbledDatagramsDoNoHarm) {
  const std::random_device::result_type seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  AnswerCounts counts({100});
  const std::string good = Line("shop in 503 0.250 -");
  for (int i = 0; i < 20'000; ++i) {
    std::string line = good;
    for (int j = 0; j < 3; ++j) line[random() % line.size()] = static_cast<char>(random());
    line.resize(random() % (line.size() + 1));
    counts.Take("shop", line);
  }
  const AnswerCounts::Values values = counts.values();
  EXPECT_EQ(values.answered + values.garbled, 20'000U);
  EXPECT_LE(values.http_5xx, values.answered);
  EXPECT_LE(values.slow.at(100), values.answered);
}

}  // namespace
}  // namespace headgate::endpoint
