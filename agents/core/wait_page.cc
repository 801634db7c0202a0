#include "agents/core/wait_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include "agents/core/files.h"
#include "common/base/check.h"

namespace headgate::agent {
namespace {

// The words of a language, put into kPage. The refresh is spread as Retry-After is.
struct Language {
  const char* code;
  const char* title;
  const char* heading;
  const char* intro;
  const char* part;
  const char* about;
  const char* unknown_time;
  const char* unknown;
  const char* wait;
  const char* kept;
  const char* soon;
  const char* cookies;
};

constexpr Language kLanguages[] = {
    {.code = "en",
     .title = "Please wait",
     .heading = "We are not open to everybody yet",
     .intro =
         "People come back in group by group, so that everything goes on working for those who "
         "are in.",
     .part = "You are in the part that returns at <b>{{share}}&nbsp;%</b>",
     .about = ", about <b>{{time}}</b>&nbsp;{{zone}}.",
     .unknown_time = ". When that will be is not known yet.",
     .unknown = "When it is your turn is not known yet.",
     .wait =
         "Leave this page open. It looks again by itself in {{retry_after}} seconds, and pressing "
         "reload does not get you in sooner.",
     .kept = "Your place is kept. ",
     .soon = "One moment: you are being given a place, and this page goes on by itself.",
     .cookies = "If it comes back again and again, please allow cookies for this site."},
    {.code = "de",
     .title = "Bitte warten",
     .heading = "Wir haben noch nicht für alle geöffnet",
     .intro =
         "Alle kommen nach und nach wieder herein, damit es für die, die schon da sind, weiter "
         "gut läuft.",
     .part = "Sie gehören zu dem Teil, der bei <b>{{share}}&nbsp;%</b> zurückkommt",
     .about = ", gegen <b>{{time}}</b>&nbsp;Uhr ({{zone}}).",
     .unknown_time = ". Wann das sein wird, ist noch nicht bekannt.",
     .unknown = "Wann Sie an der Reihe sind, ist noch nicht bekannt.",
     .wait =
         "Lassen Sie diese Seite offen. Sie sieht in {{retry_after}} Sekunden von selbst nach; neu "
         "zu laden bringt Sie nicht früher herein.",
     .kept = "Ihr Platz ist Ihnen sicher. ",
     .soon = "Einen Moment: Sie bekommen gerade einen Platz, dann geht es von selbst weiter.",
     .cookies =
         "Erscheint diese Seite immer wieder, erlauben Sie bitte Cookies für diese Website."},
};

constexpr char kPage[] =
    R"(<!doctype html><html lang="{code}"><head><meta charset="utf-8">)"
    R"(<meta name="viewport" content="width=device-width,initial-scale=1">)"
    R"(<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">)"
    R"(<meta http-equiv="refresh" content="{{{{retry_after}}}}"><title>{title}</title><style>)"
    R"(body{{font:1.125rem/1.6 system-ui,sans-serif;max-width:34rem;margin:0 auto;padding:12vh 1.5rem 3rem;color:#1c1c1e;background:#fff}})"
    R"(h1{{font-size:1.6rem;line-height:1.25;margin:0 0 1rem}}p{{margin:0 0 1rem}}b{{white-space:nowrap}})"
    R"(.turn{{font-size:1.25rem;padding:1rem 1.25rem;border-radius:.75rem;background:#eef3fb}}.wait{{color:#55555c}})"
    R"(@media(prefers-color-scheme:dark){{body{{color:#ececf0;background:#151517}}.turn{{background:#22304a}}.wait{{color:#b4b4bc}}}})"
    R"(</style></head><body><main><h1>{heading}</h1><p>{intro}</p>)"
    R"(<p class="turn">{{{{#soon}}}}{soon}{{{{/soon}}}}{{{{^soon}}}}{{{{#share}}}}{part}{{{{#time}}}}{about}{{{{/time}}}}{{{{^time}}}}{unknown_time}{{{{/time}}}}{{{{/share}}}})"
    R"({{{{^share}}}}{unknown}{{{{/share}}}}{{{{/soon}}}}</p><p class="wait">{{{{#soon}}}}{cookies}{{{{/soon}}}})"
    R"({{{{^soon}}}}{{{{#share}}}}{kept}{{{{/share}}}}{wait}{{{{/soon}}}}</p></main></body></html>)";

std::string PageIn(const Language& language) {
  return fmt::format(kPage, fmt::arg("code", language.code), fmt::arg("title", language.title),
                     fmt::arg("heading", language.heading), fmt::arg("intro", language.intro),
                     fmt::arg("part", language.part), fmt::arg("about", language.about),
                     fmt::arg("unknown_time", language.unknown_time),
                     fmt::arg("unknown", language.unknown), fmt::arg("wait", language.wait),
                     fmt::arg("kept", language.kept), fmt::arg("soon", language.soon),
                     fmt::arg("cookies", language.cookies));
}

bool IsLanguage(const std::string& text) {
  return (text.size() == 2 || text.size() == 3) &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
    text.remove_prefix(1);
  }
  return text;
}

