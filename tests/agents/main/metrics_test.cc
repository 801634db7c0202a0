#include "agents/main/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/metric_family.h>

#include <fstream>
#include <set>
#include <string>

#include "tests/support/places.h"

namespace headgate::agent {
namespace {

std::set<std::string> DocumentedNames() {
  std::set<std::string> names;
  for (const char* name : {"docs/agents/haproxy.md", "docs/agents/endpoint.md"}) {
    std::ifstream page(InSources(name));
    std::string line;
    while (std::getline(page, line)) {
      if (line.rfind("| headgate_", 0) != 0) continue;
      names.insert(line.substr(2, line.find(' ', 2) - 2));
    }
  }
  return names;
}

TEST(Metrics, AreThoseOfTheDocumentation) {
  const Outbox outbox;
  std::set<std::string> names;
  for (const auto& family : Metrics(outbox, [] { return true; }).Collect()) {
    names.insert(family.name);
  }
  EXPECT_EQ(names, DocumentedNames());
}

TEST(Metrics, TellEachGateApart) {
  Outbox outbox;
  GateWord word;
  word.standing.gate = "shop";
  word.standing.enforced = *Share::Parse("5%");
  word.counters.admitted = 7;
  word.counters.slow[500] = 3;
  outbox.Put(word);
  word.standing.gate = "bank";
  outbox.Put(word);
  for (const auto& family : Metrics(outbox, [] { return false; }).Collect()) {
    if (family.name == "headgate_local_enforced_share_ratio") {
      ASSERT_EQ(family.metric.size(), 2U);
      EXPECT_EQ(family.metric[0].label[0].value, "bank");
      EXPECT_DOUBLE_EQ(family.metric[0].gauge.value, 0.05);
    }
    if (family.name == "headgate_local_admitted_total") {
      EXPECT_DOUBLE_EQ(family.metric[1].counter.value, 7);
    }
    if (family.name == "headgate_local_slow_answers_total") {
      EXPECT_EQ(family.metric[0].label[1].value, "500");
    }
  }
}

TEST(Metrics, TellWhenTheCertificateEnds) {
  const Outbox outbox;
  const auto value = [&](std::optional<TimePoint> end) {
    const Metrics metrics(
        outbox, [] { return true; }, nullptr, [&] { return CertificateWord{.end = end}; });
    for (const auto& family : metrics.Collect()) {
      if (family.name == "headgate_local_certificate_not_after_seconds") {
        return family.metric[0].gauge.value;
      }
    }
    return -1.0;
  };
  EXPECT_DOUBLE_EQ(value(FromUnixMillis(1'723'658'400'000)), 1'723'658'400);
  EXPECT_DOUBLE_EQ(value(std::nullopt), 0);
}

}  // namespace
}  // namespace headgate::agent
