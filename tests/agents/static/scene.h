// A row of docs/FAILING_STATIC.md at one load balancer: the agent's program between a controller
// and the load balancer at 20 %, and two people who press reload all the time, one in the last
// bucket inside of the share and one in the first outside. At its end neither has ever got anything
// else than before. One thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/agents/static/column.h"
#include "tests/agents/static/visitor.h"
#include "tests/support/agent_site.h"
#include "tests/support/test_app.h"

namespace headgate::test {

class Scene {
 public:
  struct Options {
    AgentSite::Options site{};
    std::string share_folder{};
    const SteppedClock* clock = nullptr;
    bool upgradable = false;
  };

  explicit Scene(const Kind& kind) : Scene(kind, Options{}) {}
  Scene(const Kind& kind, const Options& options);
  ~Scene();
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  AgentSite& site() { return site_; }
  FakeController& controller() { return *site_.controller; }
  Column& balancer() { return *balancer_; }

  // Both get further answers, and still the same.
  void ExpectStatic() const;
  // The same, and every request was answered.
  void ExpectStaticWithoutAGap() const;
  // `headgate-agent lower 5%`, then `override 1%`: nobody else comes in from the moment that they
  // say so.
  void ExpectLowersOnTheBox(bool is_sure_to_stay = true);
  // As soon as the load balancer has heard of it, which nobody could confirm.
  void ExpectIsAtMost(const char* share);
  // From now on nobody is inside who was.
  void LetInsideGo();
  // And whoever had gone comes back.
  void LetInsideComeBack();
  // From now on nobody is outside who was.
  void LetOutsideGo();
  // And whoever had gone comes back.
  void LetOutsideComeBack();
  // The agent's own pages come to say so.
  void ExpectReady() const;
  void ExpectNotReady(const std::string& words) const;
  void ExpectMetric(const std::string& name, double value) const;
  // The controller comes to hear of it.
  void ExpectRefusal(v1::Refusal::Code code) const;
  // In the first bucket outside of 20 %.
  const std::string& outside() const { return outside_; }

 private:
  // That are enough to see.
  int Answers() const;
  std::unique_ptr<Visitor> Visit(const std::string& user) const;
  void ExpectAt(const char* share) const;
  // Whatever a worker of the load balancer has looked at before has had its time.
  bool IsRefusedForAWhile(const std::string& user) const;
  // -1 if there is none.
  double MetricOf(const std::string& name) const;

  TestApp app_;
  const std::unique_ptr<Column> balancer_;
  AgentSite site_;
  const std::string inside_;
  const std::string outside_;
  std::unique_ptr<Visitor> admitted_;
  std::unique_ptr<Visitor> refused_;
};

class FailingStatic : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (const std::string why = GetParam().why_none(); !why.empty()) GTEST_SKIP() << why;
  }
};

}  // namespace headgate::test
