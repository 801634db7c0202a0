// Pictures of a run: legible on any terminal, and well-formed as SVG.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "cli/simulation.h"
#include "cli/strip.h"
#include "cli/svg.h"
#include "controller/rehearsal/rehearsal.h"
#include "tests/controller/rehearsal/plans.h"

namespace headgate::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Elements are opened and closed in order, attributes are quoted, and nothing else is markup: as
// much of XML as we write. The reason, empty if it is well-formed.
std::string WhyNotXml(std::string_view text) {
  std::vector<std::string> open;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '>') return "a bare >";
    if (text[at] == '&') {
      const std::size_t end = text.find(';', at);
      if (end == std::string_view::npos || end - at > 5) return "a bare &";
    }
    if (text[at] != '<') continue;
    const std::size_t end = text.find('>', at);
    if (end == std::string_view::npos) return "an open tag";
    const std::string_view tag = text.substr(at + 1, end - at - 1);
    if (std::ranges::count(tag, '"') % 2 != 0) return "an open attribute: " + std::string(tag);
    at = end;
    if (tag.front() == '?') continue;
    const std::string name(tag.substr(0, tag.find_first_of(" />", 1)));
    if (tag.front() == '/') {
      if (open.empty() || "/" + open.back() != name) return "closes " + name;
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(name);
    }
  }
  return open.empty() ? "" : "leaves open " + open.back();
}

Simulation DrawnRun(const char* scenario) {
  Simulation simulation{.plan_file = "a <b> & \"c\".yaml",
                        .plan = rehearsal::ShopSpec(),
                        .drawn = rehearsal::FindScenario(scenario).value()};
  rehearsal::RehearseOnce(rehearsal::PlanOf(simulation.plan), simulation.drawn, 9,
                          &simulation.record);
  return simulation;
}

TEST(Strip, FillsEachColumnInProportion) {
  EXPECT_THAT(DrawStrip({.values = {0, 0.25, 0.5, 1, kNothing}, .rows = 2}, true, false),
              ElementsAre("   █ ", " ▄██ "));
}

TEST(Strip, IsPlainWhereThereAreNoBlocksAndMarksWhatIsAboveTheLimit) {
  EXPECT_THAT(DrawStrip({.values = {0, 0.001, 0.5, 1}, .limit = 0.9, .rows = 2}, false, false),
              ElementsAre("   !", " .#!"));
}

