// What `headgate --help` says before and after the list of its verbs, and how a verb is used. For
// arguments.cc alone: it brings CLI11.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>

namespace headgate::cli {

inline constexpr char kAbout[] =
    "Headgate readmits users after an outage.\n\n"
    "In an incident:\n"
    "  headgate close shop                     everybody gets the waiting page\n"
    "  headgate validate restore-shop.yaml     is the plan sound?\n"
    "  headgate simulate restore-shop.yaml     how would it go?\n"
    "  headgate start restore-shop.yaml --when-ready\n"
    "  headgate watch shop                     look; Ctrl-C leaves, the restoration goes on\n"
    "  headgate explain shop                   why does it not go on?\n"
    "  headgate dbcheck restore-shop.yaml      are the replicas the same as the primary?\n"
    "  headgate hold shop | retreat shop | abort shop --to 0%\n"
    "close, hold, retreat and abort always work while a controller lives. If none answers they\n"
    "say what to type on the load balancers.";

inline constexpr char kExitCodes[] =
    "Exit codes: 0 done, 1 internal, 2 usage, 3 refused by a check or rule, 4 not found,\n"
    "5 version conflict, 6 not allowed, 7 no controller reachable, 8 --timeout passed and the\n"
    "restoration goes on, 9 retreated or aborted, 10 waits for approval, 11 some agents\n"
    "unconfirmed, 12 could not tell, 130 detached by Ctrl-C (the restoration goes on)\n"
    "Of dbcheck: 0 same, 3 different, 12 could not tell\n"
    "How a verb is used: headgate help VERB, or headgate VERB --help";

// CLI11's own line would hide what the verb below a verb needs.
struct Usage : CLI::Formatter {
  std::string make_usage(const CLI::App* app, std::string name) const override {
    const auto known = usages.find(app->get_name());
    return known == usages.end() ? CLI::Formatter::make_usage(app, name) : known->second;
  }
  const std::map<std::string, std::string> usages = {
      {"agents", "Usage: headgate agents [OPTIONS] GATE, or agents remove [OPTIONS] GATE AGENT\n"},
      {"gates",
       "Usage: headgate gates [OPTIONS], gates create [OPTIONS] GATE --share SHARE,\n"
       "       gates split [OPTIONS] GATE@PART --label KEY=VALUE, gates remove [OPTIONS] GATE,\n"
       "       or gates rotate-key [OPTIONS] GATE\n"}};
};

}  // namespace headgate::cli
