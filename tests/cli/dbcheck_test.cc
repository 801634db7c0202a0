// `headgate dbcheck` against a primary, a standby and a logical replica.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "cli/dbcheck_allowed.h"
#include "cli/dbcheck_inventory.h"
#include "cli/dbcheck_told.h"
#include "tests/cli/caller.h"
#include "tests/controller/database/lab.h"
#include "tests/support/temp_folder.h"

namespace headgate::cli {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Words = std::vector<std::string>;

class DbcheckTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { lab_ = std::make_unique<testing::DatabaseLab>(); }
  static void TearDownTestSuite() { lab_.reset(); }

  static Words Trio(const Words& more = {}) {
    Words words = {"dbcheck",
                   "--primary",
                   lab_->Dsn("db1"),
                   "--replica",
                   "db2=" + lab_->Dsn("db2"),
                   "--replica",
                   "db3=" + lab_->Dsn("db3")};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  Said Type(const Words& words) {
    Caller caller("unused");
    caller.way_in.clear();
    return caller.Type(words);
  }

  std::string Read(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  static std::unique_ptr<testing::DatabaseLab> lab_;
  const test::TempFolder folder_;
};

std::unique_ptr<testing::DatabaseLab> DbcheckTest::lab_;

TEST_F(DbcheckTest, SaysSameOfAHealthyTrioAndAsksHowEachReplicates) {
  const Said text = Type(Trio({"--wait", "--timeout", "30s"}));
  EXPECT_EQ(text.code, 0) << text.out << text.err;
  EXPECT_THAT(text.out, HasSubstr("database: same (7500 rows of 3 tables compared"));
  const Said said = Type(Trio({"-o", "json"}));
  EXPECT_EQ(said.code, 0) << said.out;
  const json document = json::parse(said.out);
  EXPECT_EQ(document["verdict"], "same");
  EXPECT_EQ(document["exit"], 0);
  const json& database = document["databases"][0];
  EXPECT_EQ(database["engine"], "postgres");
  EXPECT_EQ(database["rows"], 7'500);
  EXPECT_EQ(database["replicas"][0]["kind"], "physical");
  EXPECT_EQ(database["replicas"][1]["kind"], "logical");
  EXPECT_TRUE(database["differences"].empty());
}

TEST_F(DbcheckTest, NamesTheRowsThatDiffer) {
  lab_->Sql("db3", "UPDATE products SET price = 1 WHERE id = 77; DELETE FROM orders WHERE id = 8");
  const Said text = Type(Trio());
  const Said said = Type(Trio({"-o", "json"}));
  const Said only = Type(Trio({"--tables", "customers,public.orders", "-o", "json"}));
  lab_->Sql("db3",
            "UPDATE products SET price = 86.99 WHERE id = 77; "
            "INSERT INTO orders SELECT 8, 9, 9, 3, 59.97, 'new', placed_at FROM orders LIMIT 1");
  EXPECT_EQ(text.code, 3);
  EXPECT_THAT(text.out, HasSubstr("FAILED   replica db3: table public.products: row (id = 77) "
                                  "differs from the primary's in price"));
  EXPECT_THAT(text.out, HasSubstr("database: DIFFERENT"));
  EXPECT_EQ(said.code, 3);
  const json differences = json::parse(said.out)["databases"][0]["differences"];
  EXPECT_EQ(differences, json::parse(R"([
      {"engine": "postgres", "replica": "db3", "table": "public.orders", "kind": "row_missing",
       "key": {"id": "8"}, "columns": []},
      {"engine": "postgres", "replica": "db3", "table": "public.products", "kind": "row_different",
       "key": {"id": "77"}, "columns": ["price"]}])"));
  EXPECT_EQ(json::parse(only.out)["databases"][0]["differences"].size(), 1U);
}

TEST_F(DbcheckTest, TellsASchemaThatDiffersAndLetsOneBeAllowed) {
  lab_->Sql("db3", "ALTER TABLE orders ADD gift text");
  const Said said = Type(Trio({"--schema-only", "-o", "json"}));
  const Said allowed = Type(Trio({"--schema-only", "--allow", "table *.orders: column gift"}));
  const Said other = Type(Trio({"--schema-only", "--allow", "table *.orders: column other"}));
  lab_->Sql("db3", "ALTER TABLE orders DROP gift");
  EXPECT_EQ(said.code, 3);
  const json difference = json::parse(said.out)["databases"][0]["differences"][0];
  EXPECT_EQ(difference["kind"], "schema");
  EXPECT_EQ(difference["table"], "public.orders");
  EXPECT_EQ(difference["replica"], "db3");
  EXPECT_EQ(allowed.code, 0) << allowed.out;
  EXPECT_THAT(allowed.out, HasSubstr("allowed  replica db3: table public.orders: column gift"));
  EXPECT_EQ(other.code, 3);
}

TEST_F(DbcheckTest, DoesNotWaitForAReplicaThatNothingFedCanMend) {
  lab_->Sql("db3", "ALTER SUBSCRIPTION db3 DISABLE; ALTER TABLE orders ADD gift text");
  const Said said = Type(Trio({"--schema-only", "--wait", "--timeout", "60s"}));
  lab_->Sql("db3", "ALTER TABLE orders DROP gift; ALTER SUBSCRIPTION db3 ENABLE");
  EXPECT_EQ(said.code, 3) << said.out;
  EXPECT_THAT(said.out, HasSubstr("replica db3: table public.orders: column gift is text here"));
  EXPECT_EQ(Type(Trio({"--schema-only", "--wait", "--timeout", "60s"})).code, 0);
}

TEST_F(DbcheckTest, CountsATableOnceOfWhichReplicasHaveDifferentColumns) {
  lab_->Sql("db1", "ALTER TABLE orders ADD gift text");
  const Said said = Type(Trio());
  lab_->Sql("db1", "ALTER TABLE orders DROP gift");
  EXPECT_EQ(said.code, 3) << said.out;
  EXPECT_THAT(said.out, HasSubstr("DIFFERENT (12500 rows of 3 tables compared"));
}

TEST_F(DbcheckTest, HoldsServersAgainstABaselineThatItWrote) {
  const std::string file = folder_.path() + "/baseline";
  const Words primary = {"dbcheck", "--primary", lab_->Dsn("db1")};
  const auto with = [&](const Words& more) {
    Words words = primary;
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  EXPECT_EQ(Type(with({"--write-baseline", file})).code, 0);
  EXPECT_THAT(Read(file),
              HasSubstr("\npublic | orders | column | total | numeric(10,2) not null\n"));
  EXPECT_EQ(Type(with({"--baseline", file})).code, 0);
  lab_->Sql("db1", "CREATE INDEX by_total ON orders (total)");
  const Said said = Type(with({"--baseline", file}));
  lab_->Sql("db1", "DROP INDEX by_total");
  EXPECT_EQ(said.code, 3);
  EXPECT_THAT(said.out, HasSubstr("the primary: table public.orders: index by_total is CREATE "
                                  "INDEX by_total ON public.orders USING btree (total) here; in "
                                  "the baseline there is none"));
  std::ofstream(file) << "something else\n";
  EXPECT_EQ(Type(with({"--baseline", file})).code, 2);
}

TEST_F(DbcheckTest, HoldsThePrimaryAgainstTheBaselineBesideThePlanAndTellsLineByLine) {
  const std::string plan = folder_ / "plan.yaml";
  test::WriteFile(plan,
                  "gate: shop\npreflight: {agents: [edge-1]}\nchecks:\n"
                  "  - {name: errors, ratio: agents.http_5xx, limit: 1%}\n"
                  "databases:\n  orders:\n    engine: postgres\n    primary: '" +
                      lab_->Dsn("db1") + "'\n    expect: schema.baseline\n");
  const Said none = Type({"validate", plan});
  EXPECT_EQ(none.code, 3);
  EXPECT_THAT(none.err, HasSubstr("plan.yaml:9:13: databases.orders.expect: "));
  EXPECT_THAT(none.err, HasSubstr("schema.baseline does not exist: headgate dbcheck "
                                  "--write-baseline writes one"));
  // It is about to be written.
  EXPECT_EQ(Type({"dbcheck", plan, "--write-baseline", folder_ / "schema.baseline"}).code, 0);
  const Said sound = Type({"validate", plan});
  EXPECT_EQ(sound.code, 0) << sound.err;
  EXPECT_THAT(sound.out, HasSubstr("its primary has the schema of schema.baseline (fingerprint "));
  const json tables = json::parse(
      Type({"validate", plan, "-o", "json"}).out)["databases"]["orders"]["expect"]["tables"];
  EXPECT_TRUE(tables.contains("table public.orders")) << tables;
  EXPECT_EQ(Type({"dbcheck", plan}).code, 0);
  lab_->Sql("db1", "ALTER TABLE orders ADD gift text");
  const Said said = Type({"dbcheck", plan});
  lab_->Sql("db1", "ALTER TABLE orders DROP gift");
  EXPECT_EQ(said.code, 3) << said.out;
  EXPECT_THAT(said.out, HasSubstr("the primary: table public.orders: column gift is text here; in "
                                  "the baseline there is none"));
}

TEST_F(DbcheckTest, CouldNotTellOfAServerThatIsNotThere) {
  lab_->Do("stop db2");
  const Said said = Type(Trio());
  // One that waits is told why, but not at each look, and when its time is up.
  const Said waited = Type(Trio({"--wait", "--timeout", "3500ms"}));
  lab_->Do("start db2");
  EXPECT_EQ(said.code, 12) << said.out;
  EXPECT_THAT(said.out, HasSubstr("replica db2"));
  EXPECT_THAT(said.out, HasSubstr("database: could not tell"));
  EXPECT_EQ(waited.code, 12) << waited.out;
  const auto first = waited.err.find("headgate: waiting: ");
  ASSERT_NE(first, std::string::npos) << waited.err;
  EXPECT_EQ(waited.err.find("headgate: ", first + 1), std::string::npos) << waited.err;
}

TEST_F(DbcheckTest, TakesThePlansDatabases) {
  const std::string file = folder_.path() + "/plan.yaml";
  std::ofstream(file) << "gate: shop\npreflight: {agents: [edge-1]}\nchecks:\n"
                         "  - {name: errors, ratio: agents.http_5xx, limit: 1%}\n"
                         "ramp: {steps: adaptive}\ndatabases:\n  orders:\n"
                         "    engine: postgres\n    primary: '"
                      << lab_->Dsn("db1") << "'\n    replicas:\n      - {name: db2, dsn: '"
                      << lab_->Dsn("db2") << "', kind: physical}\n";
  const Said said = Type({"dbcheck", file});
  EXPECT_EQ(said.code, 0) << said.out << said.err;
  EXPECT_THAT(said.out, HasSubstr("orders: same"));
  EXPECT_EQ(Type({"dbcheck", file, "--database", "hope"}).code, 2);
}

TEST_F(DbcheckTest, AllowsTheRowsOfATableThatThePlanLetsDiffer) {
  const auto with = [&](const std::string& allowed) {
    const std::string file = folder_ / "plan.yaml";
    test::WriteFile(file,
                    "gate: shop\npreflight: {agents: [edge-1]}\nchecks:\n"
                    "  - {name: errors, ratio: agents.http_5xx, limit: 1%}\n"
                    "databases:\n  orders:\n    engine: postgres\n    primary: '" +
                        lab_->Dsn("db1") + "'\n    replicas: [{name: db3, kind: logical, dsn: '" +
                        lab_->Dsn("db3") + "'}]\n    allow: [" + allowed + "]\n");
    return file;
  };
  lab_->Sql("db3", "UPDATE products SET price = 1 WHERE id = 77");
  const Said said = Type({"dbcheck", with("public.products")});
  const Said document = Type({"dbcheck", with("public.products"), "-o", "json"});
  const Said other = Type({"dbcheck", with("public.orders")});
  lab_->Sql("db3", "UPDATE products SET price = 86.99 WHERE id = 77");
  EXPECT_EQ(said.code, 0) << said.out;
  EXPECT_THAT(said.out, HasSubstr("allowed  replica db3: table public.products: row (id = 77)"));
  EXPECT_TRUE(json::parse(document.out)["databases"][0]["differences"].empty()) << document.out;
  EXPECT_EQ(other.code, 3) << other.out;
}

TEST_F(DbcheckTest, KeepsWhatItHasComparedWhenItsTimeIsUpAndGoesOnFromThere) {
  const std::string file = folder_.path() + "/state";
  const Said first = Type(Trio({"--state", file, "--timeout", "1ms"}));
  EXPECT_EQ(first.code, 12) << first.out;
  EXPECT_TRUE(std::filesystem::exists(file));
  const Said other = Type(Trio({"--state", file, "--tables", "orders"}));
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("remove it to begin anew"));
  const Said second = Type(Trio({"--state", file}));
  EXPECT_EQ(second.code, 0) << second.out;
  EXPECT_FALSE(std::filesystem::exists(file));
}

// Hours of comparing may be in it.
TEST_F(DbcheckTest, DoesNotTakeAStateThatItCannotUseForTheFirstRun) {
  const auto refuses = [&](const std::string& file, const std::string& why) {
    const Said said = Type(Trio({"--state", file}));
    EXPECT_EQ(said.code, 2) << said.out;
    EXPECT_THAT(said.err, HasSubstr(why));
    EXPECT_THAT(said.err, HasSubstr("to begin anew"));
  };
  const std::string file = folder_ / "state";
  test::WriteFile(file, "");
  refuses(file, "state is empty: it was not fully written");
  test::WriteFile(file, "headgate dbcheck state 1\nrows\t7\n");
  refuses(file, "its end is missing: it was not fully written");
  test::WriteFile(file, "something else\n");
  refuses(file, "it is no state of a comparison");
  refuses(folder_.path(), " cannot be read: Is a directory");
  std::filesystem::create_symlink(file, folder_ / "loop");
  std::filesystem::remove(file);
  std::filesystem::create_symlink(folder_ / "loop", file);
  refuses(file, " cannot be read: Too many levels of symbolic links");
}

TEST_F(DbcheckTest, RefusesAPasswordOnTheCommandLineWithoutRepeatingIt) {
  for (const Words& words :
       {Words{"dbcheck", "--primary", "host=db1 password=hunter2", "--replica", "host=db2"},
        Words{"dbcheck", "--primary", "host=db1", "--replica", "db2=host=db2 password=hunter2"},
        Words{"dbcheck", "--primary", "host=db1", "--replica", "postgresql://u:hunter2@db2/shop"},
        Words{"dbcheck", "--primary", "host=db1 pasword=hunter2", "--replica", "host=db2"}}) {
    const Said said = Type(words);
    EXPECT_EQ(said.code, 2);
    EXPECT_THAT(said.err, Not(HasSubstr("hunter2")));
  }
  EXPECT_THAT(Type({"dbcheck", "--primary", "host=db1 password=x", "--replica", "host=db2"}).err,
              HasSubstr("passfile="));
}

TEST(DbcheckArguments, SayWhatIsWrongWithThem) {
  const std::vector<std::pair<Words, std::string>> cases = {
      {{"dbcheck"}, "dbcheck needs a PLAN, or --primary and --replica"},
      {{"dbcheck", "p.yaml", "--primary", "host=a"}, "give one"},
      {{"dbcheck", "p.yaml", "--replica", "host=a"}, "--replica goes with --primary"},
      {{"dbcheck", "--primary", "host=a"}, "give --replica"},
      {{"dbcheck", "--primary", "host=a", "--database", "x", "--replica", "host=b"},
       "--database goes with a PLAN"},
      {{"dbcheck", "p.yaml", "--cpu-share", "0%"}, "--cpu-share '0%' is refused: write 1% to 100%"},
      {{"dbcheck", "p.yaml", "--cpu-share", "120%"}, "is refused"},
      {{"dbcheck", "p.yaml", "--schema-only", "--tables", "a"}, "--schema-only compares no data"},
      {{"dbcheck", "p.yaml", "--engine", "oracle"}, "oracle"},
      {{"dbcheck", "p.yaml", "--kind", "both"}, "both"},
      {{"dbcheck", "--primary", "host=a", "--replica", "host=b", "--engine", "mariadb", "--kind",
        "logical"},
       "--kind is PostgreSQL's"},
      {{"dbcheck", "p.yaml", "--baseline", "a", "--write-baseline", "b"}, "contradict each other"}};
  for (const auto& [words, text] : cases) {
    const auto parsed = ParseArguments(words, [](const std::string&) { return std::string(); });
    const auto* answer = std::get_if<Answer>(&parsed);
    ASSERT_NE(answer, nullptr) << text;
    EXPECT_EQ(answer->code, ExitCode::kUsage);
    EXPECT_THAT(answer->text, HasSubstr(text));
  }
}

TEST(SplitReplica, TellsANameFromAnOptionOfTheConnection) {
  using Pair = std::pair<std::string, std::string>;
  EXPECT_EQ(SplitReplica("db2=host=10.0.0.2 dbname=shop", database::Engine::kPostgres),
            Pair("db2", "host=10.0.0.2 dbname=shop"));
  EXPECT_EQ(SplitReplica("host=10.0.0.2 dbname=shop", database::Engine::kPostgres),
            Pair("", "host=10.0.0.2 dbname=shop"));
  EXPECT_EQ(SplitReplica("db2=postgresql://db2/shop", database::Engine::kPostgres),
            Pair("db2", "postgresql://db2/shop"));
  EXPECT_EQ(SplitReplica("postgresql://db2/shop?sslmode=require", database::Engine::kPostgres),
            Pair("", "postgresql://db2/shop?sslmode=require"));
  EXPECT_EQ(SplitReplica("service=db2", database::Engine::kPostgres), Pair("", "service=db2"));
}

TEST(AllowedDifferences, AreWrittenAsTheyAreTold) {
  const std::string text = "table public.orders: column gift is text here; the primary has none";
  EXPECT_TRUE(FitsPattern(text, "table public.orders: column gift"));
  EXPECT_TRUE(FitsPattern(text, "table *: column gift is *none"));
  EXPECT_TRUE(FitsPattern(text, "*"));
  EXPECT_FALSE(FitsPattern(text, "column gift"));
  EXPECT_FALSE(FitsPattern(text, "table public.orders: column other"));
  EXPECT_FALSE(IsAllowed({.text = "replica db3: " + text}, {""}));
  EXPECT_TRUE(IsAllowed({.text = "replica db3: " + text}, {"x", "table public.orders"}));
}

TEST(ProgressOfData, TellsTheTimeLeftBeforeWhatANarrowTerminalCuts) {
  database::ComparisonProgress progress{.table = "public.orders",
                                        .tables_done = 1,
                                        .tables = 3,
                                        .rows_done = 250'000,
                                        .rows_estimated = 1'000'000};
  EXPECT_THAT(ProgressText(progress, Duration(10'000), true),
              AllOf(StartsWith("["), HasSubstr("] 25 %, 30 s left  public.orders  250000 of ")));
  // Right after a restore there are no statistics.
  progress.rows_estimated = 250'000;
  EXPECT_EQ(ProgressText(progress, Duration(10'000), true),
            "250000 rows, more than the primary's statistics know of  public.orders");
}

TEST(JudgeSameness, IsDifferentOnlyWhereADifferenceIsProven) {
  const auto judge = [](database::Severity severity, const std::string& kind) {
    return JudgeSameness({{.severity = severity, .kind = kind}});
  };
  EXPECT_EQ(JudgeSameness({}), Sameness::kSame);
  EXPECT_EQ(judge(database::Severity::kFailed, "data"), Sameness::kDifferent);
  EXPECT_EQ(judge(database::Severity::kFailed, "schema"), Sameness::kDifferent);
  EXPECT_EQ(judge(database::Severity::kUnknown, "data"), Sameness::kUnknown);
  EXPECT_EQ(judge(database::Severity::kFailed, "unreachable"), Sameness::kUnknown);
  EXPECT_EQ(judge(database::Severity::kFailed, "same_server"), Sameness::kUnknown);
  EXPECT_EQ(judge(database::Severity::kDegraded, "lag"), Sameness::kSame);
  EXPECT_EQ(judge(database::Severity::kDegraded, "not_published"), Sameness::kUnknown);
  EXPECT_EQ(JudgeSameness({{.severity = database::Severity::kUnknown, .kind = "timeout"},
                           {.severity = database::Severity::kFailed, .kind = "data"}}),
            Sameness::kDifferent);
}

}  // namespace
}  // namespace headgate::cli
