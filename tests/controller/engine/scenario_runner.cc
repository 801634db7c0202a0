#include "tests/controller/engine/scenario_runner.h"

#include <fmt/format.h>

#include <functional>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/base/duration.h"
#include "controller/engine/explain.h"
#include "tests/controller/engine/scenario_plan.h"
#include "tests/controller/engine/world.h"

namespace headgate::engine {
namespace {

using Words = std::vector<std::string>;

constexpr char kDivider[] = "----";

absl::Status Unclear(const std::string& what) { return absl::InvalidArgumentError(what); }

// "key=value" -> value, if the word is of that key.
std::optional<std::string> ValueOf(const std::string& word, const std::string& key) {
  if (word.rfind(key + "=", 0) != 0) return std::nullopt;
  return word.substr(key.size() + 1);
}

double RatioOf(const std::string& text) {
  const auto ppm = ParsePpm(text, Share::kPpmMax);
  return ppm.ok() ? double(*ppm) / Share::kPpmMax : 0.0;
}

class Runner {
 public:
  Runner() : world_([this](const std::string& line) { Say(line); }) {}

  absl::StatusOr<std::string> Run(const std::vector<std::string>& input) {
    output_.clear();
    for (const std::string& line : input) {
      const Words words = absl::StrSplit(line, ' ', absl::SkipEmpty());
      if (absl::Status status = Do(words); !status.ok()) {
        return Unclear(fmt::format("'{}': {}", line, std::string(status.message())));
      }
    }
    return output_.empty() ? "nothing\n" : output_;
  }

 private:
  using Verb = absl::Status (Runner::*)(const Words&);

  void Say(const std::string& line) {
    output_ += FormatTimeOfDay(world_.now()) + " " +
               absl::StrReplaceAll(line, {{"\n", "\n         "}}) + "\n";
  }

  absl::Status Do(const Words& words) {
    static const std::map<std::string, Verb> verbs = {
        {"plan", &Runner::ReadPlan},        {"agents", &Runner::SetAgents},
        {"traffic", &Runner::SetTraffic},   {"reading", &Runner::SetReadings},
        {"database", &Runner::SetDatabase}, {"journal", &Runner::SetJournal},
        {"after", &Runner::After},          {"until", &Runner::Until},
        {"restart", &Runner::Restart},      {"explain", &Runner::ExplainNow},
        {"depose", &Runner::Depose},        {"evidence", &Runner::EvidenceThen}};
    if (words.empty()) return absl::OkStatus();
    const auto found = verbs.find(words[0]);
    if (found == verbs.end()) return Order(words);
    return (this->*found->second)(Words(words.begin() + 1, words.end()));
  }

  absl::Status ReadPlan(const Words& words) {
    absl::StatusOr<Plan> plan = PlanOfWords(words);
    if (!plan.ok()) return plan.status();
    plan_ = *std::move(plan);
    return absl::OkStatus();
  }

