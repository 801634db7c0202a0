// `headgate databases`, against a controller that is not real.
#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include "tests/cli/caller.h"
#include "tests/cli/fake_controller.h"

namespace headgate::cli {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::HasSubstr;

constexpr std::int64_t kSixOClock = 1'723'658'400'000;

v1::WatchedDatabase Watched(const std::string& name, v1::Verdict verdict) {
  v1::WatchedDatabase database;
  database.set_name(name);
  database.set_verdict(verdict);
  *database.mutable_since() = TimeUtil::MillisecondsToTimestamp(kSixOClock);
  *database.mutable_last_look() = TimeUtil::MillisecondsToTimestamp(kSixOClock + 60'000);
  *database.mutable_last_success() = TimeUtil::MillisecondsToTimestamp(kSixOClock);
  *database.mutable_lag() = TimeUtil::MillisecondsToDuration(300);
  v1::WatchedCheck& check = *database.add_checks();
  check.set_name("schema");
  check.set_verdict(verdict);
  *check.mutable_since() = TimeUtil::MillisecondsToTimestamp(kSixOClock);
  return database;
}

class Databases : public ::testing::Test {
 protected:
  void Watch(const std::vector<v1::WatchedDatabase>& databases) {
    v1::ListDatabasesResponse watched;
    for (const auto& database : databases) *watched.add_databases() = database;
    v1::VerdictChange& change = *watched.add_changes();
    *change.mutable_at() = TimeUtil::MillisecondsToTimestamp(kSixOClock);
    change.set_database("orders");
    change.set_check("schema");
    change.set_from(v1::HEALTHY);
    change.set_to(v1::FAILED);
    change.set_why("replica db3: column gift is missing here");
    controller_.Watch(watched);
  }

  FakeController controller_;
  Caller caller_{controller_.address()};
};

TEST_F(Databases, AreToldWithSinceWhenAndWhatChanged) {
  v1::WatchedDatabase orders = Watched("orders", v1::FAILED);
  v1::WatchedFinding& finding = *orders.add_findings();
  finding.set_kind("schema");
  finding.set_verdict(v1::FAILED);
  finding.set_text("replica db3: column gift is missing here");
  *finding.mutable_since() = TimeUtil::MillisecondsToTimestamp(kSixOClock);
  orders.add_notes("allowed: replica db2: something");
  Watch({orders});
  const Said said = caller_.Type({"databases"});
  EXPECT_EQ(said.code, 3);
  EXPECT_THAT(said.out, HasSubstr("orders: FAILED since 2024-08-14 18:00:00 UTC"));
  EXPECT_THAT(said.out, HasSubstr("schema       FAILED    since 2024-08-14 18:00:00 UTC"));
  EXPECT_THAT(said.out, HasSubstr(": replica db3: column gift is missing here\n"));
  EXPECT_THAT(said.out, HasSubstr("  (allowed: replica db2: something)\n"));
  EXPECT_THAT(said.out, HasSubstr("the last look with nothing UNKNOWN was "));
  EXPECT_THAT(said.out,
              HasSubstr("Changes, oldest first:\n  2024-08-14 18:00:00 UTC orders schema: "
                        "HEALTHY -> FAILED: replica db3: column gift is missing here\n"));
}

TEST_F(Databases, EndWithTheWorstOfThem) {
  Watch({Watched("orders", v1::HEALTHY)});
  EXPECT_EQ(caller_.Type({"databases"}).code, 0);
  Watch({Watched("orders", v1::HEALTHY), Watched("stock", v1::UNKNOWN)});
  EXPECT_EQ(caller_.Type({"databases"}).code, 12);
  EXPECT_EQ(caller_.Type({"databases", "orders"}).code, 0);
  Watch({Watched("stock", v1::UNKNOWN), Watched("users", v1::DEGRADED)});
  EXPECT_EQ(caller_.Type({"databases"}).code, 3);
  EXPECT_EQ(caller_.Type({"databases", "nowhere"}).code, 4);
}

TEST_F(Databases, AreOneDocumentForPrograms) {
  Watch({Watched("orders", v1::HEALTHY)});
  const Said said = caller_.Type({"databases", "-o", "json"});
  EXPECT_EQ(said.code, 0);
  EXPECT_THAT(said.out, HasSubstr("\"verdict\": \"HEALTHY\""));
  EXPECT_THAT(said.out, HasSubstr("\"since\": \"2024-08-14T18:00:00Z\""));
}

}  // namespace
}  // namespace headgate::cli
