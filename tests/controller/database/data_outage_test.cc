// Comparing data while something goes on or goes wrong: writes, interruptions, dead and damaged
// servers, tables that cannot be read.
#include <gmock/gmock.h>

#include <fstream>
#include <thread>

#include "controller/database/data_comparison.h"
#include "tests/controller/database/compared.h"

namespace headgate::database {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

auto Unknown(const std::string& server, const std::string& text) {
  return AllOf(Field("severity", &Finding::severity, Severity::kUnknown),
               Field("server", &Finding::server, server),
               Field("text", &Finding::text, HasSubstr(text)));
}

auto IsFailed() { return Field("severity", &Finding::severity, Severity::kFailed); }

class DataOutage : public ComparedTest {};

TEST_F(DataOutage, OfHeavyWritesRaisesNoAlarm) {
  Writer writer([] { WriteBusily(300); });
  for (int i = 0; i < 5 || (writer.rounds() < 2 && i < 1'000); ++i) {
    EXPECT_THAT(Compare(Only({"items"})).findings, IsEmpty());
  }
}

TEST_F(DataOutage, OfHeavyWritesHidesNoneOfTheRowsThatDiffer) {
  lab_->Sql("db3", "UPDATE items SET b = 'x' WHERE id = 2001");
  lab_->Sql("db3", "DELETE FROM items WHERE id = 2002");
  lab_->Sql("db3", "INSERT INTO items VALUES (50000, 1)");
  Writer writer([] { WriteBusily(300); });
  for (int i = 0; i < 3; ++i) {
    const Result result = Compare(Only({"items"}));
    std::vector<std::string> ids;
    for (const RowDifference& row : result.differences) {
      EXPECT_EQ(row.server, "db3");
      ids.push_back(row.key.at(0).second);
    }
    EXPECT_THAT(ids, UnorderedElementsAre("2001", "2002", "50000"));
  }
  writer.Stop();
  lab_->Sql("db3",
            "DELETE FROM items WHERE id = 50000; UPDATE items SET b = 'item 2001' WHERE id = 2001; "
            "INSERT INTO items VALUES (2002, 0, 'item 2002', 3003.00, '2024-01-01 00:33:22+00')");
  WaitUntilInStep();
  EXPECT_THAT(Compare(Only({"items"})).findings, IsEmpty());
}

TEST_F(DataOutage, OfAReplicaThatIsBehindIsUnknownUntilItHasCaughtUp) {
  lab_->Sql("db2", "SELECT pg_wal_replay_pause()");
  ASSERT_TRUE(testing::WaitUntil(
      [&] { return lab_->Sql("db2", "SELECT pg_get_wal_replay_pause_state()") == "paused"; },
      Duration(5'000)));
  lab_->Sql("db1", "UPDATE items SET a = 77 WHERE id = 1500");
  ComparisonOptions options = Only({"items"});
  options.patience.replay = Duration(300);
  const Result behind = Compare(options);
  lab_->Sql("db2", "SELECT pg_wal_replay_resume()");
  EXPECT_THAT(behind.findings,
              ElementsAre(Unknown("db2",
                                  "table public.items: 1 rows could not be compared: it did "
                                  "not replay the primary's position within 300ms")));
  EXPECT_THAT(Compare(Only({"items"})).findings, IsEmpty());
}

TEST_F(DataOutage, OfTheComparisonItselfIsGoneOnFrom) {
  lab_->Sql("db3", "UPDATE items SET b = 'x' WHERE id IN (10, 2900)");
  const Inventory inventory = Trio();
  std::string state;
  {
    Servers servers(inventory);
    DataComparison first(inventory, {}, dialect_, servers, clock_);
    // In the middle of items: customers, of 2,000 rows, comes first.
    StepOn(first, 2'001);
    ASSERT_FALSE(first.IsDone());
    state = first.Save();
  }
  Servers servers(inventory);
  DataComparison second(inventory, {}, dialect_, servers, clock_);
  ASSERT_TRUE(second.Resume(state).ok());
  StepOn(second);
  lab_->Sql("db3", "UPDATE items SET b = NULL WHERE id IN (10, 2900)");
  // Each row was compared once.
  EXPECT_EQ(second.Progress().rows_done, 2'000U + 3'000U + 5'000U + 500U);
  EXPECT_THAT(second.Findings(), ElementsAre(Field(&Finding::text, HasSubstr("(id = 10)")),
                                             Field(&Finding::text, HasSubstr("(id = 2900)"))));

  Inventory other = inventory;
  other.replicas.pop_back();
  Servers others(other);
  DataComparison third(other, {}, dialect_, others, clock_);
  EXPECT_FALSE(third.Resume(state).ok());
}

TEST_F(DataOutage, EndsSoonWhenInterruptedAndLosesNothing) {
  const Inventory inventory = Trio();
  Servers servers(inventory);
  DataComparison comparison(inventory, {}, dialect_, servers, clock_);
  StepOn(comparison, 1);
  const std::string state = comparison.Save();
  lab_->Do("pause db1");
  std::thread interrupter([&] { servers.Interrupt(); });
  comparison.Step();
  interrupter.join();
  comparison.Step();
  lab_->Do("resume db1");
  EXPECT_FALSE(comparison.IsDone());
  EXPECT_EQ(comparison.Save(), state);
  EXPECT_THAT(comparison.Findings(), IsEmpty());
}

TEST_F(DataOutage, OfOneReplicaIsToldAndTheOthersAreComparedToTheirEnd) {
  lab_->Sql("db3", "UPDATE items SET b = 'x' WHERE id = 2900");
  const Inventory inventory = Trio();
  Servers servers(inventory);
  DataComparison comparison(inventory, {}, dialect_, servers, clock_);
  StepOn(comparison, 1);
  lab_->Do("kill db2");
  StepOn(comparison);
  lab_->Do("start db2");
  lab_->Sql("db3", "UPDATE items SET b = NULL WHERE id = 2900");
  EXPECT_THAT(comparison.Findings(),
              UnorderedElementsAre(
                  AllOf(IsFailed(), Field(&Finding::text, HasSubstr("db3: table public.items: row "
                                                                    "(id = 2900)"))),
                  Unknown("db2", "it does not answer any more")));
  // What was not compared with it is compared again by whoever goes on from here.
  DataComparison second(inventory, {}, dialect_, servers, clock_);
  ASSERT_TRUE(second.Resume(comparison.Save()).ok());
  WaitUntilInStep();
  StepOn(second);
  EXPECT_THAT(second.Findings(), Not(Contains(Field(&Finding::server, "db2"))));
}

TEST_F(DataOutage, OfOneReplicaHidesNothingFromWhoeverGoesOnWithIt) {
  const Inventory inventory = Trio();
  std::string state;
  {
    Servers servers(inventory);
    DataComparison comparison(inventory, Only({"items"}), dialect_, servers, clock_);
    // Before the first chunk.
    while (comparison.Progress().tables == 0) comparison.Step();
    lab_->Do("kill db3");
    StepOn(comparison, 2'000);
    ASSERT_FALSE(comparison.IsDone());
    EXPECT_EQ(comparison.Dropped(), std::set<std::string>{"db3"});
    EXPECT_THAT(comparison.Hindrance(), HasSubstr("db3: it does not answer any more"));
    state = comparison.Save();
    lab_->Do("start db3");
  }
  WaitUntilInStep();
  // Among the rows that were compared without it.
  lab_->Sql("db3", "UPDATE items SET b = 'x' WHERE id = 11");
  Servers servers(inventory);
  DataComparison second(inventory, Only({"items"}), dialect_, servers, clock_);
  ASSERT_TRUE(second.Resume(state).ok());
  StepOn(second);
  lab_->Sql("db3", "UPDATE items SET b = 'item 11' WHERE id = 11");
  EXPECT_THAT(second.Findings(), ElementsAre(Field(&Finding::text, HasSubstr("(id = 11)"))));
}

TEST_F(DataOutage, OfThePrimaryIsUnknown) {
  const Inventory inventory = Trio();
  Servers servers(inventory);
  DataComparison comparison(inventory, {}, dialect_, servers, clock_);
  StepOn(comparison, 1);
  lab_->Do("kill db1");
  StepOn(comparison);
  lab_->Do("start db1");
  EXPECT_THAT(comparison.Findings(), Not(IsEmpty()));
  EXPECT_THAT(comparison.Findings(), Each(Unknown("primary", "")));
}

TEST_F(DataOutage, OfRightsAndKeysIsUnknownWithItsReason) {
  const std::string log = "CREATE TABLE log (line text)";
  lab_->Sql("db3", log);
  lab_->Sql("db1", log);
  Refresh();
  lab_->Sql(
      "db1",
      "ALTER TABLE orders ENABLE ROW LEVEL SECURITY; REVOKE pg_read_all_data FROM headgate; "
      "GRANT SELECT ON customers, log, items TO headgate; GRANT SELECT ON orders TO headgate");
  WaitUntilInStep();
  const Result result = Compare();
  lab_->Sql("db1",
            "ALTER TABLE orders DISABLE ROW LEVEL SECURITY; GRANT pg_read_all_data TO headgate; "
            "REVOKE SELECT ON customers, log, items, orders FROM headgate; DROP TABLE log");
  lab_->Sql("db3", "DROP TABLE log");
  Refresh();
  EXPECT_THAT(result.findings,
              UnorderedElementsAre(
                  Unknown("db2", "table public.log was not compared: it has no primary key"),
                  Unknown("db3", "table public.log was not compared: it has no primary key"),
                  Unknown("primary",
                          "table public.orders was not compared: row-level security hides rows "
                          "of it from the role headgate"),
                  Unknown("primary",
                          "table public.products was not compared: the role headgate may not "
                          "read it")));
}

TEST_F(DataOutage, OfAWholeTableIsCountedToItsLastRow) {
  const std::string table = "CREATE TABLE wiped (id int PRIMARY KEY, x int)";
  lab_->Sql("db3", table);
  lab_->Sql("db1", table + "; INSERT INTO wiped SELECT i, i FROM generate_series(1, 3000) i");
  Refresh();
  WaitUntilInStep();
  lab_->Sql("db3", "TRUNCATE wiped");
  const Result result = Compare(Trio(), Only({"wiped"}));
  lab_->Sql("db1", "DROP TABLE wiped");
  lab_->Sql("db3", "DROP TABLE wiped");
  Refresh();
  std::size_t rows = 0;
  for (const Finding& finding : result.findings) {
    const auto number_behind = [&](const std::string& words) {
      const std::size_t at = finding.text.find(words);
      return at == std::string::npos ? 0 : std::stoul(finding.text.substr(at + words.size()));
    };
    if (finding.text.ends_with(" is missing here")) ++rows;
    if (finding.text.find(" more rows differ") != std::string::npos) {
      rows += number_behind("table public.wiped: ");
    }
    rows += number_behind("row by row: parts with ");
  }
  EXPECT_EQ(rows, 3'000U) << ::testing::PrintToString(result.findings);
}

TEST_F(DataOutage, IncludesADamagedPageOnAStandby) {
  lab_->Sql("db1", "CHECKPOINT");
  WaitUntilInStep();
  lab_->Sql("db2", "CHECKPOINT");
  const std::string path =
      lab_->Folder() + "/db2/" + lab_->Sql("db2", "SELECT pg_relation_filepath('products')");
  lab_->Do("stop db2");
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  ASSERT_TRUE(file.is_open()) << path;
  std::string page(8'192, '\0');
  file.read(page.data(), 8'192);
  const auto write = [&](const std::string& bytes) {
    file.seekp(0);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.flush();
  };
  write(std::string(64, '\x5a'));
  lab_->Do("start db2");
  const Result result = Compare(Only({"products", "items"}));
  lab_->Do("stop db2");
  write(page);
  lab_->Do("start db2");
  WaitUntilInStep();
  EXPECT_THAT(result.findings,
              ElementsAre(AllOf(IsFailed(), Field(&Finding::kind, "damaged"),
                                Field(&Finding::drains, true), Field(&Finding::server, "db2"),
                                Field(&Finding::text, HasSubstr("invalid page in block 0")))));
  EXPECT_THAT(Compare(Only({"products"})).findings, IsEmpty());
}

}  // namespace
}  // namespace headgate::database
