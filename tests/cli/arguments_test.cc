#include "cli/arguments.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace headgate::cli {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

std::variant<Command, Answer> Parse(const Words& words,
                                    const std::map<std::string, std::string>& variables = {}) {
  return ParseArguments(words, [&](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  });
}

Command Good(const Words& words, const std::map<std::string, std::string>& variables = {}) {
  const auto parsed = Parse(words, variables);
  if (const auto* answer = std::get_if<Answer>(&parsed)) {
    ADD_FAILURE() << answer->text;
    return Command{};
  }
  return std::get<Command>(parsed);
}

std::string Refused(const Words& words) {
  const auto parsed = Parse(words);
  const auto* answer = std::get_if<Answer>(&parsed);
  if (answer == nullptr) return "accepted";
  EXPECT_EQ(answer->code, ExitCode::kUsage);
  return answer->text;
}

TEST(Arguments, EveryVerbOfTheIncident) {
  const std::vector<std::pair<Words, Verb>> cases = {
      {{"validate", "p.yaml"}, Verb::kValidate},
      {{"start", "p.yaml"}, Verb::kStart},
      {{"status"}, Verb::kStatus},
      {{"status", "shop"}, Verb::kStatus},
      {{"watch", "shop"}, Verb::kWatch},
      {{"explain", "shop"}, Verb::kExplain},
      {{"hold", "shop"}, Verb::kHold},
      {{"resume", "shop"}, Verb::kResume},
      {{"advance", "shop"}, Verb::kAdvance},
      {{"retreat", "shop"}, Verb::kRetreat},
      {{"abort", "shop"}, Verb::kAbort},
      {{"close", "shop"}, Verb::kClose},
      {{"approve", "shop"}, Verb::kApprove},
      {{"open", "shop", "--for", "10m", "--reason", "x"}, Verb::kOpen},
      {{"agents", "shop"}, Verb::kAgents},
      {{"agents", "remove", "shop", "edge-1"}, Verb::kRemoveAgent},
      {{"gates"}, Verb::kGates},
      {{"gates", "create", "shop", "--share", "100%"}, Verb::kCreateGate},
      {{"gates", "rotate-key", "shop"}, Verb::kRotateKey},
      {{"gates", "split", "shop@eu", "--label", "zone=eu"}, Verb::kSplitGate},
      {{"gates", "remove", "shop@eu"}, Verb::kRemoveGate},
      {{"timeline", "shop"}, Verb::kTimeline},
      {{"databases"}, Verb::kDatabases},
      {{"databases", "orders", "--limit", "5"}, Verb::kDatabases},
      {{"certs", "init", "--dir", "d", "--trust-domain", "t"}, Verb::kCertsInit},
      {{"certs", "issue", "--ca-dir", "c", "--dir", "d", "--role", "viewer", "--name", "n"},
       Verb::kCertsIssue},
      {{"dbcheck", "p.yaml"}, Verb::kDbcheck},
      {{"certs", "check", "--ca", "a", "--cert", "b", "--key", "c", "--for", "14d"},
       Verb::kCertsCheck},
      {{"doctor", "--live"}, Verb::kDoctor},
      {{"version"}, Verb::kVersion}};
  for (const auto& [words, verb] : cases) {
    EXPECT_EQ(Good(words).verb, verb) << words[0];
  }
}

TEST(Arguments, FlagsStandBeforeOrBehindTheVerb) {
  for (const Words& words : {Words{"--controller", "a:1", "--controller", "b:2", "-o", "json",
                                   "hold", "shop", "--reason", "why"},
                             Words{"hold", "shop", "--controller", "a:1", "--reason", "why",
                                   "--controller", "b:2", "-o", "json"}}) {
    const Command command = Good(words);
    EXPECT_EQ(command.connection.controllers, (Words{"a:1", "b:2"}));
    EXPECT_EQ(command.output, Output::kJson);
    EXPECT_EQ(command.gate, "shop");
    EXPECT_EQ(command.mutation.reason, "why");
  }
}

TEST(Arguments, TheEnvironmentStandsInForFlagsThatAreNotGiven) {
  const std::map<std::string, std::string> variables = {{"HEADGATE_CONTROLLER", "a:1,b:2"},
                                                        {"HEADGATE_CA", "ca"},
                                                        {"HEADGATE_CERT", "cert"},
                                                        {"HEADGATE_KEY", "key"}};
  const Connection of_environment = Good({"status"}, variables).connection;
  EXPECT_EQ(of_environment.controllers, (Words{"a:1", "b:2"}));
  EXPECT_EQ(of_environment.ca, "ca");
  EXPECT_EQ(of_environment.certificate, "cert");
  EXPECT_EQ(of_environment.key, "key");
  EXPECT_EQ(Good({"status", "--controller", "c:3"}, variables).connection.controllers,
            (Words{"c:3"}));
  const Connection of_socket = Good({"status", "--socket", "/s"}, variables).connection;
  EXPECT_TRUE(of_socket.controllers.empty());
  EXPECT_TRUE(of_socket.is_socket_given);
}

