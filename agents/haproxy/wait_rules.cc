#include "agents/haproxy/wait_rules.h"

#include <fmt/format.h>

#include <utility>

#include "agents/core/forecast.h"
#include "agents/core/http_call.h"
#include "agents/core/share_file.h"
#include "agents/core/snippet_words.h"

namespace headgate::haproxy {
namespace {

using agent::Known;

// HAProxy reads a page into one buffer (tune.bufsize): measured with 2.6.
constexpr std::size_t kPageFileBytesMax = 16 * 1024;

// What is no place is not to be evaluated.
std::string Literal(const std::string& text) {
  std::string literal;
  for (const char c : text) literal += c == '%' ? std::string("%%") : std::string(1, c);
  return literal;
}

class Rules {
 public:
  explicit Rules(const WaitRulesOptions& options)
      : options_(options), name_(agent::VariableOf(options.gate)) {}

  std::string Variables() const;
  std::string Answers() const;
  std::string PageText(const agent::WaitTemplate& page, Known known) const {
    return page.Text(known, {In("retry"), In("percent"), In("time"), In("zone")}, &Literal);
  }
  std::string PageFile(const std::string& language, Known known) const {
    return fmt::format("{}.page.{}.{}", options_.map, language, agent::NameOf(known));
  }

 private:
  std::string Slot(const char* variable) const { return fmt::format("txn.{}_{}", name_, variable); }
  std::string In(const char* variable) const { return fmt::format("%[var({})]", Slot(variable)); }
  // True where so much is known, and it is no less.
  std::string If(Known known) const;
  std::string Return(const std::string& kind, const std::string& body,
                     const std::string& condition) const;
  std::string Pages(const std::string& language, const std::string& condition) const;

