#include "controller/engine/order_rules.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <variant>

#include "common/base/gate_name.h"
#include "common/base/text.h"
#include "controller/engine/engine.h"
#include "controller/engine/names.h"
#include "controller/engine/repeats.h"

namespace headgate::engine {
namespace {

constexpr std::size_t kGatesNamed = 10;

// What is of no use where nothing can be raised; better to say so at once.
bool NeedsJournal(const Order& order) {
  return std::holds_alternative<StartRestoration>(order) ||
         std::holds_alternative<CreateGate>(order) || std::holds_alternative<OpenGate>(order) ||
         std::holds_alternative<Advance>(order) || std::holds_alternative<RotateCookieKey>(order) ||
         std::holds_alternative<SplitGate>(order) || std::holds_alternative<RemoveGate>(order);
}

// Of a gate that is to be: its name, and that there is room for it.
absl::Status CheckNew(const State& state, const std::string& name, bool is_part) {
  if (is_part && !(IsPart(name) && IsGateOrPartName(name))) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' cannot be a part's name: write {}, as in shop@eu", name, kPartNameRule));
  }
  if (!is_part && !IsGateName(name)) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' cannot be a gate's name: write {}{}", name, kGateNameRule,
                    IsPart(name) ? "; a part is made by `headgate gates split`" : ""));
  }
  if (state.removals.contains(name)) {
    return StillRecording(name);
  }
  const auto known = state.gates.find(name);
  const bool exists = known != state.gates.end() && known->second.exists;
  if (!exists && state.gates.size() >= kGatesMax) {
    return absl::ResourceExhaustedError(fmt::format("{} gates exist, the limit", kGatesMax));
  }
  return absl::OkStatus();
}

}  // namespace

bool Lowers(const Order& order) {
  return std::holds_alternative<CloseGate>(order) || std::holds_alternative<Retreat>(order) ||
         std::holds_alternative<Abort>(order) || std::holds_alternative<Hold>(order);
}

absl::Status NoSuchGate(const State& state, const std::string& name, Share share) {
  std::string there_are;
  std::size_t count = 0;
  for (const auto& [known, gate] : state.gates) {
    if (!gate.exists) continue;
    if (++count <= kGatesNamed) there_are += (count == 1 ? "" : ", ") + known;
  }
  if (count > kGatesNamed) there_are += fmt::format(" and {} more", count - kGatesNamed);
  const bool lowers = share == Share::None();
  if (IsPart(name) && state.gates.contains(WholeOf(name))) {
    // Its parts are not known where the journal is lost; who lowers is in a hurry.
    if (lowers) {
      return absl::NotFoundError(
          fmt::format("gate {0} has no part '{1}'; there are: {2}. `headgate close {0}` closes all "
                      "of {0}",
                      WholeOf(name), name, there_are));
    }
    return absl::NotFoundError(
        fmt::format("gate {} has no part '{}'; there are: {}. `headgate gates split {} --label "
                    "zone=…` makes one",
                    WholeOf(name), name, there_are, name));
  }
  // Where there are gates the name is mistyped: it must not be advised into being.
  if (count > 0) {
    return absl::NotFoundError(
        fmt::format("there is no gate '{}'; there are: {}", name, there_are));
  }
  return absl::NotFoundError(
      fmt::format("there is no gate '{}' yet: `headgate gates create {} "
                  "--share {:g}%`",
                  name, name, double(share.ppm()) / 10'000));
}

Command WithTextsThatFit(Command command) {
  if (!Lowers(command.order)) return command;
  command.reason = CutUtf8(command.reason, kReasonBytesMax);
  // Half an id could be another's.
  if (command.request_id.size() > kRequestIdBytesMax) command.request_id.clear();
  return command;
}

absl::Status CheckAdmissible(const State& state, const Command& command) {
  if (command.reason.size() > kReasonBytesMax) {
    return absl::InvalidArgumentError(fmt::format("the reason has {} bytes, at most {} are kept",
                                                  command.reason.size(), kReasonBytesMax));
  }
  if (command.request_id.size() > kRequestIdBytesMax) {
    return absl::InvalidArgumentError(
        fmt::format("the request id has {} bytes, at most {} are kept", command.request_id.size(),
                    kRequestIdBytesMax));
  }
  const bool splits = std::holds_alternative<SplitGate>(command.order);
  if (splits || std::holds_alternative<CreateGate>(command.order)) {
    absl::Status status = CheckNew(state, command.gate, splits);
    if (!status.ok() || !splits) return status;
  }
  const std::string asked = splits ? WholeOf(command.gate) : command.gate;
  const auto known = state.gates.find(asked);
  if (known != state.gates.end() && known->second.exists) return absl::OkStatus();
  return NoSuchGate(state, asked, Lowers(command.order) ? Share::None() : Share::All());
}

absl::Status CheckBefore(const State& state, const Gate& gate, const Command& command) {
  if (NeedsJournal(command.order) && (!state.leads || !state.journal_trouble.empty())) {
    return absl::UnavailableError(
        "this controller can only lower: " +
        (state.journal_trouble.empty() ? std::string("it does not lead") : state.journal_trouble));
  }
  if (absl::Status status = CheckRequestId(gate, command); !status.ok()) return status;
  if (Lowers(command.order) || command.expected_revision == 0) return absl::OkStatus();
  if (command.expected_revision != gate.record.version.revision) {
    return absl::AbortedError(
        fmt::format("gate {} is at revision {}, you expected {}: look again, then decide",
                    command.gate, gate.record.version.revision, command.expected_revision));
  }
  return absl::OkStatus();
}

absl::Status StillRecording(const std::string& gate) {
  return absl::UnavailableError(fmt::format(
      "the journal has not recorded yet what was decided for {} before: try again in a second",
      gate));
}

absl::Status NoRestoration(const Gate& gate, std::string_view verb) {
  const std::string& name = gate.record.gate;
  const Share share = gate.record.share;
  const bool goes_up = verb == "resume" || verb == "advance" || verb == "approve";
  std::string way = "`headgate start PLAN` begins one";
  if (goes_up && share == Share::All()) {
    way = "everybody is in; `headgate start PLAN` begins one while fewer are";
  } else if (goes_up && share > Share::None()) {
    way = "`headgate start PLAN` goes on from here";
  } else if (share > Share::None()) {
    // Who wants some out must not be made to take out all.
    way = fmt::format(
        "`headgate retreat {0} --to SHARE` lowers it all the same, `headgate close {0}` "
        "takes everybody out",
        name);
    if (share < Share::All()) way += ", `headgate start PLAN` goes on from here";
  }
  return absl::FailedPreconditionError(
      fmt::format("gate {} is at {} and has no running restoration to {}: {}", name,
                  share.ToString(), verb, way));
}

}  // namespace headgate::engine
