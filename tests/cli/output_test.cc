// What was said must have been written: a full disk is no success.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>
#include <ostream>
#include <sstream>
#include <streambuf>
#include <string>

#include "cli/run.h"

namespace headgate::cli {
namespace {

// A pipe that nobody reads any more.
class ClosedPipe : public std::streambuf {
 protected:
  int sync() override {
    errno = EPIPE;
    return -1;
  }
};

TEST(Written, SaysNothingWhereAllIsWritten) {
  std::ostringstream out;
  std::ostringstream err;
  out << "text";
  EXPECT_EQ(Written(ExitCode::kDone, out, err), ExitCode::kDone);
  EXPECT_EQ(Written(ExitCode::kRefused, out, err), ExitCode::kRefused);
  EXPECT_EQ(err.str(), "");
}

TEST(Written, AFullDiskIsSaidWithTheSystemsReasonAndIsNoSuccess) {
  std::ofstream out("/dev/full");
  std::ostringstream err;
  out << "text";
  EXPECT_EQ(Written(ExitCode::kDone, out, err), ExitCode::kInternal);
  EXPECT_EQ(err.str(), "headgate: cannot write to standard output: No space left on device\n");
}

TEST(Written, TheReasonIsSaidOfTextThatFailedLongBefore) {
  std::ofstream out("/dev/full");
  std::ostringstream err;
  out << std::string(1'000'000, 'x');
  EXPECT_FALSE(out.good());
  EXPECT_EQ(Written(ExitCode::kDone, out, err), ExitCode::kInternal);
  EXPECT_THAT(err.str(), testing::HasSubstr(": No space left on device\n"));
}

TEST(Written, WhatWasRefusedKeepsItsCode) {
  std::ofstream out("/dev/full");
  std::ostringstream err;
  out << "text";
  EXPECT_EQ(Written(ExitCode::kNotFound, out, err), ExitCode::kNotFound);
  EXPECT_THAT(err.str(), testing::HasSubstr("cannot write to standard output"));
}

TEST(Written, AReaderThatHasGoneIsToldNothing) {
  ClosedPipe pipe;
  std::ostream out(&pipe);
  std::ostringstream err;
  EXPECT_EQ(Written(ExitCode::kDone, out, err), ExitCode::kInternal);
  EXPECT_EQ(err.str(), "");
}

}  // namespace
}  // namespace headgate::cli
