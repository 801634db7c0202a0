#include "controller/api/database_view.h"

#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

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

TEST(DatabaseView, SaysWhatToDoWhereNoneIsWatched) {
  EXPECT_EQ(ShowNoDatabases("").status().code(), absl::StatusCode::kFailedPrecondition);
  const absl::Status trouble = absl::FailedPreconditionError("databases.yaml:1:2: no");
  EXPECT_EQ(ShowWatched(nullptr, trouble, "").status(), trouble);
}

}  // namespace
}  // namespace headgate::api
