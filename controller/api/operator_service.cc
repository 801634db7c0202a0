#include "controller/api/operator_service.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/duration.h"
#include "common/base/random.h"
#include "controller/api/durations.h"
#include "controller/api/gate_watch.h"
#include "controller/api/view.h"
#include "controller/engine/order_rules.h"
#include "controller/plan/plan.h"

namespace headgate::api {
namespace {

using google::protobuf::util::TimeUtil;

conductor::WaitFor ToWaitFor(v1::WaitFor wait_for) {
  switch (static_cast<int>(wait_for)) {
    case v1::RECORDED:
      return conductor::WaitFor::kRecorded;
    case v1::WAIT_APPLIED:
      return conductor::WaitFor::kApplied;
    case v1::WAIT_OBSERVED:
      return conductor::WaitFor::kObserved;
    default:
      return conductor::WaitFor::kSent;
  }
}

Duration WaitTimeoutOf(const v1::Mutation& mutation) {
  if (!mutation.has_wait_timeout()) return conductor::kWaitDefault;
  // In seconds first: a sum of them in milliseconds may not fit.
  const std::int64_t seconds = mutation.wait_timeout().seconds();
  if (seconds < 0) return Duration(0);
  if (seconds > std::chrono::ceil<std::chrono::seconds>(conductor::kWaitMax).count()) {
    return conductor::kWaitMax;
  }
  const Duration asked(TimeUtil::DurationToMilliseconds(mutation.wait_timeout()));
  return std::clamp(asked, Duration(0), conductor::kWaitMax);
}

absl::StatusOr<std::optional<Share>> TargetOf(const v1::RetreatRequest& request) {
  if (!request.has_to_ppm()) return std::optional<Share>();
  absl::StatusOr<Share> share = Share::FromPpm(request.to_ppm());
  if (!share.ok()) return share.status();
  return std::optional<Share>(*share);
}

// The order that was asked for, or why what was asked cannot be one.
template <typename Asked, typename Make>
absl::StatusOr<engine::Order> OrderFrom(absl::StatusOr<Asked> asked, Make make) {
  if (!asked.ok()) return asked.status();
  return engine::Order(make(*std::move(asked)));
}

absl::StatusOr<engine::Plan> PlanOf(const v1::StartRestorationRequest& request) {
  if (!request.has_plan() && request.plan_yaml().empty()) {
    return absl::InvalidArgumentError("the plan is empty: see docs/PLAN.md for an example");
  }
  if (request.has_plan() && !request.plan_yaml().empty()) {
    return absl::InvalidArgumentError("plan and plan_yaml are both given: give one of them");
  }
  if (request.has_plan()) {
    if (absl::Status status = CheckDurations(request.plan(), "plan"); !status.ok()) return status;
    return plan::ToEngine(request.plan());
  }
  return plan::LoadPlan(request.plan_yaml(),
                        request.file_name().empty() ? "plan.yaml" : request.file_name(), nullptr,
                        // The files are the caller's.
                        plan::SentAlong(request.expected()));
}

// `now`: the time of the call, on the loop's clock, which may be read anywhere.
absl::StatusOr<engine::Order> OpeningOf(const v1::OpenGateRequest& request, TimePoint now) {
  if (absl::Status status = CheckDuration(request.duration(), "duration"); !status.ok()) {
    return status;
  }
  const Duration length(TimeUtil::DurationToMilliseconds(request.duration()));
  if (length >= Duration(1'000) && length <= kOpenMax) return engine::OpenGate{now + length};
  return absl::InvalidArgumentError(
      fmt::format("`open` lasts 1s to 24h, not {}: say for how long", FormatDuration(length)));
}

CookieKey NewCookieKey(TimePoint now) {
  return {.id = static_cast<std::uint32_t>(UnixMillis(now) / 1'000),
          .secret = RandomBytes(kCookieSecretBytes)};
}

void Fill(const conductor::Conductor& conductor, const std::string& gate, conductor::Answer& answer,
          v1::Outcome* outcome) {
  const auto found = conductor.state().gates.find(gate);
  if (found != conductor.state().gates.end()) {
    *outcome->mutable_gate() = ViewGate(conductor, gate);
  }
  outcome->set_summary(std::move(answer.summary));
  outcome->set_repeated(answer.repeated);
  outcome->set_recorded(answer.recorded);
  for (const conductor::Unconfirmed& missing : answer.unconfirmed) {
    v1::Unconfirmed& proto = *outcome->add_unconfirmed();
    proto.set_agent(missing.agent);
    proto.set_why(missing.why);
  }
}

}  // namespace

template <class Look>
OperatorService::Unary* OperatorService::Show(Context* context, Look look) {
  Unary* reactor = context->DefaultReactor();
  const absl::Status status = CallerWithRole(*context, rules_, tls::Role::kViewer).status();
  if (!status.ok()) {
    reactor->Finish(ToGrpc(status));
    return reactor;
  }
  loop_.Post([reactor, look]() mutable { reactor->Finish(ToGrpc(look())); });
  return reactor;
}

OperatorService::Unary* OperatorService::GetController(Context* context,
                                                       Request<v1::GetControllerRequest>,
                                                       v1::Controller* response) {
  return Show(context, [this, response] {
    *response = ViewController(conductor_);
    return absl::OkStatus();
  });
}

OperatorService::Unary* OperatorService::ListGates(Context* context, Request<v1::ListGatesRequest>,
                                                   v1::ListGatesResponse* response) {
  return Show(context, [this, response] {
    for (const auto& [name, gate] : conductor_.state().gates) {
      if (gate.exists) *response->add_gates() = ViewGate(conductor_, name);
    }
    return absl::OkStatus();
  });
}

OperatorService::Unary* OperatorService::GetGate(Context* context,
                                                 Request<v1::GetGateRequest> request,
                                                 v1::Gate* response) {
  return Show(context, [this, response, gate = request->gate()] {
    if (!HasGate(conductor_, gate)) return NoGate(conductor_, gate);
    *response = ViewGate(conductor_, gate);
    return absl::OkStatus();
  });
}

grpc::ServerWriteReactor<v1::Gate>* OperatorService::WatchGate(
    Context* context, Request<v1::GetGateRequest> request) {
  absl::Status status = CallerWithRole(*context, rules_, tls::Role::kViewer).status();
  return NewGateWatch(loop_, conductor_, context, request->gate(), std::move(status));
}

// Not on the loop's thread: what is watched has a lock of its own.
OperatorService::Unary* OperatorService::ListDatabases(Context* context,
                                                       Request<v1::ListDatabasesRequest> request,
                                                       v1::ListDatabasesResponse* response) {
  Unary* reactor = context->DefaultReactor();
  absl::Status status = CallerWithRole(*context, rules_, tls::Role::kViewer).status();
  if (status.ok()) {
    const auto view = databases_(request->database());
    status = view.status();
    if (view.ok()) *response = ViewDatabases(*view, request->limit());
  }
  reactor->Finish(ToGrpc(status));
  return reactor;
}

OperatorService::Unary* OperatorService::ListTimeline(Context* context,
                                                      Request<v1::ListTimelineRequest> request,
                                                      v1::ListTimelineResponse* response) {
  std::size_t limit = request->limit() == 0 ? kTimelineDefault : request->limit();
  limit = std::min(limit, conductor::kTimelineKept);
  return Show(context, [this, response, limit, gate = request->gate()] {
    if (!gate.empty() && !HasGate(conductor_, gate)) return NoGate(conductor_, gate);
    *response = ViewTimeline(conductor_, gate, limit);
    return absl::OkStatus();
  });
}

OperatorService::Unary* OperatorService::Carry(Context* context, const Order& from,
                                               absl::StatusOr<engine::Order> order,
                                               v1::Outcome* outcome) {
  Unary* reactor = context->DefaultReactor();
  absl::StatusOr<tls::Identity> caller = CallerWithRole(*context, rules_, from.needed);
  absl::Status status = caller.status();
  if (status.ok()) status = order.status();
  // What lowers needs nothing: how long it waits may be any nonsense.
  if (status.ok() && !engine::Lowers(*order)) status = CheckDurations(from.mutation, "mutation");
  if (!status.ok()) {
    reactor->Finish(ToGrpc(status));
    return reactor;
  }
  engine::Command command{.call = 0,
                          .gate = from.gate,
                          .order = *std::move(order),
                          .actor = ActorOf(*caller),
                          .reason = from.mutation.reason(),
                          .request_id = from.mutation.request_id(),
                          .expected_revision = from.mutation.expected_revision(),
                          .dry_run = from.mutation.dry_run()};
  const conductor::WaitFor wait_for = ToWaitFor(from.mutation.wait_for());
  const Duration wait_timeout = WaitTimeoutOf(from.mutation);
  loop_.Post(
      [this, reactor, outcome, wait_for, wait_timeout, command = std::move(command)]() mutable {
        const std::string gate = command.gate;
        conductor_.Do(std::move(command), wait_for, wait_timeout,
                      [this, reactor, outcome, gate](conductor::Answer answer) {
                        if (answer.status.ok()) Fill(conductor_, gate, answer, outcome);
                        reactor->Finish(ToGrpc(answer.status));
                      });
      });
  return reactor;
}

OperatorService::Unary* OperatorService::CreateGate(Context* context,
                                                    Request<v1::CreateGateRequest> request,
                                                    v1::Outcome* outcome) {
  absl::StatusOr<Share> share = Share::FromPpm(request->share_ppm());
  return Carry(context, {tls::Role::kOperator, request->mutation(), request->gate()},
               OrderFrom(share,
                         [this](Share from) {
                           return engine::CreateGate{from, NewCookieKey(conductor_.clock().Now())};
                         }),
               outcome);
}

OperatorService::Unary* OperatorService::SplitGate(Context* context,
                                                   Request<v1::SplitGateRequest> request,
                                                   v1::Outcome* outcome) {
  engine::SplitGate order{{request->labels().begin(), request->labels().end()}};
  return Carry(context, {tls::Role::kOperator, request->mutation(), request->gate()},
               engine::Order(std::move(order)), outcome);
}

OperatorService::Unary* OperatorService::RemoveGate(Context* context,
                                                    Request<v1::GateRequest> request,
                                                    v1::Outcome* outcome) {
  return Carry(context, {tls::Role::kOperator, request->mutation(), request->gate()},
               engine::Order(engine::RemoveGate{}), outcome);
}

OperatorService::Unary* OperatorService::CloseGate(Context* context,
                                                   Request<v1::GateRequest> request,
                                                   v1::Outcome* outcome) {
  return Carry(context, {tls::Role::kOperator, request->mutation(), request->gate()},
               engine::Order(engine::CloseGate{}), outcome);
}

OperatorService::Unary* OperatorService::OpenGate(Context* context,
                                                  Request<v1::OpenGateRequest> request,
                                                  v1::Outcome* outcome) {
  return Carry(context, {tls::Role::kApprover, request->mutation(), request->gate()},
               OpeningOf(*request, conductor_.clock().Now()), outcome);
}

OperatorService::Unary* OperatorService::StartRestoration(
    Context* context, Request<v1::StartRestorationRequest> request, v1::Outcome* outcome) {
  absl::StatusOr<engine::Plan> plan = PlanOf(*request);
  const std::string gate = plan.ok() ? plan->spec().gate : "";
  const bool when_ready = request->when_ready();
  return Carry(context, {tls::Role::kOperator, request->mutation(), gate},
               OrderFrom(std::move(plan),
                         [when_ready](engine::Plan asked) {
                           return engine::StartRestoration{std::move(asked), when_ready};
                         }),
               outcome);
}

OperatorService::Unary* OperatorService::HoldRestoration(Context* context,
                                                         Request<v1::GateRequest> request,
                                                         v1::Outcome* outcome) {
  return Carry(context, {tls::Role::kOperator, request->mutation(), request->gate()},
               engine::Order(engine::Hold{}), outcome);
}

OperatorService::Unary* OperatorService::ResumeRestoration(Context* context,
                                                           Request<v1::GateRequest> request,
                                                           v1::Outcome* outcome) {
  return Carry(context, {tls::Role::kOperator, request->mutation(), request->gate()},
               engine::Order(engine::Resume{}), outcome);
}

OperatorService::Unary* OperatorService::AdvanceRestoration(Context* context,
                                                            Request<v1::GateRequest> request,
                                                            v1::Outcome* outcome) {
  return Carry(context, {tls::Role::kOperator, request->mutation(), request->gate()},
               engine::Order(engine::Advance{}), outcome);
}

OperatorService::Unary* OperatorService::RetreatRestoration(Context* context,
                                                            Request<v1::RetreatRequest> request,
                                                            v1::Outcome* outcome) {
  absl::StatusOr<std::optional<Share>> to = TargetOf(*request);
  return Carry(context, {tls::Role::kOperator, request->mutation(), request->gate()},
               OrderFrom(to, [](std::optional<Share> target) { return engine::Retreat{target}; }),
               outcome);
}

OperatorService::Unary* OperatorService::AbortRestoration(Context* context,
                                                          Request<v1::RetreatRequest> request,
                                                          v1::Outcome* outcome) {
  absl::StatusOr<std::optional<Share>> to = TargetOf(*request);
  return Carry(context, {tls::Role::kOperator, request->mutation(), request->gate()},
               OrderFrom(to, [](std::optional<Share> target) { return engine::Abort{target}; }),
               outcome);
}

OperatorService::Unary* OperatorService::ApproveStep(Context* context,
                                                     Request<v1::GateRequest> request,
                                                     v1::Outcome* outcome) {
  return Carry(context, {tls::Role::kApprover, request->mutation(), request->gate()},
               engine::Order(engine::Approve{}), outcome);
}

OperatorService::Unary* OperatorService::RemoveAgent(Context* context,
                                                     Request<v1::RemoveAgentRequest> request,
                                                     v1::Outcome* outcome) {
  return Carry(context, {tls::Role::kOperator, request->mutation(), request->gate()},
               engine::Order(engine::RemoveAgent{request->agent()}), outcome);
}

OperatorService::Unary* OperatorService::RotateCookieKey(Context* context,
                                                         Request<v1::GateRequest> request,
                                                         v1::Outcome* outcome) {
  return Carry(context, {tls::Role::kOperator, request->mutation(), request->gate()},
               engine::Order(engine::RotateCookieKey{NewCookieKey(conductor_.clock().Now())}),
               outcome);
}

}  // namespace headgate::api
