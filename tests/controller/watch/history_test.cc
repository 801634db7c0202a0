#include "controller/watch/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headgate::watch {
namespace {

using database::Severity;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TimePoint At(int seconds) { return FromUnixMillis(1'000'000) + std::chrono::seconds(seconds); }

database::Report With(std::vector<database::Finding> findings) {
  return {.findings = std::move(findings), .observed_at = TimePoint(), .lag = Duration(700)};
}

database::Finding Lag(const std::string& text) {
  return {.severity = Severity::kDegraded,
          .drains = false,
          .kind = "lag",
          .server = "db2",
          .text = text};
}

TEST(History, TellsEachChangeOnceAndSinceWhenAVerdictStands) {
  History history;
  EXPECT_THAT(history.Take("orders", With({}), At(0)), SizeIs(kChecks.size()));
  EXPECT_THAT(history.Take("orders", With({}), At(5)), IsEmpty());
  EXPECT_THAT(history.Take("orders", With({Lag("2s")}), At(10)),
              ElementsAre(Change{.at = At(10),
                                 .database = "orders",
                                 .check = Check::kLag,
                                 .from = Verdict::kHealthy,
                                 .to = Verdict::kDegraded,
                                 .why = "2s"}));
  EXPECT_THAT(history.Take("orders", With({Lag("3s")}), At(15)), IsEmpty());
  const Known& known = history.databases().at("orders");
  const CheckHistory& lag = known.checks.at(Check::kLag);
  EXPECT_EQ(lag.first_seen, At(0));
  EXPECT_EQ(lag.since, At(10));
  EXPECT_EQ(lag.standing.why, "3s");
  // The figure has changed; it is the same finding.
  ASSERT_THAT(known.findings, SizeIs(1));
  EXPECT_EQ(known.findings[0].since, At(10));
  EXPECT_EQ(known.findings[0].finding.text, "3s");
  EXPECT_EQ(known.lag, Duration(700));
  EXPECT_EQ(known.last_look, At(15));
  EXPECT_EQ(known.last_success, At(15));
  EXPECT_THAT(history.Take("orders", With({}), At(20)),
              ElementsAre(Field(&Change::to, Verdict::kHealthy)));
}

TEST(History, OfALookThatKnowsLittleKeepsWhenAllWasKnown) {
  History history;
  history.Take("orders", With({}), At(0));
  history.Take("orders",
               With({{.severity = Severity::kUnknown,
                      .drains = false,
                      .kind = "timeout",
                      .server = "db2",
                      .text = "no answer"}}),
               At(5));
  EXPECT_EQ(history.databases().at("orders").last_look, At(5));
  EXPECT_EQ(history.databases().at("orders").last_success, At(0));
}

TEST(History, GoesOnWhereAnEarlierRunEnded) {
  History before;
  before.Take("orders", With({}), At(0));
  before.Take("orders", With({Lag("2s")}), At(10));
  History after;
  for (const Change& change : before.changes()) after.Restore(change);
  // The same verdict as before the restart is no news, and keeps its time.
  EXPECT_THAT(after.Take("orders", With({Lag("2s")}), At(100)), IsEmpty());
  const CheckHistory& lag = after.databases().at("orders").checks.at(Check::kLag);
  EXPECT_EQ(lag.since, At(10));
  EXPECT_EQ(lag.first_seen, At(0));
  EXPECT_EQ(after.changes(), before.changes());
}

TEST(History, IsBounded) {
  History history;
  for (int i = 0; i < 3'000; ++i) {
    history.Take("orders",
                 With(i % 2 == 0 ? std::vector{Lag("x")} : std::vector<database::Finding>()),
                 At(i));
  }
  EXPECT_THAT(history.changes(), SizeIs(History::kChangesMax));
  EXPECT_EQ(history.changes().back().at, At(2'999));
}

}  // namespace
}  // namespace headgate::watch
