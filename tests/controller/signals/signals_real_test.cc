// Against a real Prometheus, which scrapes an exporter of tests/support/lab every second, and real
// databases.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>

#include "controller/signals/prometheus_poll.h"
#include "controller/signals/signals.h"
#include "tests/controller/database/lab.h"
#include "tests/controller/database/maria_lab.h"
#include "tests/controller/signals/inbox.h"

namespace headgate::signals {
namespace {

using ::headgate::testing::DatabaseLab;
using ::headgate::testing::LabProgram;
using ::headgate::testing::WaitUntil;
using ::testing::HasSubstr;

class RealPrometheusTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { lab_ = std::make_unique<LabProgram>("prometheus.py"); }
  static void TearDownTestSuite() { lab_.reset(); }

  Reading PollValue(const std::string& query, const std::string& sampled_by = "") {
    const PrometheusValueQuery spec{.url = lab_->Told("/url"),
                                    .query = query,
                                    .every = Duration(1'000),
                                    .sampled_by = sampled_by};
    return Poll("shop/value", spec, clock_.Now(), fetcher_, clock_);
  }

  // What it says once it says anything of that kind.
  std::string WaitForWhy(const std::string& query, const std::string& part,
                         const std::string& sampled_by = "") {
    std::string why;
    WaitUntil(
        [&] {
          why = WhyNot(PollValue(query, sampled_by));
          return why.find(part) != std::string::npos;
        },
        Duration(15'000));
    return why;
  }

  bool WaitForValue(const std::string& query, double value) {
    return WaitUntil(
        [&] {
          const Reading reading = PollValue(query);
          const auto* got = std::get_if<ValueReading>(&reading.value);
          return got != nullptr && got->value == value;
        },
        Duration(15'000));
  }

  static std::unique_ptr<LabProgram> lab_;
  HttpFetcher fetcher_;
  SteadyClock clock_;
};

std::unique_ptr<LabProgram> RealPrometheusTest::lab_;

TEST_F(RealPrometheusTest, GivesAValueNaNNothingAndSeveralSeriesForWhatTheyAre) {
  lab_->Do("set pool_busy 7");
  lab_->Do("set none_total 0");
  lab_->Do("set many{x=\"1\"} 1");
  lab_->Do("set many{x=\"2\"} 1");
  EXPECT_TRUE(WaitForValue("pool_busy", 7));
  EXPECT_TRUE(WaitForValue("sum(many)", 2));
  EXPECT_THAT(WhyNot(PollValue("none_total / none_total")), HasSubstr("NaN"));
  EXPECT_THAT(WhyNot(PollValue("pool_busy / 0")), HasSubstr("+Inf"));
  EXPECT_THAT(WhyNot(PollValue("no_such_series")), HasSubstr("empty answer to no_such_series"));
  EXPECT_THAT(WhyNot(PollValue("many")), HasSubstr("2 series where one was expected"));
  EXPECT_THAT(WhyNot(PollValue("many[5m]")), HasSubstr("gives a matrix"));
  EXPECT_THAT(WhyNot(PollValue("sum(")), HasSubstr("400 Bad Request: "));
}

TEST_F(RealPrometheusTest, CountsGrowingCountersInDisjointWindows) {
  const PrometheusRatioQuery query{.url = lab_->Told("/url"),
                                   .bad = "sum(increase(failed_total[4s]))",
                                   .total = "sum(increase(all_total[4s]))",
                                   .every = Duration(4'000),
                                   .bad_absent_is_zero = true,
                                   .sampled_by = "all_total"};
  Inbox inbox;
  Signals signals([&](Reading reading) { inbox.Put(std::move(reading)); }, clock_);
  signals.Follow({{"shop/payments", query}});
  lab_->Do("grow all_total 500");
  // The counter of failures does not exist yet. Windows that saw its total from one end to the
  // other:
  const auto is_full = [](const Reading& reading) {
    const auto* ratio = std::get_if<RatioReading>(&reading.value);
    return ratio != nullptr && ratio->total > 1'600;
  };
  const auto healthy = inbox.WaitFor(is_full, Duration(15'000));
  ASSERT_TRUE(healthy.has_value());
  EXPECT_EQ(std::get<RatioReading>(healthy->value).bad, 0U);
  EXPECT_LE(std::get<RatioReading>(healthy->value).total, 2'400U);
  lab_->Do("grow failed_total 50");
  const auto failing = inbox.WaitFor(
      [](const Reading& reading) {
        const auto* ratio = std::get_if<RatioReading>(&reading.value);
        return ratio != nullptr && ratio->bad > 160;
      },
      Duration(15'000));
  ASSERT_TRUE(failing.has_value());
  EXPECT_LE(std::get<RatioReading>(failing->value).bad, 240U);
  EXPECT_GE(failing->observed_at - healthy->observed_at, Duration(2'500));
  EXPECT_LE(clock_.Now() - failing->observed_at, 2 * query.every);
}

TEST_F(RealPrometheusTest, ASampleThatNoLongerMovesBecomesStale) {
  lab_->Do("stamp frozen 5 0");
  ASSERT_TRUE(WaitForValue("frozen", 5));
  // Prometheus itself goes on answering 5 for five minutes.
  EXPECT_THAT(WaitForWhy("frozen", "newest sample is", "frozen"), HasSubstr("over 2s"));
  EXPECT_EQ(WhyNot(PollValue("frozen")), "");
}

TEST_F(RealPrometheusTest, AnExporterThatIsGoneGivesNothing) {
  lab_->Do("set lonely 1");
  ASSERT_TRUE(WaitForValue("lonely", 1));
  lab_->Do("stop exporter");
  EXPECT_THAT(WaitForWhy("lonely", "empty"), HasSubstr("empty answer to lonely"));
  EXPECT_THAT(WaitForWhy("vector(1)", "sampled_by", "lonely"), HasSubstr("empty answer"));
  lab_->Do("start exporter");
}

TEST_F(RealPrometheusTest, APrometheusThatHangsOrIsGoneIsSaidSo) {
  // It has scraped: what it does not say from here on is due to the pause.
  ASSERT_TRUE(WaitForValue("up", 1));
  lab_->Do("pause prometheus");
  EXPECT_THAT(WhyNot(PollValue("up")), HasSubstr("no answer within"));
  lab_->Do("resume prometheus");
  lab_->Do("stop prometheus");
  EXPECT_THAT(WhyNot(PollValue("up")), HasSubstr("nobody answers there"));
  lab_->Do("start prometheus");
}

TEST(RealDatabaseSignal, TellsOfDriftSoonAfterARefreshAndOfItsRepair) {
  const DatabaseLab lab;
  const SteadyClock clock;
  Inbox inbox;
  Signals signals([&](Reading reading) { inbox.Put(std::move(reading)); }, clock);
  database::Inventory inventory;
  inventory.primary_dsn = lab.Dsn("db1");
  inventory.replicas = {{.name = "db2", .dsn = lab.Dsn("db2")},
                        {.name = "db3",
                         .dsn = lab.Dsn("db3"),
                         .kind = database::ReplicaKind::kLogical,
                         .out = false}};
  signals.Follow({{"shop/database/orders", DatabaseWatch{inventory}}});
  const auto is_healthy = [](const Reading& reading) {
    return std::get<DatabaseReading>(reading.value).report.findings.empty();
  };
  const auto drains = [](const Reading& reading) {
    const auto& findings = std::get<DatabaseReading>(reading.value).report.findings;
    return std::any_of(findings.begin(), findings.end(),
                       [](const database::Finding& finding) { return finding.drains; });
  };
  ASSERT_TRUE(inbox.WaitFor(is_healthy, Duration(10'000)));
  lab.Sql("db3", "ALTER TABLE orders ALTER total TYPE integer");
  std::size_t seen = inbox.Count();
  signals.Refresh("shop/database/orders");
  const auto drifted = inbox.WaitFor(drains, Duration(10'000), seen);
  ASSERT_TRUE(drifted.has_value());
  EXPECT_THAT(std::get<DatabaseReading>(drifted->value).report.findings[0].text,
              HasSubstr("replica db3: table public.orders: column total is integer not null here, "
                        "numeric(10,2) not null on the primary"));
  lab.Sql("db3", "ALTER TABLE orders ALTER total TYPE numeric(10,2)");
  seen = inbox.Count();
  signals.Refresh("shop/database/orders");
  EXPECT_TRUE(inbox.WaitFor(is_healthy, Duration(10'000), seen));
}

TEST(RealDatabaseSignal, TellsWhichRowDiffersAndDrainsAndNoServerThatHangsDelaysTheLook) {
  DatabaseLab lab;
  const SteadyClock clock;
  Inbox inbox;
  auto signals =
      std::make_unique<Signals>([&](Reading reading) { inbox.Put(std::move(reading)); }, clock);
  database::Inventory inventory;
  inventory.primary_dsn = lab.Dsn("db1");
  inventory.replicas = {{.name = "db2", .dsn = lab.Dsn("db2")},
                        {.name = "db3",
                         .dsn = lab.Dsn("db3"),
                         .kind = database::ReplicaKind::kLogical,
                         .out = false}};
  signals->Follow({{"shop/database/orders", DatabaseWatch{.inventory = inventory,
                                                          .data = database::RollingOptions{
                                                              .cpu_share_percent = 100,
                                                              .every = Duration(100),
                                                              .patience = Duration(300'000)}}}});
  const auto reports = [](const std::function<bool(const database::Report&)>& fits) {
    return [fits](const Reading& reading) {
      return fits(std::get<DatabaseReading>(reading.value).report);
    };
  };
  const auto has = [](const database::Report& report, const std::string& kind) {
    return std::any_of(report.findings.begin(), report.findings.end(),
                       [&](const database::Finding& finding) { return finding.kind == kind; });
  };
  const auto sound = inbox.WaitFor(
      reports([](const auto& report) { return report.pending.empty() && report.findings.empty(); }),
      Duration(30'000));
  ASSERT_TRUE(sound.has_value());
  EXPECT_TRUE(std::get<DatabaseReading>(sound->value).report.data->whole_at.has_value());

  lab.Sql("db3", "UPDATE orders SET quantity = quantity + 1 WHERE id = 4711");
  const auto drained = inbox.WaitFor(
      reports([&](const auto& report) { return has(report, "data"); }), Duration(30'000));
  ASSERT_TRUE(drained.has_value());
  const database::Finding row = std::get<DatabaseReading>(drained->value).report.findings[0];
  EXPECT_TRUE(row.drains);
  EXPECT_THAT(row.text, HasSubstr("replica db3: table public.orders: row (id = 4711) differs from "
                                  "the primary's in quantity"));

  // Comparing waits for its answer for ten seconds, looks come each second.
  lab.Do("pause db3");
  const auto hangs = reports([&](const auto& report) { return has(report, "timeout"); });
  const std::size_t before = inbox.Count();
  std::size_t seen = before;
  for (int looks = 0; looks < 3; ++looks) {
    ASSERT_TRUE(inbox.WaitFor(hangs, Duration(30'000), seen)) << looks;
    seen = inbox.Count();
  }
  // And so does the end: it would not come before the answer.
  const TimePoint began = clock.Now();
  signals.reset();
  EXPECT_LT(clock.Now() - began, Duration(5'000));
  lab.Do("resume db3");
}

TEST(RealDatabaseSignal, FollowsMariadbToo) {
  headgate::testing::MariaLab lab;
  const SteadyClock clock;
  Inbox inbox;
  Signals signals([&](Reading reading) { inbox.Put(std::move(reading)); }, clock);
  database::Inventory inventory;
  inventory.engine = database::Engine::kMariadb;
  inventory.primary_dsn = lab.Dsn(lab.db1());
  inventory.replicas = {{.name = "db2", .dsn = lab.Dsn(lab.db2())}};
  const auto follow = [&] {
    signals.Follow({{"shop/database/orders", DatabaseWatch{.inventory = inventory,
                                                           .data = database::RollingOptions{
                                                               .cpu_share_percent = 100,
                                                               .every = Duration(100),
                                                               .patience = Duration(300'000)}}}});
  };
  // The first finding of the first reading that has one of this kind; "": one that has none at all
  // and waits for nothing.
  const auto await = [&](const std::string& kind, std::size_t seen) {
    database::Finding found;
    const auto fits = [&](const Reading& reading) {
      const database::Report& report = std::get<DatabaseReading>(reading.value).report;
      if (kind.empty()) return report.findings.empty() && report.pending.empty();
      const auto of_kind = std::find_if(report.findings.begin(), report.findings.end(),
                                        [&](const auto& finding) { return finding.kind == kind; });
      if (of_kind == report.findings.end()) return false;
      found = *of_kind;
      return true;
    };
    EXPECT_TRUE(inbox.WaitFor(fits, Duration(20'000), seen).has_value()) << kind;
    return found;
  };
  follow();
  // The shop has a table without a key: nobody can tell whether its rows are the same.
  const database::Finding keyless = await("data", 0);
  EXPECT_EQ(keyless.severity, database::Severity::kUnknown);
  EXPECT_THAT(keyless.text, HasSubstr("to go on without it: allow: [shop.visits]"));
  inventory.allow = {"shop.visits"};
  std::size_t seen = inbox.Count();
  follow();
  await("", seen);

  seen = inbox.Count();
  lab.db2().Sql("SET sql_log_bin = 0; UPDATE shop.orders SET total = 11 WHERE id = 1");
  const database::Finding row = await("data", seen);
  EXPECT_TRUE(row.drains);
  EXPECT_THAT(row.text, HasSubstr("replica db2: table shop.orders: row (id = 1) differs from the "
                                  "primary's in total"));
  lab.db2().Sql("SET sql_log_bin = 0; UPDATE shop.orders SET total = 10 WHERE id = 1");
  seen = inbox.Count();
  await("", seen);

  lab.db2().Sql("SET sql_log_bin = 0; ALTER TABLE shop.customers DROP middle_name");
  seen = inbox.Count();
  signals.Refresh("shop/database/orders");
  const database::Finding column = await("schema", seen);
  EXPECT_TRUE(column.drains);
  EXPECT_THAT(column.text,
              HasSubstr("replica db2: table shop.customers: column middle_name is missing here"));
}

}  // namespace
}  // namespace headgate::signals
