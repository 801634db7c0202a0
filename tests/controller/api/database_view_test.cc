#include "controller/api/database_view.h"

#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include "controller/database/probe.h"

namespace headgate::api {
namespace {

using google::protobuf::util::TimeUtil;

TimePoint At(int seconds) { return FromUnixMillis(1'000LL * seconds); }

watch::Watch::View ViewOf(watch::History& history) {
  watch::Watch::View view;
  for (const auto& [name, known] : history.databases()) {
    view.databases.push_back({.name = name, .known = known});
  }
  view.changes.assign(history.changes().begin(), history.changes().end());
  return view;
}

database::Report With(std::vector<database::Finding> findings) {
  return {.findings = std::move(findings), .observed_at = TimePoint()};
}

const database::Finding kLate{.severity = database::Severity::kDegraded,
                              .drains = false,
                              .kind = "lag",
                              .server = "db2",
                              .text = "late"};

TEST(DatabaseView, IsTheWorstOfItsChecksSinceTheFirstOfThem) {
  watch::History history;
  history.Take("orders", With({}), At(10));
  history.Take("orders", With({kLate}), At(20));
  const auto response = ViewDatabases(ViewOf(history), 0);
  ASSERT_EQ(response.databases_size(), 1);
  const v1::WatchedDatabase& orders = response.databases(0);
  EXPECT_EQ(orders.verdict(), v1::DEGRADED);
  EXPECT_EQ(TimeUtil::TimestampToSeconds(orders.since()), 20);
  EXPECT_EQ(orders.checks_size(), 6);
  ASSERT_EQ(orders.findings_size(), 1);
  EXPECT_EQ(orders.findings(0).kind(), "lag");
  EXPECT_EQ(response.changes_size(), 7);
  EXPECT_EQ(response.changes(0).from(), v1::VERDICT_UNSPECIFIED);
  EXPECT_EQ(response.changes(6).to(), v1::DEGRADED);
}

TEST(DatabaseView, IsHealthySinceTheLastOfItsChecksBecameSo) {
  watch::History history;
  history.Take("orders", With({kLate}), At(10));
  history.Take("orders", With({}), At(20));
  const auto response = ViewDatabases(ViewOf(history), 1);
  EXPECT_EQ(response.databases(0).verdict(), v1::HEALTHY);
  EXPECT_EQ(TimeUtil::TimestampToSeconds(response.databases(0).since()), 20);
  ASSERT_EQ(response.changes_size(), 1);
  EXPECT_EQ(response.changes(0).to(), v1::HEALTHY);
}

TEST(DatabaseView, OfOneThatWasOnlyReadFromTheHistoryIsUnknown) {
  watch::History history;
  history.Restore({.at = At(10),
                   .database = "orders",
                   .check = watch::Check::kLag,
                   .from = std::nullopt,
                   .to = watch::Verdict::kHealthy,
                   .why = ""});
  EXPECT_EQ(ViewDatabases(ViewOf(history), 0).databases(0).verdict(), v1::UNKNOWN);
}

TEST(DatabaseView, IsNotHealthyBeforeItsSchemasHaveBeenCompared) {
  watch::History history;
  history.Take("orders",
               With({{.severity = database::Severity::kUnknown,
                      .kind = database::kNotComparedYet,
                      .server = "primary",
                      .text = "the schemas have not been compared yet"}}),
               At(10));
  EXPECT_EQ(ViewDatabases(ViewOf(history), 0).databases(0).verdict(), v1::UNKNOWN);
  history.Take("orders", With({}), At(20));
  EXPECT_EQ(ViewDatabases(ViewOf(history), 0).databases(0).verdict(), v1::HEALTHY);
}

TEST(DatabaseView, SaysWhatToDoWhereNoneIsWatched) {
  EXPECT_EQ(ShowNoDatabases("").status().code(), absl::StatusCode::kFailedPrecondition);
  const absl::Status trouble = absl::FailedPreconditionError("databases.yaml:1:2: no");
  EXPECT_EQ(ShowWatched(nullptr, trouble, "").status(), trouble);
}

TEST(DatabaseView, SaysHowFarTheComparisonOfRowsIsAndWhenAllWasLastCompared) {
  watch::History history;
  database::Report report = With({});
  history.Take("orders", report, At(10));
  EXPECT_FALSE(ViewDatabases(ViewOf(history), 0).databases(0).has_data());
  report.data = database::DataStanding{.table = "public.orders",
                                       .tables_done = 3,
                                       .tables = 40,
                                       .rows_done = 12,
                                       .rows_estimated = 50};
  history.Take("orders", report, At(20));
  EXPECT_FALSE(ViewDatabases(ViewOf(history), 0).databases(0).data().has_last_round());
  // Five seconds before the look, on the clock of looks.
  report.observed_at = At(1'000);
  report.data->whole_at = At(995);
  report.data->whole_took = Duration(2'500);
  report.progress = "all compared 5s ago";
  history.Take("orders", report, At(30));
  const v1::WatchedDatabase orders = ViewDatabases(ViewOf(history), 0).databases(0);
  EXPECT_EQ(orders.data().table(), "public.orders");
  EXPECT_EQ(orders.data().tables_done(), 3U);
  EXPECT_EQ(orders.data().rows_estimated(), 50U);
  EXPECT_EQ(TimeUtil::TimestampToSeconds(orders.data().last_round()), 25);
  EXPECT_EQ(TimeUtil::DurationToMilliseconds(orders.data().last_round_took()), 2'500);
  EXPECT_EQ(orders.notes(0), "data all compared 5s ago");
}

}  // namespace
}  // namespace headgate::api
