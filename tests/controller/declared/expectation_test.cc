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

  std::string WhyNot() {
    return std::string(ReadExpectation(folder_.path(), spec_, 1'000).status().message());
  }

  const test::TempFolder folder_;
  engine::DatabaseSpec spec_;
};

TEST_F(ExpectationTest, HasANumberForEachTableAndOnlyTheFingerprintWhereTheyDoNotFit) {
  const auto whole = ReadExpectation(folder_.path(), spec_, 1'000);
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(whole->schema.size(), 3U);
  EXPECT_EQ(whole->expected.file, "schema.baseline");
  EXPECT_EQ(whole->expected.tables.size(), 2U);
  EXPECT_TRUE(whole->expected.tables.contains("table public.orders"));
  const std::size_t bytes = BytesOf(whole->expected);
  const auto fits = ReadExpectation(folder_.path(), spec_, bytes);
  const auto does_not = ReadExpectation(folder_.path(), spec_, bytes - 1);
  ASSERT_TRUE(fits.ok() && does_not.ok());
  EXPECT_EQ(fits->expected, whole->expected);
  EXPECT_TRUE(does_not->expected.tables.empty());
  EXPECT_EQ(does_not->expected.fingerprint, whole->expected.fingerprint);
}

TEST_F(ExpectationTest, IsWithoutWhatThePlanLetsDiffer) {
  const auto whole = ReadExpectation(folder_.path(), spec_, 1'000);
  spec_.allow = {"audit.*"};
  const auto lenient = ReadExpectation(folder_.path(), spec_, 1'000);
  spec_.allow = {};
  spec_.schemas = {"public"};
  const auto declared = ReadExpectation(folder_.path(), spec_, 1'000);
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
