// Writes what is shipped beside a program and says the same as its --help: its manual page, and its
// completions for bash, zsh and fish.
//   headgate-pages {headgate,headgated,headgate-agent} {man,bash,zsh,fish} > FILE
#include <iostream>
#include <map>
#include <string>

#include "agents/main/arguments.h"
#include "cli/arguments.h"
#include "controller/main/options.h"
#include "packaging/pages/completions.h"
#include "packaging/pages/manual.h"

namespace headgate::pages {
namespace {

struct Program {
  Command command;
  Page page;
};

Program Cli() {
  Program program;
  cli::ShowGrammar([&](const CLI::App& app) { program.command = Describe(app); });
  program.page = {
      .section = "1",
      .summary = "readmit users after an outage, and command the gate",
      .environment = {{"HEADGATE_CONTROLLER", "As --controller, separated by commas."},
                      {"HEADGATE_CA, HEADGATE_CERT, HEADGATE_KEY", "As --ca, --cert and --key."},
                      {"NO_COLOR", "No colours."}},
      .files = {{"/run/headgate/headgated.sock",
                 "The way in for root on the controller's host, when certificates are dead."}},
      .see_also = {"headgated(8)", "headgate-agent(8)"}};
  return program;
}

Program Controller() {
  Program program;
  Options options;
  CLI::App app;
  AddOptions(app, options);
  program.command = Describe(app);
  program.page = {
      .section = "8",
      .summary = "the controller that readmits users after an outage",
      .environment = {{"NOTIFY_SOCKET, WATCHDOG_USEC",
                       "Of systemd(1): it says that it is ready, how it is, and that its loop "
                       "turns."}},
      .files = {{"/etc/headgate/headgated.env", "Of the service: further options."},
                {"/etc/headgate/{ca.crt,controller.crt,controller.key}", "Of the service."},
                {"/var/lib/headgated/journal.db", "Of the service: the journal."}},
      .see_also = {"headgate(1)", "headgate-agent(8)", "systemd.service(5)"}};
  return program;
}

Program Agent() {
  const agent::Grammar grammar;
  return {.command = Describe(grammar.app),
          .page = {.section = "8",
                   .summary = "make the load balancer beside it obey the gate",
                   .environment = {{"NOTIFY_SOCKET, WATCHDOG_USEC",
                                    "Of systemd(1): it says that it is ready, how it is, and that "
                                    "its threads are at work."},
                                   {"CREDENTIALS_DIRECTORY",
                                    "Of systemd(1): a file there goes before one of that name that "
                                    "the configuration gives under tls."}},
                   .files = {{"/etc/headgate/agent.yaml", "The configuration."},
                             {"/etc/headgate/{ca.crt,agent.crt,agent.key}", "Its identity."},
                             {"/var/lib/headgate-agent", "What it remembers."},
                             {"/var/lib/headgate", "What the load balancer reads."}},
                   .see_also = {"headgate(1)", "headgated(8)", "systemd.service(5)"}}};
}

int Print(const std::string& name, const std::string& what) {
  const std::map<std::string, Program (*)()> programs = {
      {"headgate", &Cli}, {"headgated", &Controller}, {"headgate-agent", &Agent}};
  const auto found = programs.find(name);
  if (found == programs.end()) return 2;
  Program program = found->second();
  program.page.version = HEADGATE_VERSION;
  if (what == "man") std::cout << ManualOf(program.command, program.page);
  if (what == "bash") std::cout << BashCompletionOf(program.command);
  if (what == "zsh") std::cout << ZshCompletionOf(program.command);
  if (what == "fish") std::cout << FishCompletionOf(program.command);
  return std::cout.flush() ? 0 : 1;
}

}  // namespace
}  // namespace headgate::pages

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: headgate-pages PROGRAM man|bash|zsh|fish\n";
    return 2;
  }
  return headgate::pages::Print(argv[1], argv[2]);
}
