#include "agents/core/wait_page.h"

#include <fmt/format.h>

namespace headgate::agent {
namespace {

constexpr char kPage[] =
    R"(<!doctype html><html lang="en"><head><meta charset="utf-8">)"
    R"(<meta name="viewport" content="width=device-width,initial-scale=1">)"
    R"(<meta http-equiv="refresh" content="{retry}"><title>Back in a moment</title>)"
    R"(<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;)"
    R"(padding:0 1.5rem;color:#222;background:#fff}}h1{{font-size:1.5rem}})"
    R"(@media(prefers-color-scheme:dark){{body{{color:#ddd;background:#161616}}}}</style></head>)"
    R"(<body><h1>We are not open to everybody yet</h1>)"
    R"(<p>People come back in step by step. Your place is kept: leave this page open. It looks again by itself in {retry} seconds, )"
    R"(and pressing reload does not get you in sooner.</p></body></html>)";

constexpr char kProblem[] =
    R"({{"type":"about:blank","title":"Not admitted yet","status":503,)"
    R"("detail":"The service readmits users step by step. Try again after Retry-After.",)"
    R"("retry_after_s":{retry}}})";

}  // namespace

std::string WaitPage(const std::string& retry) {
  return fmt::format(kPage, fmt::arg("retry", retry));
}

std::string WaitProblem(const std::string& retry) {
  return fmt::format(kProblem, fmt::arg("retry", retry));
}

}  // namespace headgate::agent
