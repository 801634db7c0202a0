#include "controller/engine/repeats.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <variant>

#include "controller/engine/order_rules.h"

namespace headgate::engine {
namespace {

// In the order of the variant; none has a space.
constexpr std::array<std::string_view, std::variant_size_v<Order>> kOrderNames = {
    "create",  "close", "open",    "start",        "hold",       "resume", "advance",
    "retreat", "abort", "approve", "remove-agent", "rotate-key", "split",  "remove"};

const std::vector<std::string>& MarksOf(const Gate& gate) {
  return (gate.pending ? gate.pending->next : gate.record).request_ids;
}

bool IsHeldByHand(const Gate& gate) {
  if (!IsRestoring(gate.record)) return false;
  const auto* holding = std::get_if<Holding>(&gate.record.restoration->phase);
  return holding != nullptr && holding->why == Holding::Why::kOperatorAsked;
}

bool IsClosed(const Gate& gate) {
  return gate.record.share == Share::None() && !IsRestoring(gate.record) && !gate.pending;
}

// Whether what a lowering order asked for is still so.
struct StillHolds {
  State& state;
  const Gate& gate;

  bool operator()(const CloseGate&) const {
    const std::vector<Gate*> parts = PartsOf(state, gate);
    return IsClosed(gate) && std::all_of(parts.begin(), parts.end(),
                                         [](const Gate* part) { return IsClosed(*part); });
  }
  bool operator()(const Hold&) const { return IsHeldByHand(gate); }
  bool operator()(const Retreat& order) const {
    const bool is_low = gate.record.share <= order.to.value_or(Share::All());
    return is_low && (IsRestoring(gate.record) ? IsHeldByHand(gate) : order.to && !gate.pending);
  }
  bool operator()(const Abort& order) const {
    return !IsRestoring(gate.record) && !gate.pending &&
           gate.record.share <= order.to.value_or(Share::All());
  }
  template <class Other>
  bool operator()(const Other&) const {
    return true;
  }
};

}  // namespace

std::string RequestMark(const Command& command) {
  return fmt::format("{} {}", kOrderNames.at(command.order.index()), command.request_id);
}

bool WasCarriedOut(State& state, const Gate& gate, const Command& command) {
  const std::vector<std::string>& marks = MarksOf(gate);
  return !command.request_id.empty() &&
         std::find(marks.begin(), marks.end(), RequestMark(command)) != marks.end() &&
         std::visit(StillHolds{state, gate}, command.order);
}

absl::Status CheckRequestId(const Gate& gate, const Command& command) {
  if (command.request_id.empty() || Lowers(command.order)) return absl::OkStatus();
  for (const std::string& mark : MarksOf(gate)) {
    const std::size_t space = mark.find(' ');
    if (space == std::string::npos || mark.substr(space + 1) != command.request_id) continue;
    if (mark == RequestMark(command)) continue;
    return absl::FailedPreconditionError(
        fmt::format("request id '{}' was that of `{}` on gate {}: each order needs one of its own",
                    command.request_id, mark.substr(0, space), gate.record.gate));
  }
  return absl::OkStatus();
}

void AnswerRepeat(Turn& turn, Gate& gate, const Command& command) {
  const auto& restoration = gate.record.restoration;
  Replied reply{.call = command.call, .repeated = true};
  if (std::holds_alternative<StartRestoration>(command.order) && restoration) {
    const bool waits =
        std::holds_alternative<Preflight>(restoration->phase) && !restoration->when_ready;
    if (waits && gate.waiting_call == 0) {
      gate.waiting_call = command.call;
      return;
    }
    if (const auto* failed = std::get_if<Failed>(&restoration->phase)) {
      reply.status = absl::FailedPreconditionError(failed->detail);
      turn.Reply(std::move(reply));
      return;
    }
  }
  reply.summary = "this request was carried out before";
  reply.version = (gate.pending ? gate.pending->next : gate.record).version;
  if (!gate.recorded) reply.token = gate.newest_token;
  turn.Reply(std::move(reply));
}

}  // namespace headgate::engine