TEST(Arguments, ReadsUnits) {
  const Command retreat = Good({"retreat", "shop", "--to", "2.5%", "--timeout", "10s", "--wait-for",
                                "applied", "--expected-revision", "7"});
  EXPECT_EQ(retreat.share->ppm(), 25'000U);
  EXPECT_EQ(*retreat.timeout, 10s);
  EXPECT_EQ(*retreat.mutation.wait_for, WaitFor::kApplied);
  EXPECT_EQ(retreat.mutation.expected_revision, 7U);
  EXPECT_EQ(*Good({"open", "shop", "--for", "10m", "--reason", "x"}).open_for, 10min);
}

TEST(Arguments, LabelsOfAPartAreCollected) {
  const Command split =
      Good({"gates", "split", "shop@eu", "--label", "zone=eu", "--label", "tier=a=b"});
  EXPECT_EQ(split.gate, "shop@eu");
  EXPECT_EQ(split.labels, (std::map<std::string, std::string>{{"zone", "eu"}, {"tier", "a=b"}}));
}

TEST(Arguments, SaysWhatIsWrongWithTheWords) {
  const std::vector<std::pair<Words, std::string>> cases = {
      {{}, "A subcommand is required"},
      {{"closs", "shop"}, "there is no verb 'closs'; did you mean 'close'?"},
      {{"--controller", "a:1", "wacth", "shop"}, "did you mean 'watch'?"},
      {{"reboot"}, "there is no verb 'reboot'\n"},
      {{"simulate", "p.yaml", "--scenaro", "H1"},
       "there is no option '--scenaro' here; did you mean '--scenario'?"},
      {{"status", "--otput=json"}, "did you mean '--output'?"},
      {{"close"}, "GATE is required"},
      {{"agents"}, "agents needs a GATE"},
      {{"close", "shop", "extra"}, "extra"},
      {{"status", "--dry-run"}, "--dry-run"},
      {{"open", "shop", "--reason", "x"}, "--for is required"},
      {{"open", "shop", "--for", "10m"}, "give --reason"},
      {{"open", "shop", "--for", "10m", "--reason", " \t "}, "give --reason"},
      {{"open", "shop", "--for", "25h", "--reason", "x"}, "out of range: 1s to 24h"},
      {{"open", "shop", "--for", "0s", "--reason", "x"}, "out of range: 1s to 24h"},
      {{"open", "shop", "--for", "soon", "--reason", "x"}, "--for: 'soon' is not a duration"},
      {{"retreat", "shop", "--to", "130%"}, "130 % is above 100 %"},
      {{"retreat", "shop", "--to", "5"}, "'5' has no unit: a share is written with"},
      {{"retreat", "shop", "--to", "0.05"}, "write 5% if it is a part of 1, 0.05% if it is a"},
      {{"retreat", "shop", "--to", "5.12345%"}, "0 % to 100 % with at most four decimals"},
      {{"gates", "create", "shop"}, "--share is required"},
      {{"gates", "split", "shop@eu"}, "--label is required"},
      {{"gates", "split", "shop@eu", "--label", "eu"}, "--label eu: write KEY=VALUE"},
      {{"gates", "split", "shop@eu", "--label", "zone="}, "--label zone=: write KEY=VALUE"},
      {{"gates", "split", "shop@eu", "--label", "zone=eu", "--label", "zone=us"},
       "zone is given already, as eu"},
      {{"certs", "init", "--dir", "d", "--trust-domain", "t", "--lifetime", "400d"},
       "--lifetime '400d' is refused: write 1m to 365d, in m, h or d"},
      {{"certs", "init", "--dir", "d", "--trust-domain", "t", "--lifetime", "1s"},
       "--lifetime '1s' is refused: write 1m to 365d"},
      {{"resume", "shop", "--timeout", "2m"}, "above 60s"},
      {{"resume", "shop", "--timeout", "5"}, "--timeout: '5'"},
      {{"resume", "shop", "--timeout"}, "--timeout"},
      {{"resume", "shop", "--wait-for", "hope"}, "hope"},
      {{"resume", "shop", "--expected-revision", "-1"}, "--expected-revision '-1' is no revision"},
      {{"resume", "shop", "-o", "yaml"}, "yaml"},
      {{"simulate", "plan.yaml", "-o", "xml"}, "write text, json or svg"},
      {{"resume", "shop", "-o", "xml"}, "write text or json"},
      {{"resume", "shop", "-o", "svg"}, "-o svg draws a run of simulate"},
      {{"resume", "shop", "--socket", "/s", "--controller", "a:1"}, "two ways in"},
      // What may have been meant to change nothing does not close.
      {{"close", "shop", "--dryrun"}, "did you mean '--dry-run'?"},
      {{"retreat", "shop", "--to"}, "--to"},
      {{"resume", "shop", "--reason", std::string(1'025, 'x')},
       "1025 characters long: at most 1024"},
      {{"resume", "shop", "--request-id", std::string(65, 'x')}, "65 characters long: at most 64"},
      {{"start", "p.yaml", "--wait", "--dry-run"}, "contradict each other"},
      {{"timeline", "shop", "--limit", "10001"}, "10001"}};
  for (const auto& [words, text] : cases) {
    EXPECT_NE(Refused(words).find(text), std::string::npos) << text << "\n" << Refused(words);
  }
}

// `--to "$SHARE"` of a variable that is not set.
TEST(Arguments, WhatIsGivenWithoutAValueIsNotTakenForLeftOut) {
  const std::vector<std::pair<Words, std::string>> cases = {
      {{"abort", "shop", "--to", ""}, "--to '' is empty: write its value, or leave it out"},
      {{"retreat", "shop", "--to", ""}, "--to '' is empty"},
      {{"retreat", "shop", "--to="}, "--to '' is empty"},
      {{"retreat", "shop", "--to=", "--dry-run"}, "--to '' is empty"},
      {{"close", ""}, "GATE '' is empty: write its value\n"},
      {{"status", ""}, "GATE '' is empty"},
      {{"gates", "create", "shop", "--share", ""}, "--share '' is empty: write its value\n"},
      {{"gates", "split", "shop@eu", "--label", "zone=eu", "--label", ""}, "--label '' is empty"},
      {{"open", "shop", "--for", "", "--reason", "x"}, "--for '' is empty: write its value\n"},
      {{"open", "shop", "--for", "10m", "--reason", ""}, "--reason '' is empty"},
      {{"resume", "shop", "--expected-revision", ""}, "--expected-revision '' is empty"},
      {{"resume", "shop", "--wait-for", ""}, "--wait-for '' is empty"},
      {{"resume", "shop", "--request-id", ""}, "--request-id '' is empty"},
      {{"resume", "shop", "--reason=", "--dry-run"}, "--reason '' is empty"},
      {{"resume", "shop", "--timeout", ""}, "--timeout '' is empty"},
      {{"resume", "shop", "-o", ""}, "--output '' is empty"},
      {{"--controller", "", "status"}, "--controller '' is empty"},
      {{"status", "--socket", ""}, "--socket '' is empty"},
      {{"status", "--ca", ""}, "--ca '' is empty"},
      {{"dbcheck", "p.yaml", "--database", ""}, "--database '' is empty"},
      {{"dbcheck", "p.yaml", "--tables", ""}, "--tables '' is empty"},
      {{"dbcheck", "p.yaml", "--cpu-share", ""}, "--cpu-share '' is empty"},
      {{"simulate", "p.yaml", "--scenario", ""}, "--scenario '' is empty"},
      {{"certs", "init", "--dir", "d", "--trust-domain", "t", "--lifetime", ""},
       "--lifetime '' is empty"}};
  for (const auto& [words, text] : cases) {
    EXPECT_NE(Refused(words).find(text), std::string::npos) << text << "\n" << Refused(words);
  }
}

TEST(Arguments, NothingButTheShareAndTheGateKeepsAnybodyFromLowering) {
  const std::vector<std::pair<Words, std::string>> cases = {
      {{"--timeout", "2m"}, "--timeout 2m is above 60s; waits for 60s"},
      {{"--timeout", "5"}, "; waits for 2s"},
      {{"--timeout"}, "--timeout says nothing"},
      {{"--timeout", ""}, "--timeout says nothing; done without it"},
      {{"--wait-for", ""}, "--wait-for says nothing"},
      {{"--expected-revision="}, "--expected-revision says nothing"},
      {{"--request-id", ""}, "--request-id says nothing"},
      {{"--controller", ""}, "--controller says nothing"},
      {{"--timeout", "1s", "--timeout", "2s"}, ""},
      {{"--wait-for", "hope"}, "; waits for observed"},
      {{"--expected-revision", "seven"}, "; never asked of a lowering"},
      {{"-o", "yaml"}, "; said as text"},
      {{"-o", "svg"}, "; said as text"},
      {{"--reason"}, "--reason says nothing"},
      {{"--reason", std::string(1'025, 'x')}, "; its beginning is kept"},
      {{"--request-id", std::string(65, 'x')}, "; sent without it"},
      {{"--socket", "/s", "--controller", "a:1"}, "; tries both"}};
  for (const std::string verb : {"close", "hold", "retreat", "abort"}) {
    for (const auto& [words, notice] : cases) {
      Words all = {verb, "shop"};
      all.insert(all.end(), words.begin(), words.end());
      const Command command = Good(all);
      EXPECT_EQ(command.gate, "shop");
      std::string said;
      for (const std::string& line : command.notices) said += line;
      EXPECT_NE(said.find(notice), std::string::npos) << words[0] << ": " << said;
      EXPECT_EQ(said.empty(), notice.empty()) << said;
    }
  }
  EXPECT_EQ(*Good({"close", "shop", "--timeout", "2m"}).timeout, 60s);
  EXPECT_FALSE(Good({"close", "shop", "--timeout", "5"}).timeout);
  EXPECT_TRUE(Good({"close", "shop", "--timeout", "5s", "-o", "json"}).notices.empty());
  EXPECT_TRUE(Good({"close", "shop", "--reason=", "--dry-run"}).mutation.dry_run);
  EXPECT_TRUE(Good({"close", "shop", "--controller", ""}).connection.controllers.empty());
}

TEST(Arguments, HelpIsAVerbToo) {
  const auto said = [](const Words& words) { return std::get<Answer>(Parse(words)); };
  EXPECT_EQ(said({"help"}).text, said({"--help"}).text);
  EXPECT_EQ(said({"help", "close"}).text, said({"close", "--help"}).text);
  EXPECT_EQ(said({"help", "agents", "remove"}).text, said({"agents", "remove", "--help"}).text);
  EXPECT_EQ(said({"help", "close"}).code, ExitCode::kDone);
  EXPECT_EQ(said({"help", "clos"}).code, ExitCode::kUsage);
  EXPECT_NE(said({"help", "clos"}).text.find("did you mean 'close'?"), std::string::npos);
}

TEST(Arguments, HelpOfOpenSaysWhatItNeedsAndWhatItEnds) {
  const std::string help = std::get<Answer>(Parse({"open", "--help"})).text;
  EXPECT_NE(help.find("--for TEXT REQUIRED"), std::string::npos) << help;
  EXPECT_NE(help.find("--reason TEXT REQUIRED"), std::string::npos) << help;
  EXPECT_NE(help.find("A restoration that runs is ABORTED"), std::string::npos) << help;
  EXPECT_NE(help.find("when it is over the share is what"), std::string::npos) << help;
  const std::string close = std::get<Answer>(Parse({"close", "--help"})).text;
  EXPECT_EQ(close.find("TEXT REQUIRED"), std::string::npos) << close;
}

TEST(Arguments, HelpIsNotAnErrorAndHasAnExample) {
  const auto parsed = Parse({"close", "--help"});
  const auto& answer = std::get<Answer>(parsed);
  EXPECT_EQ(answer.code, ExitCode::kDone);
  EXPECT_NE(answer.text.find("headgate close shop"), std::string::npos);
}

TEST(Arguments, HelpSaysWhatIsSoUnlessAsked) {
  const auto help = [](const Words& words) { return std::get<Answer>(Parse(words)).text; };
  EXPECT_NE(help({"close", "--help"}).find("applied or observed [observed]"), std::string::npos);
  EXPECT_NE(help({"resume", "--help"}).find("applied or observed [sent]"), std::string::npos);
  EXPECT_NE(help({"certs", "issue", "--help"}).find("at most 365d [30d]"), std::string::npos);
  const std::string agents = help({"agents", "--help"});
  EXPECT_NE(agents.find("Usage: headgate agents [OPTIONS] GATE, or agents remove [OPTIONS] GATE "
                        "AGENT\n"),
            std::string::npos)
      << agents;
  EXPECT_NE(help({"close", "--help"}).find("Usage: headgate close [OPTIONS] GATE"),
            std::string::npos)
      << help({"close", "--help"});
}

TEST(Arguments, TheVersionIsAFlagToo) {
  const auto parsed = Parse({"--version"});
  const auto& answer = std::get<Answer>(parsed);
  EXPECT_EQ(answer.code, ExitCode::kDone);
  EXPECT_EQ(answer.text, "headgate " HEADGATE_VERSION "\n");
}

}  // namespace
}  // namespace headgate::cli
