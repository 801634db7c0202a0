#include "cli/order_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>

#include "cli/preflight_teller.h"
#include "cli/session.h"
#include "controller/plan/plan.h"

namespace headgate::cli {
namespace {

using Stub = v1::Headgate::Stub;

// Agents answer in well under a second; a person has the list of those who do not within two, the
// way there and back included.
constexpr Duration kConfirmTimeout{1'700};
// For the controller itself, on top of what it waits for.
constexpr Duration kAnswerMargin{3'000};
constexpr Duration kPreflightMargin{20'000};
constexpr Duration kReadyForUnknown{60'000};
// For data, where the plan waits however long.
constexpr Duration kWholeDataMax{24 * 3'600'000};

std::string RandomId() {
  std::random_device random;
  return fmt::format("cli-{:08x}{:08x}{:08x}", random(), random(), random());
}

void SetDuration(Duration from, google::protobuf::Duration& to) {
  to.set_seconds(from.count() / 1'000);
  to.set_nanos(static_cast<std::int32_t>(from.count() % 1'000 * 1'000'000));
}

Duration WaitTimeout(const Command& command) {
  // With --wait, --timeout is for the restoration.
  if (command.wait || !command.timeout) return kConfirmTimeout;
  return std::min(*command.timeout, Duration(60'000));
}

v1::Mutation ToMutation(const Command& command) {
  v1::Mutation mutation;
  mutation.set_request_id(command.mutation.request_id.empty() ? RandomId()
                                                              : command.mutation.request_id);
  mutation.set_expected_revision(command.mutation.expected_revision);
  mutation.set_reason(command.mutation.reason);
  mutation.set_dry_run(command.mutation.dry_run);
  mutation.set_wait_for(ToWaitFor(command));
  SetDuration(WaitTimeout(command), *mutation.mutable_wait_timeout());
  return mutation;
}

CallResult CallGate(Controller::Mutation<v1::GateRequest> method, const Command& command,
                    Controller& controller, v1::Outcome& outcome) {
  v1::GateRequest request;
  *request.mutable_mutation() = ToMutation(command);
  request.set_gate(command.gate);
  return controller.Mutate(method, request, WaitTimeout(command) + kAnswerMargin, outcome);
}

CallResult CallRetreat(Controller::Mutation<v1::RetreatRequest> method, const Command& command,
                       Controller& controller, v1::Outcome& outcome) {
  v1::RetreatRequest request;
  *request.mutable_mutation() = ToMutation(command);
  request.set_gate(command.gate);
  if (command.share) request.set_to_ppm(command.share->ppm());
  return controller.Mutate(method, request, WaitTimeout(command) + kAnswerMargin, outcome);
}

CallResult CallOpen(const Command& command, Controller& controller, v1::Outcome& outcome) {
  v1::OpenGateRequest request;
  *request.mutable_mutation() = ToMutation(command);
  request.set_gate(command.gate);
  SetDuration(*command.open_for, *request.mutable_duration());
  return controller.Mutate<v1::OpenGateRequest>(&Stub::AsyncOpenGate, request,
                                                WaitTimeout(command) + kAnswerMargin, outcome);
}

CallResult CallCreate(const Command& command, Controller& controller, v1::Outcome& outcome) {
  v1::CreateGateRequest request;
  *request.mutable_mutation() = ToMutation(command);
  request.set_gate(command.gate);
  request.set_share_ppm(command.share->ppm());
  return controller.Mutate<v1::CreateGateRequest>(&Stub::AsyncCreateGate, request,
                                                  WaitTimeout(command) + kAnswerMargin, outcome);
}

CallResult CallSplit(const Command& command, Controller& controller, v1::Outcome& outcome) {
  v1::SplitGateRequest request;
  *request.mutable_mutation() = ToMutation(command);
  request.set_gate(command.gate);
  request.mutable_labels()->insert(command.labels.begin(), command.labels.end());
  return controller.Mutate<v1::SplitGateRequest>(&Stub::AsyncSplitGate, request,
                                                 WaitTimeout(command) + kAnswerMargin, outcome);
}

CallResult CallRemove(const Command& command, Controller& controller, v1::Outcome& outcome) {
  v1::RemoveAgentRequest request;
  *request.mutable_mutation() = ToMutation(command);
  request.set_gate(command.gate);
  request.set_agent(command.agent);
  return controller.Mutate<v1::RemoveAgentRequest>(&Stub::AsyncRemoveAgent, request,
                                                   WaitTimeout(command) + kAnswerMargin, outcome);
}

// How long preflight may take with this plan: databases are compared at the same time.
Duration PreflightMax(const engine::PlanSpec& plan) {
  Duration data{0};
  for (const auto& [name, database] : plan.databases) {
    if (!database.data.is_compared) continue;
    data = std::max(data, database.data.preflight.value_or(kWholeDataMax));
  }
  return plan.ready_for + data;
}

CallResult CallStart(const Command& command, const std::string& yaml, Controller& controller,
                     std::ostream& err, v1::Outcome& outcome) {
  v1::StartRestorationRequest request;
  *request.mutable_mutation() = ToMutation(command);
  request.set_plan_yaml(yaml);
  request.set_file_name(NameOfPlan(command));
  request.set_when_ready(command.when_ready);
  Baselines baselines(command.plan_file);
  const auto plan = LoadPlanOf(command, yaml, baselines);
  for (const auto& [name, read] : baselines.read()) {
    (*request.mutable_expected())[name] = plan::FromExpected(read.expected);
  }
  // Without --when-ready the answer is preflight's. The controller's own rules judge the plan; ours
  // only tell how long that may take.
  Duration timeout = WaitTimeout(command) + kAnswerMargin;
  if (command.when_ready || command.mutation.dry_run) {
    return controller.Mutate<v1::StartRestorationRequest>(&Stub::AsyncStartRestoration, request,
                                                          timeout, outcome);
  }
  timeout += (plan.ok() ? PreflightMax(plan->spec()) : kReadyForUnknown) + kPreflightMargin;
  if (command.wait && command.timeout) timeout = std::min(timeout, *command.timeout);
  std::optional<PreflightTeller> teller;
  if (plan.ok()) teller.emplace(controller, plan->spec(), err);
  controller.set_while_waiting([&teller] {
    if (teller) teller->Look();
  });
  CallResult result = controller.Mutate<v1::StartRestorationRequest>(&Stub::AsyncStartRestoration,
                                                                     request, timeout, outcome);
  controller.set_while_waiting([] {});
  return result;
}

}  // namespace

v1::WaitFor ToWaitFor(const Command& command) {
  if (!command.mutation.wait_for) {
    return IsLowering(command.verb) ? v1::WAIT_OBSERVED : v1::SENT;
  }
  switch (*command.mutation.wait_for) {
    case WaitFor::kRecorded:
      return v1::RECORDED;
    case WaitFor::kSent:
      return v1::SENT;
    case WaitFor::kApplied:
      return v1::WAIT_APPLIED;
    case WaitFor::kObserved:
      return v1::WAIT_OBSERVED;
  }
  return v1::SENT;
}

CallResult CallOrder(const Command& command, const std::string& yaml, Controller& controller,
                     std::ostream& err, v1::Outcome& outcome) {
  switch (command.verb) {
    case Verb::kStart:
      return CallStart(command, yaml, controller, err, outcome);
    case Verb::kHold:
      return CallGate(&Stub::AsyncHoldRestoration, command, controller, outcome);
    case Verb::kResume:
      return CallGate(&Stub::AsyncResumeRestoration, command, controller, outcome);
    case Verb::kAdvance:
      return CallGate(&Stub::AsyncAdvanceRestoration, command, controller, outcome);
    case Verb::kApprove:
      return CallGate(&Stub::AsyncApproveStep, command, controller, outcome);
    case Verb::kClose:
      return CallGate(&Stub::AsyncCloseGate, command, controller, outcome);
    case Verb::kRetreat:
      return CallRetreat(&Stub::AsyncRetreatRestoration, command, controller, outcome);
    case Verb::kAbort:
      return CallRetreat(&Stub::AsyncAbortRestoration, command, controller, outcome);
    case Verb::kOpen:
      return CallOpen(command, controller, outcome);
    case Verb::kCreateGate:
      return CallCreate(command, controller, outcome);
    case Verb::kSplitGate:
      return CallSplit(command, controller, outcome);
    case Verb::kRemoveGate:
      return CallGate(&Stub::AsyncRemoveGate, command, controller, outcome);
    case Verb::kRotateKey:
      return CallGate(&Stub::AsyncRotateCookieKey, command, controller, outcome);
    case Verb::kRemoveAgent:
      return CallRemove(command, controller, outcome);
    case Verb::kValidate:
    case Verb::kSimulate:
    case Verb::kDbcheck:
    case Verb::kStatus:
    case Verb::kWatch:
    case Verb::kExplain:
    case Verb::kAgents:
    case Verb::kGates:
    case Verb::kTimeline:
    case Verb::kDatabases:
    case Verb::kCertsInit:
    case Verb::kCertsIssue:
    case Verb::kVersion:
      break;
  }
  return CallResult{absl::InternalError("not a mutation"), Reach::kAnswered};
}

}  // namespace headgate::cli
