#include "tests/agents/static/scene.h"

#include <gmock/gmock.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <sstream>

#include "agents/core/user_key.h"

namespace headgate::test {
namespace {

constexpr char kShare[] = "20%";
constexpr int kAnswers = 25;
// Each waits twice for an agent that hangs.
constexpr int kAnswersOfTheAgent = 8;

std::string Inside(const char* share) {
  return agent::FindProbeKeys(Percent(share).Width(), 1).inside;
}
std::string Outside(const char* share) {
  return agent::FindProbeKeys(Percent(share).Width(), 1).outside;
}

}  // namespace

Scene::Scene(const Kind& kind, const Options& options)
    : balancer_(kind.make({.app_port = app_.port(),
                           .share_folder = options.share_folder,
                           .clock = options.clock,
                           .upgradable = options.upgradable})),
      site_(options.site, balancer_->AgentYaml()),
      inside_(Inside(kShare)),
      outside_(Outside(kShare)) {
  site_.StartAgent();
  site_.DirectAndWait(7, 1, kShare);
  if (balancer_->LooksAtItsFileOnceASecond()) {
    // What it saw there while there was no agent yet is of a second that is over.
    const std::time_t seen = std::time(nullptr);
    EXPECT_TRUE(Eventually([&] { return std::time(nullptr) != seen; }));
  }
  // Who will stay at every lowering below has come in before.
  for (const char* share : {"5%", "1%", "0.5%"}) {
    EXPECT_EQ(balancer_->StatusFor(Inside(share)), 200);
  }
  admitted_ = Visit(inside_);
  refused_ = Visit(outside_);
  ExpectStaticWithoutAGap();
}

Scene::~Scene() {
  LetInsideGo();
  LetOutsideGo();
}

void Scene::LetOutsideGo() {
  if (!refused_) return;
  EXPECT_TRUE(refused_->SawOnly(503)) << "outside: " << refused_->ToString();
  refused_.reset();
}

void Scene::LetInsideGo() {
  if (!admitted_) return;
  EXPECT_TRUE(admitted_->SawOnly(200)) << "inside: " << admitted_->ToString();
  admitted_.reset();
}

void Scene::LetInsideComeBack() { admitted_ = Visit(inside_); }

void Scene::LetOutsideComeBack() { refused_ = Visit(outside_); }

int Scene::Answers() const {
  return balancer_->IsDecidedByItsAgent() ? kAnswersOfTheAgent : kAnswers;
}

std::unique_ptr<Visitor> Scene::Visit(const std::string& user) const {
  return std::make_unique<Visitor>(
      [&balancer = *balancer_, user] { return balancer.StatusFor(user); });
}

void Scene::ExpectStatic() const {
  EXPECT_TRUE(admitted_->Goes(Answers())) << "inside: " << admitted_->ToString();
  EXPECT_TRUE(refused_->Goes(Answers())) << "outside: " << refused_->ToString();
  EXPECT_TRUE(admitted_->SawOnly(200)) << "inside: " << admitted_->ToString();
  EXPECT_TRUE(refused_->SawOnly(503)) << "outside: " << refused_->ToString();
}

void Scene::ExpectStaticWithoutAGap() const {
  ExpectStatic();
  EXPECT_TRUE(admitted_->SawNoGap()) << "inside: " << admitted_->ToString();
  EXPECT_TRUE(refused_->SawNoGap()) << "outside: " << refused_->ToString();
}

void Scene::ExpectAt(const char* share) const {
  const auto in = Visit(Inside(share));
  const auto out = Visit(Outside(share));
  EXPECT_TRUE(in->Goes(Answers()) && out->Goes(Answers()));
  EXPECT_TRUE(in->SawOnly(200)) << "inside " << share << ": " << in->ToString();
  EXPECT_TRUE(out->SawOnly(503)) << "outside " << share << ": " << out->ToString();
}

void Scene::ExpectLowersOnTheBox(bool is_sure_to_stay) {
  LetInsideGo();
  // What a dead agent decides nobody can confirm.
  const bool is_alive = site_.Page("/livez").status == 200;
  const bool is_proven = !balancer_->IsDecidedByItsAgent() || is_alive;
  const bool is_asked = is_alive && balancer_->control().way() == Relay::Way::kForwards;
  const bool is_late = balancer_->LooksAtItsFileOnceASecond() && !is_asked;
  const auto expect = [&](const char* share) { is_late ? ExpectIsAtMost(share) : ExpectAt(share); };
  const int expected = is_proven && is_sure_to_stay ? 0 : 11;
  const Finished lower = site_.Run({"lower", "5%"});
  EXPECT_EQ(lower.exit_code, expected) << lower.output;
  expect("5%");
  const Finished closer = site_.Run({"override", "1%", "--until", "5m"});
  EXPECT_EQ(closer.exit_code, expected) << closer.output;
  expect("1%");
}

bool Scene::IsRefusedForAWhile(const std::string& user) const {
  using std::chrono::steady_clock;
  const bool looks_late = balancer_->LooksAtItsFileOnceASecond();
  const auto until = steady_clock::now() + std::chrono::milliseconds(looks_late ? 1100 : 0);
  for (int i = 0; i < Answers() || steady_clock::now() < until; ++i) {
    if (balancer_->StatusFor(user) != 503) return false;
  }
  return true;
}

void Scene::ExpectIsAtMost(const char* share) {
  LetInsideGo();
  EXPECT_TRUE(Eventually([&] { return IsRefusedForAWhile(Outside(share)); }));
  ExpectAt(share);
}

void Scene::ExpectReady() const {
  EXPECT_TRUE(Eventually([&] { return site_.Page("/readyz").status == 200; }))
      << site_.Page("/readyz").body;
}

void Scene::ExpectNotReady(const std::string& words) const {
  EXPECT_TRUE(Eventually([&] {
    const HttpAnswer page = site_.Page("/readyz");
    return page.status == 503 && page.body.find(words) != std::string::npos;
  })) << "not '"
      << words << "' but: " << site_.Page("/readyz").body;
  EXPECT_EQ(site_.Page("/livez").status, 200);
}

void Scene::ExpectRefusal(v1::Refusal::Code code) const {
  const auto report = [this] { return site_.controller->report(); };
  EXPECT_TRUE(Eventually([&] { return report().refusal().code() == code; }))
      << report().DebugString();
}

double Scene::MetricOf(const std::string& name) const {
  std::istringstream lines(site_.Page("/metrics").body);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind(name, 0) != 0) continue;
    return std::strtod(line.substr(line.rfind(' ')).c_str(), nullptr);
  }
  return -1;
}

void Scene::ExpectMetric(const std::string& name, double value) const {
  const std::string full = "headgate_local_" + name;
  EXPECT_TRUE(Eventually([&] { return MetricOf(full) == value; }))
      << full << " is " << MetricOf(full) << ", not " << value;
}

}  // namespace headgate::test
