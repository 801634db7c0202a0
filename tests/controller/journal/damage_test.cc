// The negative space of the file: whatever was done to it is noticed and named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "tests/controller/journal/journal_testing.h"

namespace headgate::journal {
namespace {

using testing::HasSubstr;

class Damage : public testing::Test {
 protected:
  void SetUp() override { MakeJournal(path_, 5); }

  void Sql(const char* sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    sqlite3_close(database);
  }

  // What a controller is told that starts on this file.
  absl::Status Reopen() {
    auto journal = SqliteJournal::Open(path_);
    if (!journal.ok()) return journal.status();
    return (*journal)->ReadAll().status();
  }

  void ExpectDataLoss(const std::string& text) {
    const absl::Status status = Reopen();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
    EXPECT_THAT(std::string(status.message()), HasSubstr(path_));
  }

  const Folder folder_;
  const std::string path_ = folder_ / "journal.db";
};

TEST_F(Damage, NoneIsFoundInASoundFile) { EXPECT_TRUE(Reopen().ok()) << Reopen(); }

TEST_F(Damage, AFlippedBitInAPayloadNamesItsEntry) {
  std::string bytes = ReadFile(path_);
  const std::size_t at = bytes.find("payload 3");
  ASSERT_NE(at, std::string::npos);
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  WriteFile(path_, bytes);
  ExpectDataLoss("entry 3 was changed after it was written");
}

TEST_F(Damage, AnyFlippedByteIsNoticedOrHarmless) {
  const std::string sound = ReadFile(path_);
  const auto entries = *MustOpen(path_)->ReadAll();
  // Every 97th byte: all parts of the file are met, in seconds.
  for (std::size_t at = 0; at < sound.size(); at += 97) {
    std::string bytes = sound;
    bytes[at] = static_cast<char>(~bytes[at]);
    WriteFile(path_, bytes);
    const auto journal = SqliteJournal::Open(path_);
    if (!journal.ok()) continue;
    const auto read = (*journal)->ReadAll();
    if (!read.ok()) continue;
    // Unused space, or a field that SQLite may change itself.
    ASSERT_EQ(read->size(), entries.size()) << "byte " << at;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      EXPECT_EQ((*read)[i].payload, entries[i].payload) << "byte " << at;
    }
  }
}

TEST_F(Damage, AnyTruncationIsNoticed) {
  const std::string sound = ReadFile(path_);
  for (const std::size_t length : {sound.size() - 1, sound.size() / 2, sound.size() - 4'096,
                                   std::size_t{4'096}, std::size_t{100}, std::size_t{1}}) {
    WriteFile(path_, sound.substr(0, length));
    const absl::Status status = Reopen();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << length << ": " << status;
  }
}

TEST_F(Damage, AnEmptiedFileIsNotTakenForANewJournal) {
  WriteFile(path_, "");
  ExpectDataLoss("a journal never has less");
}

TEST_F(Damage, AMissingLastEntryIsNamed) {
  Sql("DELETE FROM entries WHERE sequence = 5");
  ExpectDataLoss("entry 5 is missing");
}

TEST_F(Damage, AMissingMiddleOrFirstEntryIsNamed) {
  Sql("DELETE FROM entries WHERE sequence = 3");
  ExpectDataLoss("entry 3 is missing");
  Sql("DELETE FROM entries WHERE sequence = 1");
  ExpectDataLoss("entry 1 is missing");
}

TEST_F(Damage, AChangedEpochNamesItsEntry) {
  Sql("UPDATE entries SET epoch = 8 WHERE sequence = 2");
  ExpectDataLoss("entry 2 was changed");
}

TEST_F(Damage, AnEntryThatWasNotWrittenByAControllerIsNamed) {
  Sql("INSERT INTO entries SELECT 6, epoch, payload, hash FROM entries WHERE sequence = 5");
  ExpectDataLoss("entry 6 was changed");
}

TEST_F(Damage, ASwappedPairIsNamed) {
  Sql("UPDATE entries SET sequence = -1 WHERE sequence = 2;"
      "UPDATE entries SET sequence = 2 WHERE sequence = 3;"
      "UPDATE entries SET sequence = 3 WHERE sequence = -1;");
  ExpectDataLoss("entry 2 was changed");
}

TEST_F(Damage, ALostOrTurnedBackHeadIsNoticed) {
  Sql("UPDATE head SET sequence = 4");
  ExpectDataLoss("entry 5 was added by another program");
  Sql("DELETE FROM head");
  ExpectDataLoss("has lost its head");
}

TEST_F(Damage, AFileOfANewerHeadgateIsRefusedUntouched) {
  Sql("PRAGMA user_version = 2");
  const std::string before = ReadFile(path_);
  const absl::Status status = Reopen();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("schema version 2"));
  EXPECT_EQ(ReadFile(path_), before);
}

TEST_F(Damage, AFileOfAnotherProgramIsRefusedUntouched) {
  Sql("PRAGMA application_id = 1");
  EXPECT_EQ(Reopen().code(), absl::StatusCode::kFailedPrecondition);
  const std::string text = "these are my shopping notes, not a journal; " + std::string(5'000, 'x');
  WriteFile(path_, text);
  EXPECT_EQ(Reopen().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ReadFile(path_), text);
}

}  // namespace
}  // namespace headgate::journal
