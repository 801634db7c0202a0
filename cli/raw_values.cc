#include "cli/raw_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <system_error>
#include <utility>

#include "common/base/duration.h"
#include "common/base/text.h"

namespace headgate::cli {
namespace {

constexpr Duration kMutationTimeoutMax{60'000};
constexpr std::size_t kRequestIdBytesMax = 64;
constexpr std::size_t kReasonBytesMax = 1'024;

std::string ReadDuration(const std::string& flag, const std::string& text,
                         std::optional<Duration>& out) {
  if (text.empty()) return "";
  const absl::StatusOr<Duration> duration = ParseDuration(text);
  if (!duration.ok()) return flag + ": " + std::string(duration.status().message());
  out = *duration;
  return "";
}

std::string ReadShare(const std::string& text, Command& command) {
  if (text.empty()) return "";
  const absl::StatusOr<Share> share = Share::Parse(text);
  if (!share.ok()) return "share: " + std::string(share.status().message());
  command.share = *share;
  return "";
}

std::string ReadWaitFor(const std::string& text, MutationFlags& flags) {
  const std::map<std::string, WaitFor> words = {{"recorded", WaitFor::kRecorded},
                                                {"sent", WaitFor::kSent},
                                                {"applied", WaitFor::kApplied},
                                                {"observed", WaitFor::kObserved}};
  if (text.empty()) return "";
  const auto found = words.find(text);
  if (found == words.end()) {
    return fmt::format("--wait-for '{}': write recorded, sent, applied or observed",
                       CutUtf8(text, 80));
  }
  flags.wait_for = found->second;
  return "";
}

std::string ReadRevision(const std::string& text, MutationFlags& flags) {
  if (text.empty()) return "";
  const char* end = text.data() + text.size();
  std::uint64_t revision = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, revision);
  if (error != std::errc() || stop != end) {
    return fmt::format("--expected-revision '{}' is no revision: write a whole number",
                       CutUtf8(text, 80));
  }
  flags.expected_revision = revision;
  return "";
}

std::string ReadOutput(const std::string& text, Command& command) {
  const std::map<std::string, Output> words = {
      {"text", Output::kText}, {"json", Output::kJson}, {"svg", Output::kSvg}};
  if (text.empty()) return "";
  const auto found = words.find(text);
  if (found == words.end()) {
    return fmt::format("-o '{}' is not known: write {}", CutUtf8(text, 80),
                       command.verb == Verb::kSimulate ? "text, json or svg" : "text or json");
  }
  if (found->second == Output::kSvg && command.verb != Verb::kSimulate) {
    return "-o svg draws a run of simulate: write -o text or -o json here";
  }
  command.output = found->second;
  return "";
}

// How long agents are waited for; where a restoration is followed there is no bound.
std::string CheckTimeout(const Command& command) {
  const bool follows =
      command.wait || command.verb == Verb::kWatch || command.verb == Verb::kDbcheck;
  if (follows || command.verb == Verb::kStart ||
      command.timeout.value_or(Duration(0)) <= kMutationTimeoutMax) {
    return "";
  }
  return fmt::format("--timeout {} is above 60s", FormatDuration(*command.timeout));
}

std::string CheckReason(const MutationFlags& flags) {
  if (flags.reason.size() <= kReasonBytesMax) return "";
  return fmt::format("--reason is {} characters long: at most {}", flags.reason.size(),
                     kReasonBytesMax);
}

std::string CheckRequestId(const MutationFlags& flags) {
  if (flags.request_id.size() <= kRequestIdBytesMax) return "";
  return fmt::format("--request-id is {} characters long: at most {}", flags.request_id.size(),
                     kRequestIdBytesMax);
}

// A lowering goes on without what is wrong, and says what it does instead.
void Forgive(std::string why, const std::string& instead, Command& command) {
  if (!why.empty()) command.notices.push_back(std::move(why) + "; " + instead);
}

void ReadValuesOfLowering(const RawValues& raw, Command& command) {
  MutationFlags& flags = command.mutation;
  Forgive(ReadOutput(raw.output, command), "said as text", command);
  Forgive(ReadDuration("--timeout", raw.timeout, command.timeout), "waits for 2s", command);
  if (std::string why = CheckTimeout(command); !why.empty()) {
    command.timeout = kMutationTimeoutMax;
    Forgive(std::move(why), "waits for 60s", command);
  }
  Forgive(ReadWaitFor(raw.wait_for, flags), "waits for observed", command);
  Forgive(ReadRevision(raw.expected_revision, flags), "never asked of a lowering", command);
  Forgive(CheckReason(flags), "its beginning is kept", command);
  flags.reason = CutUtf8(flags.reason, kReasonBytesMax);
  if (std::string why = CheckRequestId(flags); !why.empty()) {
    // Half an id could be another's.
    flags.request_id.clear();
    Forgive(std::move(why), "sent without it", command);
  }
}

}  // namespace

std::string ReadConnection(const RawValues& raw, const Variable& variable, Command& command) {
  Connection& connection = command.connection;
  connection.controllers = raw.controllers;
  connection.is_socket_given = !raw.socket.empty();
  if (connection.is_socket_given) connection.socket = raw.socket;
  if (connection.is_socket_given && !connection.controllers.empty()) {
    const std::string why = "--socket and --controller are two ways in";
    if (!IsLowering(command.verb)) return why + ": give one";
    Forgive(why, "tries both", command);
  }
  if (connection.controllers.empty() && !connection.is_socket_given) {
    const std::string list = variable("HEADGATE_CONTROLLER");
    for (std::size_t from = 0; from < list.size();) {
      const std::size_t to = std::min(list.find(',', from), list.size());
      if (to > from) connection.controllers.push_back(list.substr(from, to - from));
      from = to + 1;
    }
  }
  connection.ca = raw.ca.empty() ? variable("HEADGATE_CA") : raw.ca;
  connection.certificate = raw.certificate.empty() ? variable("HEADGATE_CERT") : raw.certificate;
  connection.key = raw.key.empty() ? variable("HEADGATE_KEY") : raw.key;
  return "";
}

std::string ReadValues(const RawValues& raw, Command& command) {
  MutationFlags& flags = command.mutation;
  // A terminal may type Latin-1.
  for (std::string* text :
       {&command.gate, &command.agent, &command.database, &flags.reason, &flags.request_id}) {
    *text = ValidUtf8(*text);
  }
  if (std::string wrong = ReadShare(raw.share, command); !wrong.empty()) return wrong;
  if (IsLowering(command.verb)) {
    ReadValuesOfLowering(raw, command);
    return "";
  }
  for (std::string& wrong : std::array{
           ReadOutput(raw.output, command), ReadDuration("--timeout", raw.timeout, command.timeout),
           ReadDuration("--for", raw.open_for, command.open_for), ReadWaitFor(raw.wait_for, flags),
           ReadRevision(raw.expected_revision, flags)}) {
    if (!wrong.empty()) return std::move(wrong);
  }
  return "";
}

std::string CheckWhole(const Command& command) {
  const Verb verb = command.verb;
  if (verb == Verb::kAgents && command.gate.empty()) return "agents needs a GATE";
  if (verb == Verb::kOpen) {
    if (IsBlank(command.mutation.reason)) {
      return "open admits people without evidence: give --reason, it goes into the journal";
    }
    if (*command.open_for < Duration(1'000) || *command.open_for > Duration(86'400'000)) {
      return fmt::format("--for {} is out of range: 1s to 24h", FormatDuration(*command.open_for));
    }
  }
  for (std::string& wrong :
       std::array{CheckReason(command.mutation), CheckRequestId(command.mutation)}) {
    if (!wrong.empty()) return std::move(wrong);
  }
  if (const std::string wrong = CheckTimeout(command); !wrong.empty()) {
    return wrong + ": to wait longer, use headgate watch GATE";
  }
  if (command.wait && command.mutation.dry_run) {
    return "--wait and --dry-run contradict each other: a dry run starts nothing";
  }
  return "";
}

}  // namespace headgate::cli