  // NAME… then what becomes of them.
  absl::Status SetAgents(const Words& words) {
    Words names;
    std::size_t i = 0;
    for (; i < words.size() && words[i].rfind("edge-", 0) == 0; ++i) names.push_back(words[i]);
    for (const std::string& name : names) {
      for (std::size_t word = i; word < words.size(); ++word) {
        if (absl::Status status = SetAgent(name, words[word]); !status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

  absl::Status SetAgent(const std::string& name, const std::string& word) {
    FakeAgent& agent = world_.agent(name);
    if (word == "connected") {
      world_.Connect(name);
    } else if (word == "disconnected") {
      world_.Disconnect(name);
    } else if (word == "obey") {
      agent.refuses.clear();
      agent.obeys_after = Duration(200);
      world_.Touch(name);
    } else if (word == "refuse") {
      agent.refuses = "the map cannot be written";
    } else if (word == "blind") {
      agent.counts = false;
    } else if (word == "sighted") {
      agent.counts = true;
    } else if (auto late = ValueOf(word, "late"); late && ParseDuration(*late).ok()) {
      agent.obeys_after = *ParseDuration(*late);
    } else if (auto weight = ValueOf(word, "weight")) {
      agent.weight = std::stoul(*weight);
    } else if (auto errors = ValueOf(word, "errors")) {
      agent.error_ratio = RatioOf(*errors);
    } else if (auto key = ValueOf(word, "admits-by")) {
      agent.view.admit_by = absl::StrReplaceAll(*key, {{"_", " "}});
      world_.Touch(name);
    } else if (auto share = ValueOf(word, "override"); share && Share::Parse(*share).ok()) {
      agent.view.enforced = *Share::Parse(*share);
      agent.view.local_override = "exactly " + agent.view.enforced.ToString();
      world_.Touch(name);
    } else if (word == "released") {
      agent.view.local_override.clear();
      agent.view.stage = AgentView::Stage::kReceived;
      world_.Touch(name);
    } else {
      return Unclear(fmt::format("an agent cannot be '{}'", word));
    }
    return absl::OkStatus();
  }

  // 200rps errors=0.2% slow=1% knee=20%:50% busy=150%
  absl::Status SetTraffic(const Words& words) {
    Demand& demand = world_.demand();
    for (const std::string& word : words) {
      if (auto errors = ValueOf(word, "errors")) {
        demand.error_ratio = RatioOf(*errors);
        demand.knee.reset();
      } else if (auto slow = ValueOf(word, "slow")) {
        demand.slow_ratio = RatioOf(*slow);
      } else if (auto knee = ValueOf(word, "knee")) {
        const std::size_t colon = knee->find(':');
        const absl::StatusOr<Share> at = Share::Parse(knee->substr(0, colon));
        if (!at.ok()) return at.status();
        demand.knee = *at;
        demand.error_ratio_above_knee = RatioOf(knee->substr(colon + 1));
      } else if (auto busy = ValueOf(word, "busy")) {
        world_.SetLoad(std::stod(*busy) / 100);
      } else if (word.size() > 3 && word.substr(word.size() - 3) == "rps") {
        demand.requests_per_second = std::stod(word);
      } else {
        return Unclear(fmt::format("traffic has no '{}'", word));
      }
    }
    return absl::OkStatus();
  }

  // lag=900, lag=silent, lag=none, payments=3/100 (each 10 s, as the plan's check has it).
  absl::Status SetReadings(const Words& words) {
    for (const std::string& word : words) {
      const std::size_t equals = word.find('=');
      if (equals == std::string::npos) return Unclear("a reading is NAME=VALUE");
      const std::string name = word.substr(0, equals);
      const std::string value = word.substr(equals + 1);
      const std::size_t slash = value.find('/');
      if (value == "silent") {
        world_.Silence(name);
      } else if (value == "none") {
        world_.Measure(name, {.value = NoData{"prometheus: 503 Service Unavailable"}});
      } else if (slash != std::string::npos) {
        world_.Measure(name, {.every = Duration(10'000),
                              .value = Tally{.total = std::stoul(value.substr(slash + 1)),
                                             .bad = std::stoul(value.substr(0, slash))}});
      } else {
        world_.Measure(name, {.value = Value{std::stod(value)}});
      }
    }
    return absl::OkStatus();
  }

  absl::Status SetDatabase(const Words& words) {
    if (words.size() != 2)
      return Unclear("database NAME ok|drift|lag|drift+lag|comparing|noted|active=N|silent");
    const std::string source = "database/" + words[0];
    if (words[1] == "silent") {
      world_.Silence(source);
      return absl::OkStatus();
    }
    DatabaseReport report;
    if (words[1] == "drift" || words[1] == "drift+lag") {
      report.findings = {{.severity = DatabaseFinding::Severity::kFailed,
                          .drains = true,
                          .text = "replica db2: table orders: column total is numeric(10,2) here, "
                                  "integer on the primary"}};
    }
    if (words[1].ends_with("lag")) {
      report.findings.push_back({.severity = DatabaseFinding::Severity::kFailed,
                                 .text = "replica db2: lag 9s is over 5s"});
    } else if (words[1] == "comparing") {
      report.pending = "the data have not been compared whole yet: 3 of 7 tables";
      report.progress = "not compared whole yet: 3 of 7 tables";
    } else if (words[1] == "noted") {
      report.notes = {"allowed: replica db2: table orders: column note is missing here"};
    } else if (words[1].starts_with("active=")) {
      report.active_backends = std::stoll(words[1].substr(7));
    } else if (words[1] != "ok" && words[1] != "drift") {
      return Unclear(fmt::format("a database cannot be '{}'", words[1]));
    }
    world_.Measure(source, {.value = report});
    return absl::OkStatus();
  }

  absl::Status SetJournal(const Words& words) {
    static const std::map<std::string, FakeJournal::Mode> modes = {
        {"works", FakeJournal::Mode::kWorks},
        {"fails", FakeJournal::Mode::kFails},
        {"hangs", FakeJournal::Mode::kHangs},
        {"mute", FakeJournal::Mode::kMute}};
    const auto found = words.size() == 1 ? modes.find(words[0]) : modes.end();
    if (found == modes.end()) return Unclear("journal works|fails|hangs|mute");
    world_.SetJournal(found->second);
    return absl::OkStatus();
  }

  absl::Status After(const Words& words) {
    if (words.empty()) return Unclear("after DURATION [what then]");
    const absl::StatusOr<Duration> duration = ParseDuration(words[0]);
    if (!duration.ok()) return duration.status();
    world_.Run(*duration);
    return Do(Words(words.begin() + 1, words.end()));
  }

  // PHASE or SHARE, then `within DURATION`.
  absl::Status Until(const Words& words) {
    if (words.size() != 3 || words[1] != "within") {
      return Unclear("until PHASE|SHARE within DURATION");
    }
    const absl::StatusOr<Duration> duration = ParseDuration(words[2]);
    if (!duration.ok()) return duration.status();
    const absl::StatusOr<Share> share = Share::Parse(words[0]);
    const auto is_reached = [&] {
      const Gate* gate = world_.gate();
      if (gate == nullptr) return false;
      if (share.ok()) return gate->record.share == *share;
      return gate->record.restoration && words[0] == NameOf(gate->record.restoration->phase);
    };
    if (!world_.RunUntil(is_reached, *duration)) {
      Say(fmt::format("not {} within {}", words[0], FormatDuration(*duration)));
    }
    return absl::OkStatus();
  }

  absl::Status Restart(const Words&) {
    world_.Restart();
    return absl::OkStatus();
  }

  absl::Status Depose(const Words&) {
    world_.Feed(ReignLost{.why = "a newer reign owns the journal"});
    return absl::OkStatus();
  }

  absl::Status ExplainNow(const Words&) {
    const Gate* gate = world_.gate();
    if (gate == nullptr) return Unclear("there is no gate");
    const Explanation explanation = Explain(world_.state(), *gate, world_.now());
    Say(explanation.doing);
    for (const std::string& obstacle : explanation.waits_for) Say("  waits for: " + obstacle);
    return absl::OkStatus();
  }

  absl::Status EvidenceThen(const Words&) {
    const Gate* gate = world_.gate();
    if (gate == nullptr) return Unclear("there is no gate");
    Say(fmt::format("evidence of {}:{}", gate->cause.what,
                    gate->cause.evidence.empty() ? " none" : ""));
    for (const std::string& line : gate->cause.evidence) Say("  " + line);
    return absl::OkStatus();
  }

  absl::Status Order(const Words& words) {
    Command command{.call = ++calls_, .gate = World::kGate, .actor = "anna"};
    Words rest;
    for (std::size_t i = 1; i < words.size(); ++i) {
      if (auto id = ValueOf(words[i], "id")) {
        command.request_id = *id;
      } else if (auto revision = ValueOf(words[i], "expect")) {
        command.expected_revision = std::stoul(*revision);
      } else if (auto reason = ValueOf(words[i], "reason")) {
        command.reason = *reason;
      } else if (words[i] == "dry-run") {
        command.dry_run = true;
      } else if (words[i] != "to") {
        rest.push_back(words[i]);
      }
    }
    absl::StatusOr<engine::Order> order = OrderOf(words[0], rest);
    if (!order.ok()) return order.status();
    command.order = *std::move(order);
    world_.Feed(command);
    return absl::OkStatus();
  }

  absl::StatusOr<engine::Order> OrderOf(const std::string& verb, const Words& rest) {
    const std::string first = rest.empty() ? "" : rest[0];
    const absl::StatusOr<Share> share = Share::Parse(first);
    const std::optional<Share> to = share.ok() ? std::optional(*share) : std::nullopt;
    if (verb == "create" && to) return CreateGate{*to};
    if (verb == "create-signed" && to) return CreateGate{*to, CookieKey{1, kSecret}};
    if (verb == "rotate") return RotateCookieKey{CookieKey{1, kSecret}};
    if (verb == "close") return CloseGate{};
    if (verb == "hold") return Hold{};
    if (verb == "resume") return Resume{};
    if (verb == "advance") return Advance{};
    if (verb == "approve") return Approve{};
    if (verb == "retreat") return Retreat{to};
    if (verb == "abort") return Abort{to};
    if (verb == "remove") return RemoveAgent{first};
    if (verb == "start" && plan_) return StartRestoration{*plan_, first == "when-ready"};
    const absl::StatusOr<Duration> duration = ParseDuration(first);
    if (verb == "open" && duration.ok()) return OpenGate{world_.now() + *duration};
    return Unclear("nobody knows this word");
  }

  const std::string kSecret = std::string(kCookieSecretBytes, 's');
  std::string output_;
  World world_;
  std::optional<Plan> plan_;
  std::uint64_t calls_ = 0;
};

bool IsHeading(const std::string& line) { return line.empty() || line[0] == '#'; }

}  // namespace

std::vector<ScenarioBlock> ParseScenario(const std::string& text) {
  std::vector<ScenarioBlock> blocks(1);
  bool is_output = false;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    ScenarioBlock& block = blocks.back();
    if (is_output) {
      if (line.empty()) {
        is_output = false;
        blocks.emplace_back();
      } else {
        block.expected += line + "\n";
      }
    } else if (line == kDivider) {
      is_output = true;
    } else if (IsHeading(line)) {
      block.heading += line + "\n";
    } else {
      block.input.push_back(line);
    }
  }
  if (blocks.back().input.empty()) blocks.pop_back();
  return blocks;
}

std::string FormatScenario(const std::vector<ScenarioBlock>& blocks) {
  std::string text;
  for (const ScenarioBlock& block : blocks) {
    if (!text.empty()) text += "\n";
    text += block.heading;
    for (const std::string& line : block.input) text += line + "\n";
    text += std::string(kDivider) + "\n" + block.expected;
  }
  return text;
}

absl::StatusOr<std::vector<ScenarioBlock>> RunScenario(std::vector<ScenarioBlock> blocks) {
  Runner runner;
  for (ScenarioBlock& block : blocks) {
    absl::StatusOr<std::string> output = runner.Run(block.input);
    if (!output.ok()) return output.status();
    block.expected = *std::move(output);
  }
  return blocks;
}

}  // namespace headgate::engine
