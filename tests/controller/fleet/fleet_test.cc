#include "controller/fleet/fleet.h"

#include <gtest/gtest.h>

namespace headgate::fleet {
namespace {

constexpr TimePoint kNow{Duration(1'000'000)};

// Behaves as the api's: keeps the newest directive of each gate.
class FakeSession : public Session {
 public:
  void Send(const Directive& directive, const Outlook& outlook, Duration) override {
    outlooks.push_back(outlook);
    slots[directive.gate] = directive;
    ++sends;
  }
  void AskFullState() override { ++full_state_requests; }
  void Close(absl::Status why) override { closed = std::move(why); }

  std::map<std::string, Directive> slots;
  std::vector<Outlook> outlooks;
  int sends = 0;
  int full_state_requests = 0;
  absl::Status closed;
};

Hello HelloFor(const std::string& gate) { return {.boot_id = "boot", .gates = {{.gate = gate}}}; }
Directive DirectiveFor(const std::string& gate, std::uint64_t revision) {
  return {.gate = gate, .version = {1, revision}, .share = Share::None()};
}

TEST(Fleet, SendsAnAgentTheDirectivesOfItsGatesAndNoOthers) {
  Fleet fleet;
  const auto session = std::make_shared<FakeSession>();
  fleet.Publish(DirectiveFor("shop", 3));
  ASSERT_TRUE(fleet.Connect("edge-1", session, HelloFor("shop"), kNow).ok());
  fleet.Tell("edge-1");
  EXPECT_EQ(session->slots.at("shop").version.revision, 3U);
  fleet.Publish(DirectiveFor("blog", 1));
  EXPECT_FALSE(session->slots.contains("blog"));
  fleet.Publish(DirectiveFor("shop", 4));
  EXPECT_EQ(session->slots.at("shop").version.revision, 4U);
}

TEST(Fleet, RenewsWithTheSameVersion) {
  Fleet fleet;
  const auto session = std::make_shared<FakeSession>();
  ASSERT_TRUE(fleet.Connect("edge-1", session, HelloFor("shop"), kNow).ok());
  fleet.Tell("edge-1");
  fleet.Publish(DirectiveFor("shop", 4));
  const int sends = session->sends;
  fleet.Renew();
  EXPECT_EQ(session->sends, sends + 1);
  EXPECT_EQ(session->slots.at("shop").version.revision, 4U);
}

TEST(Fleet, ANewerSessionOfAnAgentEndsTheOlderAndTheOldersWordsAreIgnored) {
  Fleet fleet;
  const auto older = std::make_shared<FakeSession>();
  const auto newer = std::make_shared<FakeSession>();
  ASSERT_TRUE(fleet.Connect("edge-1", older, HelloFor("shop"), kNow).ok());
  ASSERT_TRUE(fleet.Connect("edge-1", newer, HelloFor("shop"), kNow).ok());
  EXPECT_EQ(older->closed.code(), absl::StatusCode::kAborted);
  EXPECT_FALSE(fleet.Report("edge-1", older.get(), {.gate = "shop"}, kNow));
  EXPECT_FALSE(fleet.Disconnect("edge-1", older.get()));
  EXPECT_TRUE(fleet.Find("edge-1")->IsConnected(kNow));
}

Hello HelloOfBoot(const std::string& boot_id) {
  return {.boot_id = boot_id, .gates = {{.gate = "shop"}}};
}

TEST(Fleet, TwoLoadBalancersThatTakeTurnsAsOneAgentAreFoundOut) {
  Fleet fleet;
  const auto connect = [&](const std::string& boot_id, TimePoint at) {
    ASSERT_TRUE(
        fleet.Connect("edge-1", std::make_shared<FakeSession>(), HelloOfBoot(boot_id), at).ok());
  };
  connect("one", kNow);
  connect("other", kNow);
  EXPECT_FALSE(fleet.Find("edge-1")->HasRival(kNow));
  connect("one", kNow);
  EXPECT_TRUE(fleet.Find("edge-1")->HasRival(kNow + kRivalFor));
  EXPECT_FALSE(fleet.Find("edge-1")->HasRival(kNow + kRivalFor + Duration(1)));
}

TEST(Fleet, AnAgentThatHangsWhileAnotherTakesItsNameIsARival) {
  Fleet fleet;
  ASSERT_TRUE(
      fleet.Connect("edge-1", std::make_shared<FakeSession>(), HelloOfBoot("one"), kNow).ok());
  const TimePoint later = kNow + kHangsAfter + Duration(1);
  ASSERT_TRUE(
      fleet.Connect("edge-1", std::make_shared<FakeSession>(), HelloOfBoot("other"), later).ok());
  EXPECT_TRUE(fleet.Find("edge-1")->HasRival(later));
}

TEST(Fleet, AnAgentWhoseProcessWasSeenToEndHasNoRivalHoweverLateItIsBack) {
  Fleet fleet;
  const auto session = std::make_shared<FakeSession>();
  ASSERT_TRUE(fleet.Connect("edge-1", session, HelloOfBoot("one"), kNow).ok());
  fleet.Disconnect("edge-1", session.get());
  const TimePoint later = kNow + Duration(60'000);
  ASSERT_TRUE(
      fleet.Connect("edge-1", std::make_shared<FakeSession>(), HelloOfBoot("two"), later).ok());
  EXPECT_FALSE(fleet.Find("edge-1")->HasRival(later));
}

TEST(Fleet, AnAgentThatIsRestartedOrReconnectsHasNoRival) {
  Fleet fleet;
  for (const char* boot_id : {"one", "one", "two", "two", "three"}) {
    ASSERT_TRUE(
        fleet.Connect("edge-1", std::make_shared<FakeSession>(), HelloOfBoot(boot_id), kNow).ok());
    EXPECT_FALSE(fleet.Find("edge-1")->HasRival(kNow)) << boot_id;
  }
}

TEST(Fleet, AnAgentThatHangsIsNotConnected) {
  Fleet fleet;
  ASSERT_TRUE(
      fleet.Connect("edge-1", std::make_shared<FakeSession>(), HelloFor("shop"), kNow).ok());
  EXPECT_EQ(fleet.Connected(kNow + kSilentAfter), 1U);
  EXPECT_EQ(fleet.Connected(kNow + kSilentAfter + Duration(1)), 0U);
}

TEST(Fleet, RefusesOneAgentTooMany) {
  Fleet fleet;
  for (std::size_t i = 0; i < kAgentsMax; ++i) {
    ASSERT_TRUE(fleet
                    .Connect("edge-" + std::to_string(i), std::make_shared<FakeSession>(),
                             HelloFor("shop"), kNow)
                    .ok());
  }
  const absl::Status status =
      fleet.Connect("one-more", std::make_shared<FakeSession>(), HelloFor("shop"), kNow);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
}

TEST(Fleet, AnAgentThatCountsAtAGateItWasRemovedFromIsAskedWhatItEnforces) {
  Fleet fleet;
  const auto session = std::make_shared<FakeSession>();
  ASSERT_TRUE(fleet.Connect("edge-1", session, HelloFor("shop"), kNow).ok());
  fleet.Publish(DirectiveFor("shop", 4));
  const auto push = [&](std::uint64_t sequence) {
    return fleet.Count("edge-1", session.get(),
                       {.boot_id = "boot",
                        .sequence = sequence,
                        .gates = {{.gate = "shop", .admitted = sequence, .live = true}}},
                       kNow + Duration(250 * static_cast<std::int64_t>(sequence)));
  };
  push(1);
  EXPECT_EQ(push(2).deltas.size(), 1U);
  EXPECT_EQ(session->full_state_requests, 0);
  fleet.Remove("shop", "edge-1");
  EXPECT_TRUE(push(3).deltas.empty());
  EXPECT_EQ(session->full_state_requests, 1);
  session->slots.clear();
  EXPECT_TRUE(fleet.Report("edge-1", session.get(), {.gate = "shop"}, kNow));
  EXPECT_EQ(session->slots.at("shop").version.revision, 4U);
}

TEST(Fleet, EndsTheSessionOfAnAgentWithTooManyGates) {
  Fleet fleet;
  const auto session = std::make_shared<FakeSession>();
  ASSERT_TRUE(fleet.Connect("edge-1", session, HelloFor("gate-0"), kNow).ok());
  for (std::size_t i = 1; i < kGatesPerAgentMax; ++i) {
    ASSERT_TRUE(fleet.Report("edge-1", session.get(), {.gate = "gate-" + std::to_string(i)}, kNow));
  }
  EXPECT_FALSE(fleet.Report("edge-1", session.get(), {.gate = "one-more"}, kNow));
  EXPECT_EQ(session->closed.code(), absl::StatusCode::kResourceExhausted);
}

TEST(Fleet, CountsNoMoreGatesOfAnAgentThanItsLimit) {
  Counting counting;
  CountersPush push{.boot_id = "boot", .sequence = 1};
  for (std::size_t i = 0; i <= kGatesPerAgentMax; ++i) {
    push.gates.push_back({.gate = "gate-" + std::to_string(i), .live = true});
  }
  EXPECT_EQ(counting.Add(push, kNow).implausible.size(), 1U);
}

TEST(Fleet, AsksForFullStateAfterAGap) {
  Fleet fleet;
  const auto session = std::make_shared<FakeSession>();
  ASSERT_TRUE(fleet.Connect("edge-1", session, HelloFor("shop"), kNow).ok());
  const auto push = [](std::uint64_t sequence) {
    return CountersPush{
        .boot_id = "boot", .sequence = sequence, .gates = {{.gate = "shop", .live = true}}};
  };
  fleet.Count("edge-1", session.get(), push(1), kNow);
  fleet.Count("edge-1", session.get(), push(3), kNow);
  EXPECT_EQ(session->full_state_requests, 1);
}

}  // namespace
}  // namespace headgate::fleet
