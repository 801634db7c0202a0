// The watch of a real trio: an inconsistency is known, logged, counted and kept while nobody
// restores anything.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "controller/watch/watch.h"
#include "tests/controller/database/lab.h"

namespace headgate::watch {
namespace {

using ::headgate::testing::DatabaseLab;
using ::headgate::testing::WaitUntil;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr Duration kSoon{30'000};

std::string BytesOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

class WatchTest : public ::testing::Test {
 protected:
  WatchTest() {
    std::string folder = ::testing::TempDir() + "headgate-watch-XXXXXX";
    folder_ = mkdtemp(folder.data());
    fd_ = open((folder_ + "/log").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
  }
  ~WatchTest() override {
    close(fd_);
    std::filesystem::remove_all(folder_);
  }

  WatchOptions Options() const {
    signals::DatabaseWatch orders{
        .inventory = {.name = "orders"},
        .look_every = Duration(200),
        .fingerprint_every = Duration(1'000),
        .data = database::RollingOptions{.cpu_share_percent = 100, .every = Duration(500)}};
    orders.inventory.primary_dsn = lab_.Dsn("db1");
    orders.inventory.replicas = {
        {.name = "db2", .dsn = lab_.Dsn("db2"), .kind = database::ReplicaKind::kPhysical},
        {.name = "db3", .dsn = lab_.Dsn("db3"), .kind = database::ReplicaKind::kLogical}};
    return {.databases = {orders}, .history_file = folder_ + "/databases.jsonl"};
  }

  static std::optional<CheckHistory> Of(const Watch& watch, Check check) {
    const Watch::View view = watch.Show("orders");
    const auto& checks = view.databases.at(0).known.checks;
    const auto found = checks.find(check);
    return found == checks.end() ? std::nullopt : std::optional(found->second);
  }
  static bool Becomes(const Watch& watch, Check check, Verdict verdict) {
    return WaitUntil(
        [&] {
          const auto history = Of(watch, check);
          return history && history->standing.verdict == verdict;
        },
        kSoon);
  }

  DatabaseLab lab_;
  std::string folder_;
  int fd_ = -1;
  SteadyClock clock_;
};

TEST_F(WatchTest, KnowsOfDriftSinceWhenAndStillAfterARestart) {
  TimePoint drifted_since;
  {
    Log log(clock_, {.format = LogFormat::kJson, .fd = fd_});
    prometheus::Registry registry;
    Watch watch(Options(), clock_, log, registry);
    for (const Check check : kChecks) {
      EXPECT_TRUE(Becomes(watch, check, Verdict::kHealthy)) << NameOf(check);
    }
    const TimePoint changed_at = clock_.WallNow();
    lab_.Sql("db3", "ALTER TABLE orders ADD COLUMN gift text");
    ASSERT_TRUE(Becomes(watch, Check::kSchema, Verdict::kFailed));
    const auto schema = Of(watch, Check::kSchema);
    EXPECT_THAT(schema->standing.why, HasSubstr("column gift is text here"));
    EXPECT_GE(schema->since, changed_at);
    EXPECT_LE(schema->first_seen, changed_at);
    drifted_since = schema->since;
    // Nothing else changed its verdict.
    EXPECT_EQ(Of(watch, Check::kReplication)->standing.verdict, Verdict::kHealthy);
  }
  {
    Log log(clock_, {.format = LogFormat::kJson, .fd = fd_});
    prometheus::Registry registry;
    Watch watch(Options(), clock_, log, registry);
    ASSERT_TRUE(WaitUntil(
        [&] {
          const auto known = watch.Show("orders").databases.at(0).known;
          return std::any_of(known.findings.begin(), known.findings.end(),
                             [](const auto& found) { return found.finding.kind == "schema"; });
        },
        kSoon));
    EXPECT_EQ(Of(watch, Check::kSchema)->since, drifted_since);
    lab_.Sql("db3", "ALTER TABLE orders DROP COLUMN gift");
    ASSERT_TRUE(Becomes(watch, Check::kSchema, Verdict::kHealthy));
    const auto changes = watch.Show("orders").changes;
    EXPECT_EQ(changes.back().check, Check::kSchema);
    EXPECT_EQ(changes.back().from, Verdict::kFailed);
  }
  // Once to FAILED, once back, over both runs.
  const std::string log = BytesOf(folder_ + "/log");
  std::size_t failed = 0;
  for (std::size_t at = log.find("\"to\":\"FAILED\""); at != std::string::npos;
       at = log.find("\"to\":\"FAILED\"", at + 1)) {
    ++failed;
  }
  EXPECT_EQ(failed, 1U) << log;
}

TEST_F(WatchTest, KnowsOfARowThatDiffersAndWhenAllWasLastCompared) {
  Log log(clock_, {.format = LogFormat::kJson, .fd = fd_});
  prometheus::Registry registry;
  Watch watch(Options(), clock_, log, registry);
  ASSERT_TRUE(Becomes(watch, Check::kData, Verdict::kHealthy));
  const auto known = [&] { return watch.Show("orders").databases.at(0).known; };
  const Known sound = known();
  ASSERT_TRUE(sound.last_round.has_value());
  EXPECT_EQ(sound.data->tables, 3U);
  EXPECT_THAT(sound.notes, Contains(HasSubstr("data all compared")));

  lab_.Sql("db3", "UPDATE orders SET quantity = quantity + 1 WHERE id = 4711");
  ASSERT_TRUE(Becomes(watch, Check::kData, Verdict::kFailed));
  EXPECT_THAT(Of(watch, Check::kData)->standing.why, HasSubstr("row (id = 4711) differs"));
  EXPECT_EQ(Of(watch, Check::kReplication)->standing.verdict, Verdict::kHealthy);
  const auto since = Of(watch, Check::kData)->since;
  const auto found = known();
  EXPECT_TRUE(WaitUntil([&] { return known().last_round > found.last_round; }, kSoon));
  EXPECT_EQ(Of(watch, Check::kData)->since, since);

  lab_.Sql("db3", "UPDATE orders SET quantity = quantity - 1 WHERE id = 4711");
  EXPECT_TRUE(Becomes(watch, Check::kData, Verdict::kHealthy));
  const auto changes = watch.Show("orders").changes;
  EXPECT_EQ(changes.back().check, Check::kData);
  EXPECT_EQ(changes.back().from, Verdict::kFailed);
}

TEST_F(WatchTest, OfAReplicaThatIsGoneKnowsThatItIsGoneAndNothingMore) {
  Log log(clock_, {.format = LogFormat::kJson, .fd = fd_});
  prometheus::Registry registry;
  Watch watch(Options(), clock_, log, registry);
  ASSERT_TRUE(Becomes(watch, Check::kServers, Verdict::kHealthy));
  ASSERT_TRUE(Becomes(watch, Check::kLag, Verdict::kHealthy));
  lab_.Do("kill db2");
  EXPECT_TRUE(Becomes(watch, Check::kServers, Verdict::kFailed));
  EXPECT_TRUE(Becomes(watch, Check::kLag, Verdict::kUnknown));
  const Known known = watch.Show("orders").databases.at(0).known;
  EXPECT_LT(known.last_success, known.last_look);
  EXPECT_TRUE(watch.Show("nowhere").databases.empty());
}

}  // namespace
}  // namespace headgate::watch
