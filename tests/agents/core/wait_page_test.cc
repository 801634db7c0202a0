#include "agents/core/wait_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/temp_folder.h"

namespace headgate::agent {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const WaitWords kWords{"12", "50", "18:25", "CEST"};

std::string TextOf(const std::string& text, Known known) {
  const auto page = WaitTemplate::Parse(text);
  EXPECT_TRUE(page.ok()) << page.status();
  return page.ok() ? page->Text(known, kWords) : "";
}
std::string ErrorOf(const std::string& text) {
  return std::string(WaitTemplate::Parse(text).status().message());
}

TEST(WaitTemplate, SaysWhatIsKnownAndNoMore) {
  constexpr char kText[] =
      "a{{retry_after}}{{#share}}[{{share}}{{#time}}@{{time}}{{zone}}{{/time}}{{^time}}?{{/time}}]"
      "{{/share}}{{^share}}!{{/share}}{{#soon}}~{{/soon}}{{^soon}}.{{/soon}}";
  EXPECT_EQ(TextOf(kText, Known::kSoon), "a12!~");
  EXPECT_EQ(TextOf(kText, Known::kNothing), "a12!.");
  EXPECT_EQ(TextOf(kText, Known::kShare), "a12[50?].");
  EXPECT_EQ(TextOf(kText, Known::kTime), "a12[50@18:25CEST].");
}

TEST(WaitTemplate, AnErrorNamesTheLineAndWhatToWrite) {
  EXPECT_THAT(ErrorOf("\n\n{{name}}"),
              AllOf(HasSubstr("line 3: '{{name}}' is no place"), HasSubstr("{{retry_after}}")));
  EXPECT_THAT(ErrorOf("{{share}}"), HasSubstr("put it into '{{#share}}…{{/share}}'"));
  EXPECT_THAT(ErrorOf("{{#share}}{{time}}{{/share}}"), HasSubstr("'{{#time}}…{{/time}}'"));
  EXPECT_THAT(ErrorOf("\n{{#share}}"), HasSubstr("line 2: '{{#share}}' does not end"));
  EXPECT_THAT(ErrorOf("{{#share}}{{#time}}{{/share}}{{/time}}"), HasSubstr("not the innermost"));
  EXPECT_THAT(ErrorOf("{{/time}}"), HasSubstr("not the innermost"));
  EXPECT_THAT(ErrorOf("{{share"), HasSubstr("without its '}}'"));
  EXPECT_THAT(ErrorOf("caf\xe9"), HasSubstr("not UTF-8"));
  EXPECT_THAT(ErrorOf(std::string("a\0b", 3)), HasSubstr("not UTF-8"));
}

TEST(WaitTemplate, ItsSizeHasALimit) {
  EXPECT_TRUE(WaitTemplate::Parse(std::string(kTemplateBytesMax, 'a')).ok());
  EXPECT_THAT(ErrorOf(std::string(kTemplateBytesMax + 1, 'a')),
              HasSubstr("it has 12289 bytes, at most 12288"));
}

TEST(WaitTemplate, APageThatShowsNothingIsRefused) {
  for (const char* text :
       {"", " \n\t", "<!doctype html><html lang=en><title>wait</title><style>a{}</style></html>",
        "<!-- soon -->"}) {
    EXPECT_THAT(ErrorOf(text), HasSubstr("write what people who wait are to read")) << text;
  }
  EXPECT_THAT(ErrorOf("{{#share}}{{share}}{{/share}}"),
              HasSubstr("where the next look decides (soon) it shows nothing at all"));
  EXPECT_THAT(ErrorOf("{{^time}}soon{{/time}}"), HasSubstr("where time is known it shows nothing"));
}

TEST(WaitPages, OursLoadNothingAndNeedNoScript) {
  const WaitPages pages;
  for (const auto& [language, page] : pages.templates()) {
    for (const Known known : kKnown) {
      const std::string text = page.Text(known, kWords);
      EXPECT_THAT(text, AllOf(HasSubstr("<!doctype html><html lang=\"" + language + "\">"),
                              HasSubstr("<meta charset=\"utf-8\">"),
                              HasSubstr("width=device-width,initial-scale=1"),
                              HasSubstr("<meta http-equiv=\"refresh\" content=\"12\">"),
                              HasSubstr("prefers-color-scheme:dark"), HasSubstr("<h1>")));
      EXPECT_THAT(text, AllOf(Not(HasSubstr("<script")), Not(HasSubstr("'")), Not(HasSubstr("{{")),
                              Not(HasSubstr("http://")), Not(HasSubstr("https://"))));
      EXPECT_EQ(text.find("18:25") != std::string::npos, known == Known::kTime);
    }
  }
}

TEST(WaitPages, TheLanguageThatIsWantedMostIsServed) {
  const WaitPages pages;
  const auto served = [&](const char* accept) {
    const std::string text = pages.For(accept).Text(Known::kNothing, kWords);
    return text.substr(text.find("lang=\"") + 6, 2);
  };
  EXPECT_EQ(served(""), "en");
  EXPECT_EQ(served("de"), "de");
  EXPECT_EQ(served("de-AT"), "de");
  EXPECT_EQ(served("DE-de,de;q=0.9,en;q=0.8"), "de");
  EXPECT_EQ(served("en;q=0.5, de;q=0.7"), "de");
  EXPECT_EQ(served("fr,it"), "en");
  EXPECT_EQ(served("de;q=0,en;q=0.1"), "en");
  EXPECT_EQ(served("de-AT;q=0.9"), "de");
  EXPECT_EQ(served("de;Q=0.1,EN;q=0.2"), "en");
  EXPECT_EQ(served("de_AT,deutsch"), "en");
  EXPECT_EQ(served(";;,q=,,-"), "en");
}

struct OwnPages : testing::Test {
  std::string Page(const char* name, const std::string& text) {
    test::WriteFile(folder / name, text);
    return folder / name;
  }
  std::string ErrorOfLoad(const std::vector<std::string>& files, const char* language = "en") {
    return std::string(WaitPages::Load(files, language).status().message());
  }
  const test::TempFolder folder;
};

TEST_F(OwnPages, TakeThePlaceOfOurs) {
  const std::string page = Page("a.html", "bonjour");
  const auto pages = WaitPages::Load({"fr=" + page}, "fr");
  ASSERT_TRUE(pages.ok()) << pages.status();
  EXPECT_FALSE(pages->are_ours());
  EXPECT_EQ(pages->For("de").Text(Known::kNothing, kWords), "bonjour");
  EXPECT_TRUE(WaitPages::Load({page}, "en").ok());
}

TEST_F(OwnPages, WhatIsWrongIsSaidWithTheFile) {
  const std::string page = Page("a.html", "x");
  EXPECT_THAT(ErrorOfLoad({"fr=" + page}), HasSubstr("no page in the default language 'en'"));
  EXPECT_THAT(ErrorOfLoad({page, "en=" + page}), HasSubstr("another page for 'en'"));
  EXPECT_THAT(ErrorOfLoad({"French=" + page}), HasSubstr("'French' is no language"));
  EXPECT_THAT(ErrorOfLoad({"en=/no/such/page"}), HasSubstr("/no/such/page"));
  EXPECT_THAT(ErrorOfLoad({Page("b.html", "\n{{name}}")}),
              HasSubstr("b.html:2: '{{name}}' is no place"));
  EXPECT_THAT(ErrorOfLoad({}, "fr"), HasSubstr("no page in the default language 'fr'"));
  EXPECT_THAT(ErrorOfLoad(std::vector<std::string>(9, page)), HasSubstr("9 pages, at most 8"));
}

TEST(WaitProblem, SaysWhatIsKnown) {
  const ProblemWords words{"12", "43e-2", "2024-08-14T18:25:00Z"};
  const auto nothing = nlohmann::json::parse(WaitProblem(Known::kNothing, words));
  EXPECT_EQ(nothing["retry_after_s"], 12);
  EXPECT_FALSE(nothing.contains("returns_at_share"));
  const auto share = nlohmann::json::parse(WaitProblem(Known::kShare, words));
  EXPECT_EQ(share["returns_at_share"], 0.43);
  EXPECT_FALSE(share.contains("expected_at"));
  const auto time = nlohmann::json::parse(WaitProblem(Known::kTime, words));
  EXPECT_EQ(time["expected_at"], "2024-08-14T18:25:00Z");
}

}  // namespace
}  // namespace headgate::agent