  const WaitRulesOptions& options_;
  const std::string name_;
};

// A row that has run out says nothing: the bucket itself tells then by which share it is in.
std::string Rules::Variables() const {
  std::string languages;
  for (const auto& [language, page] : options_.pages.templates()) {
    languages += (languages.empty() ? "" : ";") + language;
  }
  return fmt::format(
      "    http-request set-var({base}) str({entry}),map_str_int({map},10)\n"
      "    http-request set-var({retry}) rand(1024),mul({base}),div(2048),add({base})\n"
      "    http-request set-var({bucket}) var({fresh}),xxh64(0),and(1048575) if "
      "!{{ var({bucket}) -m found }} {{ var({fresh}) -m len gt 0 }}\n"
      "    http-request set-var({row}) var({bucket}),map_int({forecast}) if "
      "{{ var({bucket}) -m found }}\n"
      "    http-request set-var({until}) var({row}),field(6,|),add(0) if {{ var({row}) -m found "
      "}}\n"
      "    http-request unset-var({row}) if !{{ var({until}) -m found }}\n"
      "    http-request unset-var({row}) if {{ date(),sub({until}) -m int ge 0 }} || "
      "{{ date(),sub({until}),neg -m int gt {left_max} }}\n"
      "    http-request set-var({percent}) var({bucket}),mul(100),div(1048576),add(1) if "
      "{{ var({bucket}) -m found }}\n"
      "    http-request set-var-fmt({ratio}) %[var({percent})]e-2 if "
      "{{ var({percent}) -m found }}\n"
      "    http-request set-var({percent}) var({row}),field(1,|) if {{ var({row}) -m found }}\n"
      "    http-request set-var({time}) var({row}),field(2,|) if {{ var({row}) -m found }}\n"
      "    http-request set-var({zone}) var({row}),field(3,|) if {{ var({row}) -m found }}\n"
      "    http-request set-var({ratio}) var({row}),field(4,|) if {{ var({row}) -m found }}\n"
      "    http-request set-var({instant}) var({row}),field(5,|) if {{ var({row}) -m found }}\n"
      "    http-request set-var({lang}) req.fhdr(accept-language),lower,regsub(-[a-z0-9]+,,g),"
      "language({languages},{default_language})\n"
      "    acl {name}_soon var({bucket}),sub({width}) -m int lt 0\n"
      "    http-request set-var({retry}) int({soon}) if {name}_soon\n"
      "    acl {name}_has_place var({percent}) -m found\n"
      "    acl {name}_has_time var({time}) -m found\n"
      "    acl {name}_no_time var({time}) -m str -- -\n"
      "    acl wants_json req.fhdr(accept) -m sub -i application/json application/problem+json\n"
      "    acl wants_html req.fhdr(accept) -m sub -i text/html\n",
      fmt::arg("name", name_), fmt::arg("base", Slot("base")), fmt::arg("retry", Slot("retry")),
      fmt::arg("entry", agent::kRetryAfterEntry), fmt::arg("map", options_.map),
      fmt::arg("forecast", agent::ForecastFileOf(options_.map)), fmt::arg("fresh", Slot("new")),
      fmt::arg("bucket", Slot("bucket")), fmt::arg("width", Slot("width")),
      fmt::arg("soon", agent::kSoonS), fmt::arg("row", Slot("row")),
      fmt::arg("until", Slot("until")),
      fmt::arg("left_max", agent::kForecastLeftMax / std::chrono::seconds(1)),
      fmt::arg("percent", Slot("percent")), fmt::arg("ratio", Slot("ratio")),
      fmt::arg("time", Slot("time")), fmt::arg("zone", Slot("zone")),
      fmt::arg("instant", Slot("instant")), fmt::arg("lang", Slot("lang")),
      fmt::arg("languages", languages),
      fmt::arg("default_language", options_.pages.default_language()));
}

std::string Rules::If(Known known) const {
  switch (known) {
    case Known::kSoon:
      return name_ + "_soon";
    case Known::kNothing:
      return fmt::format("!{}_has_place", name_);
    case Known::kShare:
      return fmt::format("{0}_has_place !{0}_has_time || {0}_has_place {0}_no_time", name_);
    case Known::kTime:
      return fmt::format("{0}_has_time !{0}_no_time", name_);
  }
  return "";
}

std::string Rules::Return(const std::string& kind, const std::string& body,
                          const std::string& condition) const {
  return fmt::format(
      "    http-request return status 503 content-type {} hdr Retry-After {} hdr Cache-Control "
      "no-store hdr {} {} {}{}{}\n",
      kind, In("retry"), agent::kGateHeader, options_.gate, body, condition.empty() ? "" : " if ",
      condition);
}

// Each of the alternatives with `more` too.
std::string With(std::string condition, const std::string& more) {
  constexpr char kOr[] = " || ";
  for (std::size_t at = condition.find(kOr); at != std::string::npos;
       at = condition.find(kOr, at + more.size() + sizeof kOr)) {
    condition.insert(at, " " + more);
  }
  return condition + " " + more;
}

std::string Rules::Pages(const std::string& language, const std::string& condition) const {
  const agent::WaitTemplate& page = options_.pages.templates().at(language);
  std::string text;
  for (const Known known : {Known::kSoon, Known::kTime, Known::kShare, Known::kNothing}) {
    const std::string body = options_.pages.are_ours()
                                 ? fmt::format("lf-string '{}'", PageText(page, known))
                                 : "lf-file " + PageFile(language, known);
    // The last rule of all answers whatever is left.
    const bool is_last = condition.empty() && known == Known::kNothing;
    const std::string when = condition.empty() ? If(known) : With(If(known), condition);
    text += Return("\"text/html; charset=utf-8\"", body, is_last ? "" : when);
  }
  return text;
}

std::string Rules::Answers() const {
  std::string text;
  for (const Known known : agent::kKnown) {
    const std::string problem =
        agent::WaitProblem(known, {In("retry"), In("ratio"), In("instant")});
    text += Return("application/problem+json", fmt::format("lf-string '{}'", problem),
                   With(If(known), "wants_json !wants_html"));
  }
  const std::string& otherwise = options_.pages.default_language();
  for (const auto& [language, page] : options_.pages.templates()) {
    if (language == otherwise) continue;
    text += Pages(language, fmt::format("{{ var({}) -m str {} }}", Slot("lang"), language));
  }
  return text + Pages(otherwise, "");
}

}  // namespace

std::string WaitRules(const WaitRulesOptions& options) {
  const Rules rules(options);
  return rules.Variables() + rules.Answers();
}

absl::Status CheckPages(const WaitRulesOptions& options) {
  for (const auto& [file, text] : PageFiles(options)) {
    if (text.size() <= kPageFileBytesMax) continue;
    return absl::InvalidArgumentError(fmt::format(
        "page {}: {} bytes in HAProxy's form, which has each % twice and a variable for each "
        "place; HAProxy reads at most {}: write fewer of them, or a shorter page",
        file, text.size(), kPageFileBytesMax));
  }
  return absl::OkStatus();
}

std::map<std::string, std::string> PageFiles(const WaitRulesOptions& options) {
  std::map<std::string, std::string> files;
  if (options.pages.are_ours()) return files;
  const Rules rules(options);
  for (const auto& [language, page] : options.pages.templates()) {
    for (const Known known : agent::kKnown) {
      files[rules.PageFile(language, known)] = rules.PageText(page, known);
    }
  }
  return files;
}

}  // namespace headgate::haproxy
