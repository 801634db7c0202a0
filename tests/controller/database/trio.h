// The shop's three servers as a fixture: a primary db1, its standby db2, a logical replica db3.
// Each test leaves them as it found them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "controller/database/postgres_probe.h"
#include "controller/database/postgres_session.h"
#include "tests/controller/database/finding_matchers.h"
#include "tests/controller/database/lab.h"

namespace headgate::database {

class TrioTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { lab_ = std::make_unique<testing::DatabaseLab>(); }
  static void TearDownTestSuite() { lab_.reset(); }

  void SetUp() override { WaitUntilHealthy(); }

  static Inventory Trio() {
    Inventory inventory;
    inventory.name = "orders";
    inventory.primary_dsn = lab_->Dsn("db1");
    inventory.replicas = {
        {.name = "db2", .dsn = lab_->Dsn("db2"), .kind = ReplicaKind::kPhysical, .out = false},
        {.name = "db3", .dsn = lab_->Dsn("db3"), .kind = ReplicaKind::kLogical, .out = false}};
    return inventory;
  }

  static PostgresProbe::Deadlines Hurried() {
    PostgresProbe::Deadlines deadlines;
    deadlines.fingerprint.confirm = Duration(1'000);
    deadlines.fingerprint.apart = Duration(50);
    return deadlines;
  }

  void WaitUntilHealthy(Duration patience = Duration(30'000)) {
    PostgresProbe probe(Trio());
    Report report;
    EXPECT_TRUE(testing::WaitUntil(
        [&] {
          report = probe.Look(clock_);
          return report.findings.empty();
        },
        patience))
        << report.findings.front().text;
  }

  // Looks until there is such a finding; the newest report.
  Report LookUntil(PostgresProbe& probe, const std::string& kind) {
    Report report;
    testing::WaitUntil(
        [&] {
          report = probe.Look(clock_);
          return Has(report, kind);
        },
        Duration(20'000));
    return report;
  }

  static bool Has(const Report& report, const std::string& kind) {
    return std::any_of(report.findings.begin(), report.findings.end(),
                       [&](const Finding& finding) { return finding.kind == kind; });
  }

  // As headgate itself would: the answer's first cell, or why there is none.
  absl::StatusOr<Rows> Ask(const std::string& server, const std::string& sql,
                           std::vector<std::string> parameters = {}) {
    PostgresSession session(lab_->Dsn(server));
    session.Begin({{.sql = sql, .parameters = std::move(parameters)}}, Session::Deadlines(),
                  clock_.Now());
    RunSessions({&session}, clock_, -1);
    return session.Answers().front();
  }

  static inline std::unique_ptr<testing::DatabaseLab> lab_;
  SteadyClock clock_;
};

}  // namespace headgate::database
