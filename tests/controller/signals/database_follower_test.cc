#include "controller/signals/database_follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "tests/controller/signals/inbox.h"

namespace headgate::signals {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;

database::Finding A(const std::string& kind) {
  return {.severity = database::Severity::kFailed,
          .drains = true,
          .kind = kind,
          .server = "db3",
          .text = kind};
}

// A probe whose comparisons wait until the test lets them through.
class FakeProbe final : public database::Probe {
 public:
  explicit FakeProbe(int comparisons_allowed) : allowed_(comparisons_allowed) {}

  database::Report Look(const Clock& clock) override {
    return {.findings = {}, .observed_at = clock.Now(), .lag = Duration(0)};
  }
  database::Report Fingerprint(const Clock& clock) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return allowed_ > 0 || is_interrupted_; });
    --allowed_;
    ++made_;
    return {.findings = {A("schema " + std::to_string(made_))},
            .observed_at = clock.Now(),
            .lag = Duration(0)};
  }
  void Interrupt() override {
    {
      const std::lock_guard lock(mutex_);
      is_interrupted_ = true;
    }
    changed_.notify_all();
  }
  void Allow() {
    {
      const std::lock_guard lock(mutex_);
      ++allowed_;
    }
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int allowed_;
  int made_ = 0;
  bool is_interrupted_ = false;
};

// Rounds that find something when the test says so, and hang until then.
class FakeRounds final : public database::DataRounds {
 public:
  Duration Step() override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return found_ != told_ || is_interrupted_; });
    told_ = found_;
    return Duration(0);
  }
  database::DataReport Told() const override {
    const std::lock_guard lock(mutex_);
    if (told_.empty()) return {.findings = {}, .notes = {}, .pending = "data", .progress = "; 0 %"};
    return {.findings = {A(told_)}, .notes = {}, .pending = "", .progress = "; 100 %"};
  }
  void Interrupt() override {
    {
      const std::lock_guard lock(mutex_);
      is_interrupted_ = true;
    }
    changed_.notify_all();
  }
  void Find(const std::string& kind) {
    {
      const std::lock_guard lock(mutex_);
      found_ = kind;
    }
    changed_.notify_all();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string found_;
  std::string told_;
  bool is_interrupted_ = false;
};

class DatabaseFollowerTest : public ::testing::Test {
 protected:
  void Start(int comparisons_allowed, Duration look = Duration(1'000)) {
    auto slow = std::make_unique<FakeProbe>(comparisons_allowed);
    auto rounds = std::make_unique<FakeRounds>();
    rounds_ = rounds.get();
    slow_ = slow.get();
    follower_ = std::make_unique<DatabaseFollower>(
        "shop/database/orders",
        DatabaseFollower::Probes{.look = std::make_unique<FakeProbe>(0),
                                 .fingerprint = std::move(slow),
                                 .data = std::move(rounds)},
        DatabaseFollower::Cadence{.look = look},
        [this](Reading reading) { inbox_.Put(std::move(reading)); }, clock_);
  }

  std::optional<Reading> WaitForKind(const std::string& kind) {
    return inbox_.WaitFor(
        [&](const Reading& reading) {
          const auto& findings = std::get<DatabaseReading>(reading.value).report.findings;
          return std::any_of(findings.begin(), findings.end(),
                             [&](const auto& finding) { return finding.kind == kind; });
        },
        Duration(5'000));
  }

  SteadyClock clock_;
  Inbox inbox_;
  FakeProbe* slow_ = nullptr;
  FakeRounds* rounds_ = nullptr;
  std::unique_ptr<DatabaseFollower> follower_;
};

TEST_F(DatabaseFollowerTest, IsUnknownUntilTheSchemasHaveBeenComparedAndTellsOfThemAtOnce) {
  Start(0);
  const auto first = WaitForKind(database::kNotComparedYet);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(std::get<DatabaseReading>(first->value).report.findings[0].severity,
            database::Severity::kUnknown);
  // A comparison that hangs delays no look.
  ASSERT_TRUE(inbox_.WaitFor([](const Reading&) { return true; }, Duration(3'000), 1));
  const TimePoint allowed_at = clock_.Now();
  slow_->Allow();
  const auto compared = WaitForKind("schema 1");
  ASSERT_TRUE(compared.has_value());
  EXPECT_LT(clock_.Now() - allowed_at, Duration(700));
}

TEST_F(DatabaseFollowerTest, ComparesAgainWhenAsked) {
  Start(100);
  ASSERT_TRUE(WaitForKind("schema 1"));
  follower_->Refresh();
  EXPECT_TRUE(WaitForKind("schema 2"));
}

TEST_F(DatabaseFollowerTest, StopsWhileAComparisonHangs) {
  Start(0);
  ASSERT_TRUE(WaitForKind(database::kNotComparedYet));
  const TimePoint began = clock_.Now();
  follower_.reset();
  EXPECT_LT(clock_.Now() - began, Duration(500));
}

TEST_F(DatabaseFollowerTest, TellsWhatComparingRowsFoundWithAFreshLookAtOnce) {
  // No look is due again.
  Start(0, Duration(3'600'000));
  const auto first = WaitForKind(database::kNotComparedYet);
  ASSERT_TRUE(first);
  EXPECT_EQ(std::get<DatabaseReading>(first->value).report.pending, "data");
  EXPECT_EQ(std::get<DatabaseReading>(first->value).report.progress, "not compared whole yet; 0 %");
  rounds_->Find("row 7");
  const auto found = WaitForKind("row 7");
  ASSERT_TRUE(found);
  const database::Report& report = std::get<DatabaseReading>(found->value).report;
  EXPECT_EQ(report.pending, "");
  EXPECT_GE(found->observed_at, first->observed_at);
}

TEST_F(DatabaseFollowerTest, AComparisonOfRowsThatHangsDelaysNoLookAndNoEnd) {
  Start(1, Duration(1));
  EXPECT_TRUE(inbox_.WaitFor([](const Reading&) { return true; }, Duration(5'000), 20));
  // Would never return.
  follower_.reset();
}

TEST(MergeTest, HoldsBothReportsAndRefusesAnOldComparison) {
  const TimePoint now = FromUnixMillis(1'000'000);
  const database::Report look{.findings = {A("lag")}, .observed_at = now, .lag = Duration(7)};
  database::Report fingerprint{
      .findings = {A("schema")}, .observed_at = now - Duration(5), .lag = Duration(0)};
  const database::Report merged = Merge(look, fingerprint, Duration(90'000));
  EXPECT_THAT(merged.findings, ElementsAre(A("lag"), A("schema")));
  EXPECT_EQ(merged.observed_at, now);
  EXPECT_EQ(merged.lag, Duration(7));
  fingerprint.observed_at = now - Duration(90'001);
  EXPECT_THAT(Merge(look, fingerprint, Duration(90'000)).findings,
              Contains(Field(&database::Finding::kind, "schema_unread")));
}

}  // namespace
}  // namespace headgate::signals
