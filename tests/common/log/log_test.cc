#include "common/log/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <limits>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "common/log/format.h"
#include "nlohmann/json.hpp"

namespace headgate {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr TimePoint kAt{Duration(1'723'658'407'123)};

// A pipe whose ends close themselves.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe(ends_.data()), 0); }
  ~Pipe() {
    CloseReader();
    close(ends_[1]);
  }
  int writer() const { return ends_[1]; }
  void CloseReader() {
    if (ends_[0] >= 0) close(ends_[0]);
    ends_[0] = -1;
  }
  // What is there, without waiting.
  std::string Read() {
    fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    std::string text;
    std::array<char, 65'536> part;
    ssize_t got = 0;
    while ((got = read(ends_[0], part.data(), part.size())) > 0) {
      text.append(part.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

nlohmann::json Json(const Log::Fields& fields) {
  return nlohmann::json::parse(FormatJsonLine(kAt, LogLevel::kInfo, "share_lowered", fields));
}

TEST(LogFormat, OneEventIsOneJsonLineWithTypedFields) {
  EXPECT_EQ(
      FormatJsonLine(kAt, LogLevel::kInfo, "share_lowered",
                     {{"gate", "shop"}, {"share_ppm", 50'000}, {"durable", true}, {"ratio", 0.5}}),
      R"({"ts":"2024-08-14T18:00:07.123Z","level":"info","event":"share_lowered",)"
      R"("gate":"shop","share_ppm":50000,"durable":true,"ratio":0.5})"
      "\n");
}

TEST(LogFormat, OneEventIsOneReadableLineOnATerminal) {
  EXPECT_EQ(FormatTextLine(kAt, LogLevel::kWarning, "share_lowered",
                           {{"gate", "shop"}, {"why", "errors 3.1 % over 1 %"}, {"epoch", 7U}}),
            "18:00:07.123 warning share_lowered gate=shop why=\"errors 3.1 % over 1 %\" epoch=7\n");
}

TEST(LogFormat, AValueCannotForgeALineAFieldOrATerminalSequence) {
  const std::string hostile = "x\"\n{\"level\":\"error\"}\x1b[2J\x7f\xc2\x9b\\ y=z";
  const std::string json = FormatJsonLine(kAt, LogLevel::kInfo, "e", {{"v", hostile}});
  EXPECT_EQ(json.find('\n'), json.size() - 1);
  EXPECT_EQ(nlohmann::json::parse(json)["v"], hostile);
  for (const std::string& line :
       {json, FormatTextLine(kAt, LogLevel::kInfo, "e", {{"v", hostile}, {hostile, 1}})}) {
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_THAT(line, Not(HasSubstr("\x1b")));
    EXPECT_THAT(line, Not(HasSubstr("\xc2\x9b")));
    EXPECT_THAT(line, Not(HasSubstr("\x7f")));
  }
}

TEST(LogFormat, BytesThatAreNotUtf8StillGiveValidJson) {
  EXPECT_EQ(Json({{"v", "a\xff\xc3(\xed\xa0\x80z"}})["v"], "a\uFFFD\uFFFD(\uFFFD\uFFFD\uFFFDz");
  EXPECT_EQ(Json({{"v", "größe 水 🚰"}})["v"], "größe 水 🚰");
  EXPECT_EQ(Json({{"v", std::numeric_limits<double>::quiet_NaN()}})["v"], "nan");
}

TEST(LogFormat, CutsAValueAboveTheLimitAndSaysSo) {
  const std::string longest(Log::kValueBytesMax, 'x');
  EXPECT_EQ(Json({{"v", longest}})["v"], longest);
  EXPECT_EQ(Json({{"v", longest + "yz"}})["v"], longest + "…");
  // The cut goes through a character of two bytes.
  EXPECT_EQ(Json({{"v", longest.substr(1) + "ä"}})["v"], longest.substr(1) + "…");
}

TEST(Log, WritesOneLinePerEventInTheOrderOfTheCallsAndLeavesOutLowerLevels) {
  Pipe pipe;
  const ManualClock clock(kAt);
  Log log(clock, {.level = LogLevel::kInfo, .format = LogFormat::kText, .fd = pipe.writer()});
  log.Debug("unheard");
  log.Info("first", {{"gate", "shop"}});
  log.Error("second");
  ASSERT_TRUE(log.Flush(Duration(10'000)));
  EXPECT_EQ(pipe.Read(), "18:00:07.123 info    first gate=shop\n18:00:07.123 error   second\n");
  EXPECT_EQ(log.Dropped(), 0U);
}

TEST(Log, LinesOfManyThreadsDoNotMix) {
  Pipe pipe;
  const ManualClock clock(kAt);
  Log log(clock, {.fd = pipe.writer()});
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&log, i] {
      for (int j = 0; j < 50; ++j) log.Info("event", {{"thread", i}, {"number", j}});
    });
  }
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(log.Flush(Duration(10'000)));
  std::istringstream lines(pipe.Read());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_TRUE(nlohmann::json::accept(line)) << line;
  }
  EXPECT_EQ(count, 200);
}

TEST(Log, AFullSinkNeverBlocksAndTheLossIsReportedWhenThereIsRoom) {
  Pipe pipe;
  const ManualClock clock(kAt);
  Log log(clock, {.fd = pipe.writer()});
  const std::string filler(1'000, 'x');
  while (log.Dropped() == 0) log.Info("filler", {{"v", filler}});
  EXPECT_FALSE(log.Flush(Duration(1)));

  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  std::string text;
  while (text.find("log_lines_dropped") == std::string::npos) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    text = pipe.Read();
    log.Info("after", {});
    log.Flush(Duration(1));
  }
  EXPECT_THAT(text, HasSubstr("\"lines\":"));
}

TEST(Log, AFullSinkDelaysTheEndByASecondAtMost) {
  Pipe pipe;
  const ManualClock clock(kAt);
  const auto start = std::chrono::steady_clock::now();
  {
    Log log(clock, {.fd = pipe.writer()});
    for (int i = 0; i < 1'000; ++i) log.Info("filler", {{"v", std::string(1'000, 'x')}});
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(Log, ABrokenSinkCostsLinesAndNothingElse) {
  Pipe pipe;
  pipe.CloseReader();
  const ManualClock clock(kAt);
  Log log(clock, {.fd = pipe.writer()});
  log.Info("unheard");
  ASSERT_TRUE(log.Flush(Duration(10'000)));
  EXPECT_EQ(log.Dropped(), 1U);

  Log closed(clock, {.fd = 999});
  closed.Info("unheard");
  ASSERT_TRUE(closed.Flush(Duration(10'000)));
  EXPECT_EQ(closed.Dropped(), 1U);
}

}  // namespace
}  // namespace headgate
