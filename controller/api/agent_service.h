// The agents' wire service. gRPC's threads only parse and hand over; what a session is and says
// belongs to the loop's thread. One outstanding write per agent, and behind it one slot per gate in
// which the newest directive wins; a write that takes over kWriteMax ends the stream. The next
// message of an agent is read when the loop has dealt with the one before.
#pragma once

#include "common/loop/loop.h"
#include "controller/api/callers.h"
#include "controller/conductor/conductor.h"
#include "headgate/v1/agent.grpc.pb.h"

namespace headgate::api {

inline constexpr Duration kWriteMax{5'000};
inline constexpr std::size_t kFrameBytesMax = 64 << 10;
inline constexpr Duration kPushEvery{250};

class AgentService : public v1::AgentControl::CallbackService {
 public:
  AgentService(Loop& loop, conductor::Conductor& conductor, CallerRules rules)
      : loop_(loop), conductor_(conductor), rules_(std::move(rules)) {}

  grpc::ServerBidiReactor<v1::AgentMessage, v1::ControllerMessage>* Session(
      grpc::CallbackServerContext* context) override;

 private:
  Loop& loop_;
  conductor::Conductor& conductor_;
  const CallerRules rules_;
};

}  // namespace headgate::api
