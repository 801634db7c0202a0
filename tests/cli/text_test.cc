#include "cli/text.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "cli/json.h"
#include "cli/on_the_box.h"
#include "headgate/v1/operator.pb.h"

namespace headgate::cli {
namespace {

TEST(Text, WhatOthersSayCannotDriveTheTerminal) {
  EXPECT_EQ(Clean("a\x1b[2Jb\r\n\tc\x7f"), "a?[2Jb?;  c?");
  EXPECT_EQ(Clean("preflight refuses:\n  one\n  two\n"), "preflight refuses: one; two");
  EXPECT_EQ(Clean("größe \xc2\x9b"), "größe ?");
}

TEST(Text, WidthsAreCharactersNotBytes) {
  EXPECT_EQ(Width("größe"), 5U);
  EXPECT_EQ(Fit("größe", 7), "größe  ");
  EXPECT_EQ(Cut("größer als", 5), "größ…");
  EXPECT_EQ(Cut("abc", 0), "");
  EXPECT_EQ(Fit("", 2), "  ");
}

TEST(Text, ABarNeverLies) {
  EXPECT_EQ(Bar(0, 10), "..........");
  EXPECT_EQ(Bar(1, 10), "#.........");
  EXPECT_EQ(Bar(500'000, 10), "#####.....");
  EXPECT_EQ(Bar(999'999, 10), "#########.");
  EXPECT_EQ(Bar(1'000'000, 10), "##########");
}

TEST(Text, ColoursOnlyEmphasise) {
  EXPECT_EQ(Paint("FAILED", Color::kBad, false), "FAILED");
  EXPECT_EQ(Paint("FAILED", Color::kBad, true), "\x1b[1;31mFAILED\x1b[0m");
}

TEST(Text, AgesAreAsLongAsPeopleNeedThem) {
  EXPECT_EQ(FormatAge(Duration(340)), "0.3 s");
  EXPECT_EQ(FormatAge(Duration(41'900)), "41 s");
  EXPECT_EQ(FormatAge(Duration(600'000)), "10 min");
  EXPECT_EQ(FormatAge(Duration(86'400'000)), "24 h");
  EXPECT_EQ(FormatAge(Duration(-5'000)), "0.0 s");
}

TEST(Json, HasTheSchemasNamesAndItsZeros) {
  v1::Gate gate;
  gate.set_name("shop");
  gate.mutable_version()->set_epoch(1'723'658'400);
  const std::string json = ToJson(gate, true);
  EXPECT_NE(json.find("\"share_ppm\":0"), std::string::npos) << json;
  EXPECT_NE(json.find("\"no_raise\":false"), std::string::npos) << json;
  EXPECT_NE(json.find("\"epoch\":\"1723658400\""), std::string::npos) << json;
  EXPECT_EQ(ToJson(std::map<std::string, std::string>{{"a", "\"b\""}}),
            "{\n \"a\": \"\\\"b\\\"\"\n}\n");
}

TEST(OnTheBox, SaysExactlyWhatToType) {
  Command command;
  command.gate = "shop";
  const auto has = [&](const std::string& wanted) {
    for (const std::string& line : OnTheBox(command)) {
      if (line.find(wanted) != std::string::npos) return true;
    }
    return false;
  };
  command.verb = Verb::kClose;
  EXPECT_TRUE(has("headgate-agent lower 0% --gate shop"));
  command.verb = Verb::kHold;
  EXPECT_TRUE(has("each load balancer keeps its share"));
  EXPECT_TRUE(has("headgate-agent lower SHARE --gate shop"));
  command.verb = Verb::kAbort;
  EXPECT_TRUE(has("headgate-agent lower SHARE --gate shop"));
  command.verb = Verb::kRetreat;
  command.share = *Share::FromPpm(25'000);
  EXPECT_TRUE(has("headgate-agent lower 2.5% --gate shop"));
  command.verb = Verb::kResume;
  EXPECT_TRUE(OnTheBox(command).empty());
}

}  // namespace
}  // namespace headgate::cli
