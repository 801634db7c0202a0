#include "controller/engine/repeats.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace headgate::engine {

bool WasCarriedOut(const Gate& gate, const Command& command) {
  const auto& ids = (gate.pending ? gate.pending->next : gate.record).request_ids;
  return !command.request_id.empty() &&
         std::find(ids.begin(), ids.end(), command.request_id) != ids.end();
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
