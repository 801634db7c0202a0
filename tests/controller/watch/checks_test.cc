#include "controller/watch/checks.h"

#include <gtest/gtest.h>

#include "controller/database/probe.h"

namespace headgate::watch {
namespace {

using database::Severity;

database::Report With(std::vector<database::Finding> findings) {
  return {.findings = std::move(findings), .observed_at = TimePoint()};
}

database::Finding A(Severity severity, const std::string& kind) {
  return {.severity = severity, .drains = false, .kind = kind, .server = "db2", .text = kind};
}

TEST(Checks, AreAllHealthyWithoutFindings) {
  const auto standings = Weigh(With({}));
  EXPECT_EQ(standings.size(), kChecks.size());
  for (const auto& [check, standing] : standings) {
    EXPECT_EQ(standing.verdict, Verdict::kHealthy) << NameOf(check);
  }
  EXPECT_TRUE(IsComplete(With({})));
}

TEST(Checks, HaveTheWorstOfTheirFindingsAndSayWhich) {
  const auto standings =
      Weigh(With({A(Severity::kDegraded, "lag"), A(Severity::kFailed, "lag"),
                  A(Severity::kUnknown, "bytes_behind"), A(Severity::kDegraded, "connections")}));
  EXPECT_EQ(standings.at(Check::kLag).verdict, Verdict::kFailed);
  EXPECT_EQ(standings.at(Check::kLag).why, "lag");
  EXPECT_EQ(standings.at(Check::kLoad).verdict, Verdict::kDegraded);
  EXPECT_EQ(standings.at(Check::kSchema).verdict, Verdict::kHealthy);
}

TEST(Checks, OfAServerThatDoesNotAnswerAreUnknownAndNotHealthy) {
  const database::Report report = With({A(Severity::kFailed, "unreachable")});
  const auto standings = Weigh(report);
  EXPECT_EQ(standings.at(Check::kServers).verdict, Verdict::kFailed);
  for (const Check check : {Check::kReplication, Check::kLag, Check::kLoad}) {
    EXPECT_EQ(standings.at(check).verdict, Verdict::kUnknown) << NameOf(check);
  }
  EXPECT_FALSE(IsComplete(report));
}

TEST(Checks, DoNotKnowOfDataThatHaveNotBeenComparedWhole) {
  database::Report report = With({});
  report.pending = "the data have not been compared whole yet";
  EXPECT_EQ(Weigh(report).at(Check::kData).verdict, Verdict::kUnknown);
  EXPECT_EQ(Weigh(report).at(Check::kData).why, report.pending);
  EXPECT_EQ(Weigh(report).at(Check::kSchema).verdict, Verdict::kHealthy);
  // A row that differs is a row that differs.
  report.findings = {A(Severity::kFailed, "data")};
  EXPECT_EQ(Weigh(report).at(Check::kData).verdict, Verdict::kFailed);
}

TEST(Checks, SayNothingOfSchemasThatHaveNotBeenCompared) {
  const auto standings = Weigh(With({A(Severity::kUnknown, database::kNotComparedYet)}));
  EXPECT_FALSE(standings.contains(Check::kSchema));
  EXPECT_FALSE(standings.contains(Check::kData));
  EXPECT_TRUE(standings.contains(Check::kLag));
  // Damage that a look saw is told at once.
  EXPECT_EQ(Weigh(With({A(Severity::kUnknown, database::kNotComparedYet),
                        A(Severity::kFailed, "page_corrupt")}))
                .at(Check::kData)
                .verdict,
            Verdict::kFailed);
}

TEST(Checks, KnowWhereTheKindsOfMariadbBelong) {
  const auto standings =
      Weigh(With({A(Severity::kDegraded, "not_read_only"), A(Severity::kFailed, "not_applying"),
                  A(Severity::kFailed, "ahead_of_primary")}));
  EXPECT_EQ(standings.at(Check::kServers).why, "not_read_only");
  EXPECT_EQ(standings.at(Check::kReplication).why, "not_applying");
  EXPECT_EQ(standings.at(Check::kData).why, "ahead_of_primary");
  EXPECT_EQ(standings.at(Check::kSchema).verdict, Verdict::kHealthy);
}

TEST(Checks, LoseNoFindingWhoseKindTheyDoNotKnow) {
  EXPECT_EQ(Weigh(With({A(Severity::kFailed, "invented")})).at(Check::kData).verdict,
            Verdict::kFailed);
}

}  // namespace
}  // namespace headgate::watch
