// The operators' wire service: checks who may, translates, and hands over to the conductor. Called
// on gRPC's threads; everything behind Post runs on the loop's.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/loop/loop.h"
#include "controller/api/callers.h"
#include "controller/api/database_view.h"
#include "controller/conductor/conductor.h"
#include "headgate/v1/operator.grpc.pb.h"

namespace headgate::api {

inline constexpr std::size_t kTimelineDefault = 1'000;
inline constexpr Duration kOpenMax{86'400'000};

class OperatorService : public v1::Headgate::CallbackService {
 public:
  OperatorService(Loop& loop, conductor::Conductor& conductor, CallerRules rules,
                  ShowDatabases databases)
      : loop_(loop),
        conductor_(conductor),
        rules_(std::move(rules)),
        databases_(std::move(databases)) {}

  template <class Message>
  using Request = const Message*;
  using Context = grpc::CallbackServerContext;
  using Unary = grpc::ServerUnaryReactor;

  Unary* GetController(Context*, Request<v1::GetControllerRequest>, v1::Controller*) override;
  Unary* ListGates(Context*, Request<v1::ListGatesRequest>, v1::ListGatesResponse*) override;
  Unary* GetGate(Context*, Request<v1::GetGateRequest>, v1::Gate*) override;
  grpc::ServerWriteReactor<v1::Gate>* WatchGate(Context*, Request<v1::GetGateRequest>) override;
  Unary* ListTimeline(Context*, Request<v1::ListTimelineRequest>,
                      v1::ListTimelineResponse*) override;
  Unary* ListDatabases(Context*, Request<v1::ListDatabasesRequest>,
                       v1::ListDatabasesResponse*) override;

  Unary* RotateCookieKey(Context*, Request<v1::GateRequest>, v1::Outcome*) override;
  Unary* CreateGate(Context*, Request<v1::CreateGateRequest>, v1::Outcome*) override;
  Unary* SplitGate(Context*, Request<v1::SplitGateRequest>, v1::Outcome*) override;
  Unary* RemoveGate(Context*, Request<v1::GateRequest>, v1::Outcome*) override;
  Unary* CloseGate(Context*, Request<v1::GateRequest>, v1::Outcome*) override;
  Unary* OpenGate(Context*, Request<v1::OpenGateRequest>, v1::Outcome*) override;
  Unary* StartRestoration(Context*, Request<v1::StartRestorationRequest>, v1::Outcome*) override;
  Unary* HoldRestoration(Context*, Request<v1::GateRequest>, v1::Outcome*) override;
  Unary* ResumeRestoration(Context*, Request<v1::GateRequest>, v1::Outcome*) override;
  Unary* AdvanceRestoration(Context*, Request<v1::GateRequest>, v1::Outcome*) override;
  Unary* RetreatRestoration(Context*, Request<v1::RetreatRequest>, v1::Outcome*) override;
  Unary* AbortRestoration(Context*, Request<v1::RetreatRequest>, v1::Outcome*) override;
  Unary* ApproveStep(Context*, Request<v1::GateRequest>, v1::Outcome*) override;
  Unary* RemoveAgent(Context*, Request<v1::RemoveAgentRequest>, v1::Outcome*) override;

 private:
  struct Order {
    tls::Role needed;
    const v1::Mutation& mutation;
    std::string gate;
  };
  // Answers with `order` carried out, or why not.
  Unary* Carry(Context* context, const Order& from, absl::StatusOr<engine::Order> order,
               v1::Outcome* outcome);
  // Runs `look` on the loop's thread, for whoever may look.
  template <class Look>
  Unary* Show(Context* context, Look look);

  Loop& loop_;
  conductor::Conductor& conductor_;
  const CallerRules rules_;
  const ShowDatabases databases_;
};

}  // namespace headgate::api