TEST(RunDrawing, FitsTheTerminalAndListsItsDecisions) {
  const Simulation simulation = DrawnRun("B6");
  for (const std::size_t columns : {60U, 80U, 140U}) {
    for (const std::string& line : RunDrawing(simulation, {.columns = columns})) {
      EXPECT_LE(Width(line), columns) << line;
    }
  }
  std::string text;
  for (const std::string& line : RunDrawing(simulation, {.columns = 100})) text += line + "\n";
  for (const char* part : {"share         100 %", "limit 1 %", "utilisation", "against     retreat",
                           "for           raise", "  1   0:00  0 % -> 1 %", "retreat: errors is"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(RunDrawing, IsPlainAsciiWhereBlocksCannotBeDrawn) {
  for (const std::string& line : RunDrawing(DrawnRun("B6"), {.columns = 200})) {
    for (const char c : line) {
      const auto byte = static_cast<unsigned char>(c);
      EXPECT_TRUE(std::isprint(byte)) << line;
    }
  }
}

TEST(RunDrawing, LeavesOutWhatThereIsNoSignalFor) {
  Simulation simulation = DrawnRun("H1");
  for (rehearsal::Moment& moment : simulation.record.moments) moment.seen.utilisation.reset();
  for (const std::string& line : RunDrawing(simulation, {})) {
    EXPECT_THAT(line, Not(HasSubstr("utilisation")));
  }
  EXPECT_THAT(RunSvg(simulation), Not(HasSubstr("utilisation of the database")));
}

TEST(RunDrawing, ShowsSlowAnswersWhereThereAreMany) {
  const auto first_words = [](const char* scenario) {
    std::string words;
    for (const std::string& line : RunDrawing(DrawnRun(scenario), {})) words += line.substr(0, 4);
    return words;
  };
  EXPECT_THAT(first_words("M3"), HasSubstr("slow"));
  EXPECT_THAT(first_words("B6"), Not(HasSubstr("slow")));
}

std::string Joined(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

TEST(RunDrawing, SaysHowManyDecisionsAreNotListedAndWhoHasThem) {
  Simulation simulation = DrawnRun("H1");
  rehearsal::Decision move{.at_s = 1, .to = Share::All()};
  simulation.record.decisions.assign(20, move);
  EXPECT_THAT(Joined(RunDrawing(simulation, {})),
              HasSubstr("and 4 more: -o svg and -o json have them"));
  EXPECT_THAT(RunSvg(simulation), Not(HasSubstr("are marked")));
  simulation.record.decisions.assign(128, move);
  EXPECT_THAT(Joined(RunDrawing(simulation, {})),
              HasSubstr("and 112 more: -o svg has the first 30, -o json has all"));
  EXPECT_THAT(RunSvg(simulation), HasSubstr("only the first 30 of 128 are marked"));
}

TEST(RunDrawing, RoundsTheTimesOfCauses) {
  Simulation simulation = DrawnRun("H1");
  simulation.record.decisions = {
      {.at_s = 1, .to = Share::All(), .cause = {.what = "admit", .why = "clear for 19s990ms"}}};
  EXPECT_THAT(Joined(RunDrawing(simulation, {})), HasSubstr("admit: clear for 19 s"));
}

TEST(EndingTexts, TellTheCauseOfTheCallWithItsTimeWhereItIsAnotherOne) {
  Rehearsed rehearsed{.scenario = rehearsal::FindScenario("H1").value()};
  rehearsed.figures.runs = 50;
  rehearsed.endings = {.below = 50,
                       .doing = "holding at 0 %: 1 % failed 4 times in a row: a person must look",
                       .still_asking = 50,
                       .calling = 50,
                       .called_after_s = 566,
                       .called_because =
                           "ADMITTING at 10 % for longer than 5s: agent fleet has not "
                           "observed its share yet"};
  EXPECT_THAT(Joined(EndingTexts(rehearsed)),
              HasSubstr("first after 9:26 (ADMITTING at 10 % for longer than 5 s: agent fleet has "
                        "not observed its share yet). One of them: holding"));
  rehearsed.endings.called_because = "1 % failed 4 times in a row: a person must look; the last";
  EXPECT_THAT(Joined(EndingTexts(rehearsed)), HasSubstr("first after 9:26. One of them: holding"));
}

TEST(SimulationText, KeepsItsColumnsApartWhateverTheyHold) {
  Simulation simulation{.plan_file = "shop.yaml", .plan = rehearsal::ShopSpec(), .runs = 1};
  Rehearsed rehearsed{.scenario = rehearsal::FindScenario("H6").value()};
  rehearsed.figures.to_full_s = {.mean = 9e5, .p05 = 9e5, .median = 9e5, .p95 = 9e5};
  rehearsed.figures.lost_kum.mean = 1e12;
  simulation.rehearsed = {rehearsed};
  std::string text;
  for (const std::string& line : SimulationText(simulation, 80)) text += line + "\n";
  EXPECT_THAT(text, HasSubstr("\u2026 15000.0 (15000.0..15000.0) "));
  EXPECT_THAT(text, HasSubstr(" 1000000000000 "));
}

TEST(RunSvg, TellsEveryCauseToItsEnd) {
  const std::string svg = RunSvg(DrawnRun("M3"));
  const std::string list = svg.substr(svg.find(">decisions<"));
  EXPECT_THAT(list, HasSubstr("retreat"));
  EXPECT_THAT(list, Not(HasSubstr("\u2026")));
}

TEST(RunSvg, IsWellFormedWhateverAFileIsCalled) {
  for (const char* scenario : {"H1", "H8", "B6", "M3", "Z1"}) {
    const std::string svg = RunSvg(DrawnRun(scenario));
    EXPECT_EQ(WhyNotXml(svg), "") << scenario;
    EXPECT_THAT(svg, HasSubstr("a &lt;b&gt; &amp; &quot;c&quot;.yaml"));
  }
}

TEST(RunSvg, ClipsNoTextAtItsRightEdge) {
  Simulation simulation = DrawnRun("M3");
  simulation.plan_file = "plans/of/the/shop/restore-shop-after-the-friday-with-all-its-checks.yaml";
  simulation.drawn.what += std::string(" and then some more of it, said at great length") +
                           " so that no title could ever fit on one line";
  const std::string svg = RunSvg(simulation);
  constexpr std::string_view kText = "<text x=\"";
  for (std::size_t at = svg.find(kText); at != std::string::npos; at = svg.find(kText, at + 1)) {
    const double x = std::stod(svg.substr(at + kText.size()));
    const std::size_t begin = svg.find('>', at) + 1;
    const std::string tag = svg.substr(at, begin - at);
    if (tag.find("end\"") != std::string::npos || tag.find("mid\"") != std::string::npos) continue;
    const std::string text = svg.substr(begin, svg.find('<', begin) - begin);
    const bool is_title = tag.find("title") != std::string::npos;
    // DejaVu Sans.
    const double size = is_title ? 17 * 0.7 : tag.find("small") != std::string::npos ? 7 : 8.19;
    EXPECT_LE(x + size * double(Width(text)), 1'040) << text;
  }
}

TEST(RunSvg, ShowsEveryCurveTheLimitAndTheCauses) {
  const std::string svg = RunSvg(DrawnRun("B6"));
  for (const char* part :
       {">commanded<", ">in force at the load balancers<", ">served<", ">limit 1 %<",
        ">utilisation<", ">against the share", ">for the next", "retreat: errors is FAILED"}) {
    EXPECT_THAT(svg, HasSubstr(part));
  }
  EXPECT_THAT(RunSvg(DrawnRun("H8")), HasSubstr(">no data<"));
}

TEST(EscapeXml, LetsNoControlCharacterThrough) {
  EXPECT_EQ(EscapeXml("a<b>&\"\x01\n"), "a&lt;b&gt;&amp;&quot;  ");
}

}  // namespace
}  // namespace headgate::cli
