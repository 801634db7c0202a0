#include "common/loop/loop.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace headgate {
namespace {

constexpr TimePoint kStart{Duration(1'723'658'400'000)};

TEST(Loop, RunsWhatWasPostedInOrderAndInALaterTurn) {
  const ManualClock clock(kStart);
  Loop loop(clock);
  std::string story;
  loop.Post([&] {
    story += "a";
    loop.Post([&] { story += "c"; });
  });
  loop.Post([&] { story += "b"; });
  EXPECT_EQ(loop.Waiting(), 2U);
  EXPECT_EQ(story, "");

  EXPECT_TRUE(loop.Turn());
  EXPECT_EQ(story, "ab");
  EXPECT_TRUE(loop.Turn());
  EXPECT_EQ(story, "abc");
  EXPECT_FALSE(loop.Turn());
}

TEST(Loop, FiresTimersInTheOrderOfTheirTimesAndNeverEarly) {
  ManualClock clock(kStart);
  Loop loop(clock);
  std::string story;
  loop.At(kStart + Duration(20), [&] { story += "c"; });
  loop.At(kStart + Duration(10), [&] { story += "a"; });
  loop.At(kStart + Duration(10), [&] { story += "b"; });

  clock.Advance(Duration(9));
  EXPECT_FALSE(loop.Turn());
  clock.Advance(Duration(1));
  EXPECT_TRUE(loop.Turn());
  EXPECT_EQ(story, "ab");
  clock.Advance(Duration(100));
  loop.Turn();
  EXPECT_EQ(story, "abc");
}

TEST(Loop, TakesInNewsBeforeADeadlineConcludesThatThereIsNone) {
  const ManualClock clock(kStart);
  Loop loop(clock);
  std::string story;
  loop.At(kStart, [&] { story += "deadline"; });
  loop.Post([&] { story += "news,"; });
  loop.Turn();
  EXPECT_EQ(story, "news,deadline");
}

TEST(Loop, TimeStandsStillWithinATurn) {
  ManualClock clock(kStart);
  Loop loop(clock);
  std::vector<TimePoint> seen;
  loop.Post([&] {
    clock.Advance(Duration(50));
    seen.push_back(loop.Now());
  });
  loop.After(Duration(0), [&] { seen.push_back(loop.Now()); });
  loop.Turn();
  EXPECT_EQ(seen, std::vector<TimePoint>({kStart, kStart}));
  EXPECT_EQ(loop.Now(), kStart + Duration(50));
}

TEST(Loop, ACancelledTimerDoesNotFireEvenWithinItsOwnTurn) {
  const ManualClock clock(kStart);
  Loop loop(clock);
  std::string story;
  Loop::TimerId second = 0;
  loop.At(kStart, [&] {
    story += "first";
    loop.Cancel(second);
  });
  second = loop.At(kStart, [&] { story += "second"; });
  loop.Turn();
  loop.Cancel(second);
  loop.Cancel(12'345);
  EXPECT_EQ(story, "first");
}

TEST(Loop, ATimerForNowThatIsSetByATimerDoesNotStarvePosts) {
  const ManualClock clock(kStart);
  Loop loop(clock);
  int fired = 0;
  std::function<void()> again = [&] {
    ++fired;
    loop.At(kStart, [&] { again(); });
  };
  loop.At(kStart, [&] { again(); });
  loop.Turn();
  EXPECT_EQ(fired, 1);
  loop.Turn();
  EXPECT_EQ(fired, 2);
}

TEST(Loop, DestroysWhatAFunctionCapturedAsSoonAsItHasRun) {
  const ManualClock clock(kStart);
  Loop loop(clock);
  auto captured = std::make_unique<std::shared_ptr<int>>(std::make_shared<int>(1));
  const std::weak_ptr<int> watched = *captured;
  bool alive_in_next = true;
  loop.Post([captured = std::move(captured)] {});
  loop.Post([&] { alive_in_next = !watched.expired(); });
  loop.Turn();
  EXPECT_FALSE(alive_in_next);
}

TEST(Loop, RunsPostsOfManyThreadsOnItsOwnThreadAndLosesNone) {
  const SteadyClock clock;
  Loop loop(clock);
  constexpr int kThreads = 4;
  constexpr int kEach = 1'000;
  int run = 0;
  std::thread owner([&] { loop.Run(); });
  const auto owner_id = owner.get_id();
  bool foreign = false;
  std::vector<std::thread> posters;
  posters.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    posters.emplace_back([&] {
      for (int j = 0; j < kEach; ++j) {
        loop.Post([&] {
          foreign = foreign || std::this_thread::get_id() != owner_id;
          if (++run == kThreads * kEach) loop.Stop();
        });
      }
    });
  }
  for (auto& poster : posters) poster.join();
  owner.join();
  EXPECT_EQ(run, kThreads * kEach);
  EXPECT_FALSE(foreign);
}

TEST(Loop, WakesForATimerWithoutAnyPost) {
  const SteadyClock clock;
  Loop loop(clock);
  const TimePoint due = clock.Now() + Duration(5);
  TimePoint fired;
  loop.At(due, [&] {
    fired = loop.Now();
    loop.Stop();
  });
  std::thread(&Loop::Run, &loop).join();
  EXPECT_GE(fired, due);
}

TEST(Loop, RunReturnsAtOnceAfterStop) {
  const SteadyClock clock;
  Loop loop(clock);
  loop.Stop();
  loop.Post([] { FAIL() << "ran after Stop"; });
  loop.Run();
  EXPECT_EQ(loop.Waiting(), 1U);
}

TEST(LoopDeathTest, ATimerFromAForeignThreadStopsTheProgram) {
  const ManualClock clock(kStart);
  Loop loop(clock);
  loop.Turn();
  EXPECT_DEATH(std::thread([&] { loop.At(kStart, [] {}); }).join(), "must be true");
}

}  // namespace
}  // namespace headgate
