#include "controller/declared/expectation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/temp_folder.h"

namespace headgate::declared {
namespace {

using ::testing::HasSubstr;

class ExpectationTest : public ::testing::Test {
 protected:
  ExpectationTest() {
    test::WriteFile(folder_ / "schema.baseline",
                    "# headgate baseline 2, postgres: one object a line\n"
                    "audit | log | table |  | a table\n"
                    "public | orders | table |  | a table\n"
                    "public | orders | column | total | numeric(10,2) not null\n");
    spec_.expect = engine::ExpectedSchema{.file = "schema.baseline"};
  }

  absl::StatusOr<Expectation> Read(std::size_t bytes = 1'000) {
    return Expectations(folder_.path(), bytes).Read(spec_);
  }
  std::string WhyNot() { return std::string(Read().status().message()); }

  const test::TempFolder folder_;
  engine::DatabaseSpec spec_;
};

TEST_F(ExpectationTest, HasANumberForEachTableAndOnlyTheFingerprintWhereTheyDoNotFit) {
  const auto whole = Read();
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(whole->schema.size(), 3U);
  EXPECT_EQ(whole->expected.file, "schema.baseline");
  EXPECT_EQ(whole->expected.tables.size(), 2U);
  EXPECT_TRUE(whole->expected.tables.contains("table public.orders"));
  std::size_t bytes = 0;
  for (const auto& [table, number] : whole->expected.tables) {
    bytes += table.size() + engine::kExpectedTableBytes;
  }
  const auto fits = Read(bytes);
  const auto does_not = Read(bytes - 1);
  ASSERT_TRUE(fits.ok() && does_not.ok());
  EXPECT_EQ(fits->expected, whole->expected);
  EXPECT_TRUE(does_not->expected.tables.empty());
  EXPECT_EQ(does_not->expected.fingerprint, whole->expected.fingerprint);
}

TEST_F(ExpectationTest, DatabasesOfOnePlanShareTheRoom) {
  Expectations expectations(folder_.path(), 60);
  const auto first = expectations.Read(spec_);
  const auto second = expectations.Read(spec_);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->expected.tables.size(), 2U);
  EXPECT_TRUE(second->expected.tables.empty());
  EXPECT_EQ(second->expected.fingerprint, first->expected.fingerprint);
}

TEST_F(ExpectationTest, IsWithoutWhatThePlanLetsDiffer) {
  const auto whole = Read();
  spec_.allow = {"audit.*"};
  const auto lenient = Read();
  spec_.allow = {};
  spec_.schemas = {"public"};
  const auto declared = Read();
  ASSERT_TRUE(whole.ok() && lenient.ok() && declared.ok());
  EXPECT_EQ(lenient->expected.tables.size(), 1U);
  EXPECT_EQ(lenient->expected.fingerprint, declared->expected.fingerprint);
  EXPECT_NE(lenient->expected.fingerprint, whole->expected.fingerprint);
}

TEST_F(ExpectationTest, SaysWhatIsWrongWithTheFile) {
  spec_.engine = engine::DatabaseSpec::Engine::kMariadb;
  EXPECT_THAT(WhyNot(), HasSubstr("its first line is not '# headgate baseline 2, mariadb"));
  spec_.expect->file = "other.baseline";
  EXPECT_THAT(WhyNot(), HasSubstr("other.baseline does not exist: headgate dbcheck "
                                  "--write-baseline writes one"));
  spec_.expect->file = ".";
  EXPECT_THAT(WhyNot(), HasSubstr("cannot be read: Is a directory"));
}

}  // namespace
}  // namespace headgate::declared
