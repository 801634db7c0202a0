// The controller as this program sees it: calls with a deadline, told whether anybody answered. One
// thread. A call ends early when Ctrl-C is pressed. Every mutation carries a request id, so that a
// call that was cut off is repeated without doing anything twice.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/channel.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/terminal.h"
#include "common/base/clock.h"
#include "headgate/v1/operator.grpc.pb.h"

namespace headgate::cli {

// How far a call got.
enum class Reach {
  // No connection to any controller.
  kNever,
  // Connected, but the call was cut off: it may have been carried out.
  kSent,
  // The controller's own words.
  kAnswered,
};

struct CallResult {
  absl::Status status;
  Reach reach = Reach::kNever;
  bool ok() const { return status.ok(); }
};

// For `verb`; `headgate --help` has the table.
ExitCode ExitCodeOf(const CallResult& result, Verb verb);

struct Endpoint {
  // As people know it.
  std::string address;
  std::shared_ptr<grpc::Channel> channel;
  bool is_plaintext = false;
};

// The ways in. INVALID_ARGUMENT says which flag is missing or wrong; other errors are those of the
// certificates' files.
absl::StatusOr<std::vector<Endpoint>> OpenEndpoints(const Connection& connection, bool is_root,
                                                    TimePoint now);

// How long a controller is looked for, and how long a call that was cut off is repeated.
inline constexpr Duration kConnectTimeout{2'000};
inline constexpr Duration kReadTimeout{5'000};

class Controller {
 public:
  Controller(std::vector<Endpoint> endpoints, const Interrupt& interrupt)
      : endpoints_(std::move(endpoints)), interrupt_(interrupt) {}

  // Waits for a connection; the result's status says who was tried and why it failed.
  CallResult Connect(Duration timeout);

  CallResult GetController(const v1::GetControllerRequest& request, v1::Controller& response);
  CallResult ListGates(const v1::ListGatesRequest& request, v1::ListGatesResponse& response);
  CallResult GetGate(const v1::GetGateRequest& request, v1::Gate& response);
  CallResult ListTimeline(const v1::ListTimelineRequest& request,
                          v1::ListTimelineResponse& response);
  CallResult ListDatabases(const v1::ListDatabasesRequest& request,
                           v1::ListDatabasesResponse& response);

  template <typename Request>
  using Mutation = std::unique_ptr<grpc::ClientAsyncResponseReader<v1::Outcome>> (
      v1::Headgate::Stub::*)(grpc::ClientContext*, const Request&, grpc::CompletionQueue*);
  // `timeout` is for the answer, from when it was sent.
  template <typename Request>
  CallResult Mutate(Mutation<Request> method, const Request& request, Duration timeout,
                    v1::Outcome& response) {
    return Repeat(method, request, timeout, response);
  }

  // Called several times a second while a call waits for its answer. It must not block.
  void set_while_waiting(std::function<void()> look) { while_waiting_ = std::move(look); }

  // Of the endpoint that is connected; null before Connect.
  std::shared_ptr<grpc::Channel> channel() const {
    return current_ == nullptr ? nullptr : current_->channel;
  }
  std::string address() const { return current_ == nullptr ? "" : current_->address; }

 private:
  template <typename Method, typename Request, typename Response>
  CallResult Repeat(Method method, const Request& request, Duration timeout, Response& response);
  // Why each endpoint cannot be reached.
  std::string Reasons(Duration timeout);

  const std::vector<Endpoint> endpoints_;
  const Interrupt& interrupt_;
  const Endpoint* current_ = nullptr;
  std::function<void()> while_waiting_ = [] {};
};

// A gRPC status in ours; the codes are the same numbers.
absl::Status ToStatus(const grpc::Status& status);
// Where the controller did not say it, in plain words; `timeout` is what the call had.
absl::Status ToStatus(const grpc::Status& status, bool is_from_controller, Duration timeout);
// From the controller itself, and not from the way to it.
bool IsFromController(const grpc::ClientContext& context, const grpc::Status& status);

}  // namespace headgate::cli
