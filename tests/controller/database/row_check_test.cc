#include "controller/database/row_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headgate::database {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const SeenRow kOld = RowState{.hash = "1", .version = "700"};
const SeenRow kNew = RowState{.hash = "2", .version = "701"};
const SeenRow kAgain = RowState{.hash = "1", .version = "702"};

RowVerdict Judge(const SeenRow& before, const SeenRow& replica, const SeenRow& after) {
  return JudgeRow({.before = before, .replica = replica, .after = after});
}

TEST(JudgeRow, TakesForSameWhatThePrimaryShowedBeforeOrAfter) {
  EXPECT_EQ(Judge(kOld, kOld, kNew), RowVerdict::kSame);
  EXPECT_EQ(Judge(kOld, kNew, kNew), RowVerdict::kSame);
  EXPECT_EQ(Judge(std::nullopt, std::nullopt, kNew), RowVerdict::kSame);
  // A replica's own version of the row is its own business.
  EXPECT_EQ(Judge(kOld, RowState{.hash = "1", .version = "9"}, kOld), RowVerdict::kSame);
}

TEST(JudgeRow, ProvesNothingWhereThePrimaryMoved) {
  EXPECT_EQ(Judge(kOld, RowState{.hash = "3", .version = "9"}, kNew), RowVerdict::kMoved);
  EXPECT_EQ(Judge(kOld, std::nullopt, kNew), RowVerdict::kMoved);
  // Written there and back: the hash is as before, the version is not.
  EXPECT_EQ(Judge(kOld, kNew, kAgain), RowVerdict::kMoved);
  EXPECT_EQ(JudgeRow({.before = kOld, .replica = kNew, .after = kOld, .is_held_back = true}),
            RowVerdict::kMoved);
}

TEST(JudgeRow, CallsDifferentWhatStoodStillAndDiffers) {
  EXPECT_EQ(Judge(kOld, kNew, kOld), RowVerdict::kDiffers);
  EXPECT_EQ(Judge(kOld, std::nullopt, kOld), RowVerdict::kDiffers);
  EXPECT_EQ(Judge(std::nullopt, kNew, std::nullopt), RowVerdict::kDiffers);
}

TEST(JudgeRow, NamesTheKindOfDifference) {
  EXPECT_EQ(KindOf({.before = kOld, .replica = {}, .after = kOld}), RowDifferenceKind::kMissing);
  EXPECT_EQ(KindOf({.before = {}, .replica = kOld, .after = {}}), RowDifferenceKind::kExtra);
  EXPECT_EQ(KindOf({.before = kOld, .replica = kNew, .after = kOld}),
            RowDifferenceKind::kDifferent);
}

TEST(DifferentRows, AreThoseThatAreNotInBothListsWithTheSameHash) {
  const std::vector<ListedRow> primary = {{{"1"}, "a", ""}, {{"2"}, "b", ""}, {{"3"}, "c", ""}};
  EXPECT_THAT(DifferentRows(primary, primary), IsEmpty());
  EXPECT_THAT(DifferentRows(primary, {{{"1"}, "a", "7"}, {{"3"}, "x", ""}, {{"4"}, "d", ""}}),
              UnorderedElementsAre(Key{"2"}, Key{"3"}, Key{"4"}));
  // Values swapped between two rows are two rows that differ.
  EXPECT_THAT(DifferentRows(primary, {{{"1"}, "b", ""}, {{"2"}, "a", ""}, {{"3"}, "c", ""}}),
              ElementsAre(Key{"1"}, Key{"2"}));
}

}  // namespace
}  // namespace headgate::database