// In thousandths; 1000 where nothing is said.
int QualityOf(std::string_view parameters) {
  const std::size_t at = parameters.find("q=");
  if (at == std::string_view::npos) return 1000;
  double quality = 0;
  const std::string_view text = parameters.substr(at + 2);
  std::from_chars(text.data(), text.data() + text.size(), quality);
  return static_cast<int>(std::clamp(quality, 0.0, 1.0) * 1000);
}

absl::Status Wrong(const std::string& file, const absl::Status& status) {
  return absl::InvalidArgumentError(
      fmt::format("page '{}': {}", file, std::string(status.message())));
}

// "wait.html:3: …" of "line 3: …".
absl::Status WrongIn(const std::string& path, const absl::Status& status) {
  constexpr std::string_view kLine = "line ";
  const std::string words(status.message());
  if (!words.starts_with(kLine)) return Wrong(path, status);
  return absl::InvalidArgumentError(fmt::format("{}:{}", path, words.substr(kLine.size())));
}

}  // namespace

WaitPages::WaitPages() : default_language_(kLanguageDefault) {
  for (const Language& language : kLanguages) {
    auto page = WaitTemplate::Parse(PageIn(language));
    HEADGATE_CHECK(page.ok());
    templates_.emplace(language.code, *std::move(page));
  }
}

absl::StatusOr<WaitPages> WaitPages::Load(const std::vector<std::string>& files,
                                          const std::string& default_language) {
  WaitPages pages;
  if (!files.empty()) {
    pages.templates_.clear();
    pages.are_ours_ = false;
  }
  if (files.size() > kLanguagesMax) {
    return absl::InvalidArgumentError(
        fmt::format("{} pages, at most {} languages", files.size(), kLanguagesMax));
  }
  for (const std::string& file : files) {
    const std::size_t equals = file.starts_with('/') ? std::string::npos : file.find('=');
    const bool is_named = equals != std::string::npos;
    const std::string language = is_named ? file.substr(0, equals) : default_language;
    if (!IsLanguage(language)) {
      return Wrong(file, absl::InvalidArgumentError(
                             fmt::format("'{}' is no language: write two or three small letters, "
                                         "as in de=/etc/headgate/wait.de.html",
                                         language)));
    }
    const std::string path = is_named ? file.substr(equals + 1) : file;
    const auto text = ReadSmallFile(path);
    if (!text.ok()) return Wrong(file, text.status());
    auto page = WaitTemplate::Parse(*text);
    if (!page.ok()) return WrongIn(path, page.status());
    if (!pages.templates_.emplace(language, *std::move(page)).second) {
      return Wrong(file, absl::InvalidArgumentError(
                             fmt::format("there is another page for '{}' already", language)));
    }
  }
  pages.default_language_ = default_language;
  if (!pages.templates_.contains(default_language)) {
    return absl::InvalidArgumentError(fmt::format(
        "there is no page in the default language '{}': add {}=FILE, or name another default",
        default_language, default_language));
  }
  return pages;
}

const WaitTemplate& WaitPages::For(std::string_view header) const {
  std::string small(header);
  std::transform(small.begin(), small.end(), small.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::string_view accept_language = small;
  auto best = templates_.find(default_language_);
  int best_quality = 0;
  while (!accept_language.empty()) {
    const std::size_t comma = std::min(accept_language.find(','), accept_language.size());
    const std::string_view range = Trimmed(accept_language.substr(0, comma));
    accept_language.remove_prefix(std::min(comma + 1, accept_language.size()));
    // "de-AT" is served what "de" is.
    const std::string language(range.substr(0, range.find_first_of("-; \t")));
    const auto found = templates_.find(language);
    const int quality = QualityOf(range);
    if (found == templates_.end() || quality <= best_quality) continue;
    best = found;
    best_quality = quality;
  }
  return best->second;
}

std::string WaitProblem(Known known, const ProblemWords& words) {
  std::string text = fmt::format(
      R"({{"type":"about:blank","title":"Not admitted yet","status":503,)"
      R"("detail":"The service readmits users step by step. Try again after Retry-After.",)"
      R"("retry_after_s":{})",
      words.retry_after);
  if (known >= Known::kShare) text += fmt::format(R"(,"returns_at_share":{})", words.ratio);
  if (known == Known::kTime) text += fmt::format(R"(,"expected_at":"{}")", words.instant);
  return text + "}";
}

}  // namespace headgate::agent
