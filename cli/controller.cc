#include "cli/controller.h"

#include <fmt/format.h>
#include <grpc/support/time.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/rounded.h"
#include "common/tls/address.h"
#include "common/tls/credentials.h"
#include "common/tls/files.h"

namespace headgate::cli {
namespace {

// How often a wait looks for Ctrl-C.
constexpr Duration kTurn{50};
constexpr Duration kPauseBeforeRepeat{200};

gpr_timespec In(Duration duration) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_millis(duration.count(), GPR_TIMESPAN));
}

std::shared_ptr<grpc::Channel> OpenChannel(
    const std::string& target, const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 500);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  // Controllers are not behind the proxy that http_proxy names.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(target, credentials, arguments);
}

struct CallOutcome {
  grpc::Status status;
  bool is_from_controller = false;
};

template <typename Method, typename Request, typename Response>
CallOutcome CallOnce(const std::shared_ptr<grpc::Channel>& channel, Method method,
                     const Request& request, Duration timeout, const Interrupt& interrupt,
                     const std::function<void()>& while_waiting, Response& response) {
  v1::Headgate::Stub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(In(timeout));
  grpc::CompletionQueue queue;
  grpc::Status status;
  const auto call = (stub.*method)(&context, request, &queue);
  call->Finish(&response, &status, &queue);
  void* tag = nullptr;
  bool ok = false;
  while (queue.AsyncNext(&tag, &ok, In(kTurn)) == grpc::CompletionQueue::TIMEOUT) {
    if (interrupt.IsRaised()) context.TryCancel();
    while_waiting();
  }
  return CallOutcome{.status = status, .is_from_controller = IsFromController(context, status)};
}

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// gRPC's words for why there is no connection are for those who wrote it.
std::string WhyUnreachable(const Endpoint& endpoint, const grpc::Status& status, Duration timeout) {
  const std::string& address = endpoint.address;
  const std::string& why = status.error_message();
  if (Has(why, "Connection refused")) return "nobody listens at " + address;
  if (Has(why, "No such file")) return fmt::format("{}: there is no such socket", address);
  if (Has(why, "Permission denied")) return fmt::format("{}: only root may open it", address);
  if (Has(why, "No route to host") || Has(why, "Network is unreachable")) {
    return fmt::format("{}: no way leads there", address);
  }
  if (Has(why, "DNS resolution failed") || Has(why, "not resolve")) {
    return fmt::format("{}: its name cannot be resolved", address);
  }
  const bool hung_up = Has(why, "Socket closed") || Has(why, "Connection reset");
  if (hung_up && endpoint.is_plaintext) {
    return fmt::format("{} hung up: does it speak TLS? Then leave --plaintext out", address);
  }
  // TLS 1.3 tells a client nothing of why its certificate was not taken.
  if (hung_up) {
    return fmt::format("{} hung up: does it trust your certificate?", address);
  }
  if (Has(why, "CERTIFICATE_VERIFY_FAILED") || Has(why, "not in peer certificate")) {
    return fmt::format("{}: its certificate is not one of a controller of your --ca", address);
  }
  // A process that stands still takes the connection, and no more: gRPC then says that it gave up
  // reading. Who hangs up, or speaks no TLS, has another text.
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED || Has(why, "imeout") ||
      Has(why, "imed out") || Has(why, "Handshake read failed")) {
    return fmt::format("{} gives no answer within {}", address, FormatRounded(timeout));
  }
  if (Has(why, "andshake")) {
    return fmt::format(
        "{}: TLS with it fails: is it a controller's --listen address, and is --ca the authority "
        "of its certificate and of yours?",
        address);
  }
  // Whatever else: without the addresses and the codes in front of it.
  const std::size_t last = why.rfind(": ");
  return fmt::format("{}: {}", address, last == std::string::npos ? why : why.substr(last + 2));
}

// Those that are named, over TLS unless plaintext is asked for.
absl::StatusOr<std::vector<Endpoint>> OpenControllers(const Connection& connection, TimePoint now) {
  for (const std::string& address : connection.controllers) {
    absl::Status complete = tls::CheckHostPort(address, "--controller");
    if (!complete.ok()) return complete;
  }
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (connection.plaintext) {
    for (const std::string& address : connection.controllers) {
      const absl::Status allowed = tls::CheckPlaintextAllowed(address, true, "--plaintext");
      if (!allowed.ok()) return absl::InvalidArgumentError(std::string(allowed.message()));
    }
  } else {
    if (connection.ca.empty() || connection.certificate.empty() || connection.key.empty()) {
      return absl::InvalidArgumentError(
          "--ca, --cert and --key are needed together (or HEADGATE_CA, HEADGATE_CERT, "
          "HEADGATE_KEY); --plaintext is for a controller on loopback only");
    }
    const absl::StatusOr<tls::Material> material = tls::Load(
        tls::Files{
            .ca = connection.ca, .certificate = connection.certificate, .key = connection.key},
        now);
    if (!material.ok()) return material.status();
    credentials = tls::ChannelCredentials(*material);
  }
  std::vector<Endpoint> endpoints;
  for (const std::string& address : connection.controllers) {
    endpoints.push_back({address, OpenChannel(address, credentials), connection.plaintext});
  }
  return endpoints;
}

}  // namespace

absl::Status ToStatus(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

absl::Status ToStatus(const grpc::Status& status, bool is_from_controller, Duration timeout) {
  if (is_from_controller) return ToStatus(status);
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return absl::Status(code, fmt::format("no answer within {}", FormatRounded(timeout)));
  }
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    return absl::Status(code, "the connection broke");
  }
  return ToStatus(status);
}

bool IsFromController(const grpc::ClientContext& context, const grpc::Status& status) {
  // gRPC on the controller's side ends a call at its deadline, too: nobody there has decided.
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) return false;
  // The only mark that gRPC leaves: a status that came over the wire.
  return status.ok() ||
         context.debug_error_string().find("Error received from peer") != std::string::npos;
}

ExitCode ExitCodeOf(const CallResult& result, Verb verb) {
  if (result.ok()) return ExitCode::kDone;
  if (result.reach == Reach::kNever) return ExitCode::kNoController;
  const bool is_reading = verb == Verb::kStatus || verb == Verb::kWatch || verb == Verb::kExplain ||
                          verb == Verb::kAgents || verb == Verb::kGates ||
                          verb == Verb::kTimeline || verb == Verb::kDatabases ||
                          verb == Verb::kDoctor || verb == Verb::kVersion;
  if (result.reach == Reach::kSent) {
    return is_reading ? ExitCode::kNoController : ExitCode::kCouldNotTell;
  }
  switch (result.status.code()) {
    case absl::StatusCode::kNotFound:
      return ExitCode::kNotFound;
    case absl::StatusCode::kAborted:
      return ExitCode::kVersionConflict;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return ExitCode::kNotAllowed;
    // The controller lives and says why it does not: its journal, a limit, a rule.
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAlreadyExists:
      return ExitCode::kRefused;
    case absl::StatusCode::kInvalidArgument:
      // A plan's rules, as `validate` tells them.
      return verb == Verb::kStart ? ExitCode::kRefused : ExitCode::kUsage;
    case absl::StatusCode::kDeadlineExceeded:
      return is_reading ? ExitCode::kNoController : ExitCode::kCouldNotTell;
    case absl::StatusCode::kOk:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kDoNotUseReservedForFutureExpansionUseDefaultInSwitchInstead_:
      return ExitCode::kInternal;
  }
  return ExitCode::kInternal;
}

absl::StatusOr<std::vector<Endpoint>> OpenEndpoints(const Connection& connection, bool is_root,
                                                    TimePoint now) {
  std::error_code ignored;
  const bool may_use_socket =
      connection.is_socket_given || (connection.controllers.empty() && is_root &&
                                     std::filesystem::is_socket(connection.socket, ignored));
  if (may_use_socket) {
    std::vector<Endpoint> endpoints{
        {connection.socket,
         OpenChannel("unix:" + connection.socket, tls::LocalChannelCredentials())}};
    if (connection.controllers.empty()) return endpoints;
    // Beside the socket only for a lowering, which goes whatever way there is.
    absl::StatusOr<std::vector<Endpoint>> named = OpenControllers(connection, now);
    if (named.ok()) std::ranges::move(*named, std::back_inserter(endpoints));
    return endpoints;
  }
  if (connection.controllers.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("no controller is named: give --controller HOST:PORT or set "
                    "HEADGATE_CONTROLLER; on its own host, root may use --socket {}",
                    kDefaultSocket));
  }
  return OpenControllers(connection, now);
}

CallResult Controller::Connect(Duration timeout) {
  const gpr_timespec end = In(timeout);
  while (!interrupt_.IsRaised()) {
    for (const Endpoint& endpoint : endpoints_) {
      if (endpoint.channel->GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_READY) {
        current_ = &endpoint;
        return CallResult{absl::OkStatus(), Reach::kSent};
      }
    }
    if (gpr_time_cmp(gpr_now(GPR_CLOCK_MONOTONIC), end) >= 0) {
      return CallResult{absl::UnavailableError(Reasons(timeout)), Reach::kNever};
    }
    // A change of any other endpoint's state is seen at the next turn.
    const Endpoint& first = endpoints_.front();
    first.channel->WaitForStateChange(first.channel->GetState(false), In(Duration(20)));
  }
  return CallResult{absl::CancelledError("interrupted"), Reach::kNever};
}

std::string Controller::Reasons(Duration timeout) {
  std::string reasons;
  for (const Endpoint& endpoint : endpoints_) {
    // gRPC tells why only to a call that fails for it.
    v1::Controller unused;
    const CallOutcome outcome = CallOnce(
        endpoint.channel, &v1::Headgate::Stub::AsyncGetController, v1::GetControllerRequest(),
        Duration(200), interrupt_, [] {}, unused);
    reasons += (reasons.empty() ? "" : "; ") + WhyUnreachable(endpoint, outcome.status, timeout);
  }
  return reasons;
}

template <typename Method, typename Request, typename Response>
CallResult Controller::Repeat(Method method, const Request& request, Duration timeout,
                              Response& response) {
  CallResult result;
  // At most as often as the pauses fit into the time that we look for a controller.
  for (Duration waited{0}; waited <= kConnectTimeout; waited += kPauseBeforeRepeat) {
    const CallResult connected = Connect(kConnectTimeout);
    if (!connected.ok()) {
      if (result.reach == Reach::kNever) return connected;
      // Gone since it was asked: even a status that it sent may be gRPC's own, for calls that a
      // controller leaves behind when it ends.
      result.reach = Reach::kSent;
      return result;
    }
    const CallOutcome outcome =
        CallOnce(current_->channel, method, request, timeout, interrupt_, while_waiting_, response);
    result = CallResult{ToStatus(outcome.status, outcome.is_from_controller, timeout),
                        outcome.is_from_controller ? Reach::kAnswered : Reach::kSent};
    // A controller that ends in good order cancels what it has not answered.
    const bool was_cut_off = outcome.status.error_code() == grpc::StatusCode::UNAVAILABLE ||
                             outcome.status.error_code() == grpc::StatusCode::CANCELLED;
    if (!was_cut_off) return result;
    if (interrupt_.WaitFor(kPauseBeforeRepeat)) return result;
  }
  return result;
}

CallResult Controller::GetController(const v1::GetControllerRequest& request,
                                     v1::Controller& response) {
  return Repeat(&v1::Headgate::Stub::AsyncGetController, request, kReadTimeout, response);
}
CallResult Controller::ListGates(const v1::ListGatesRequest& request,
                                 v1::ListGatesResponse& response) {
  return Repeat(&v1::Headgate::Stub::AsyncListGates, request, kReadTimeout, response);
}
CallResult Controller::GetGate(const v1::GetGateRequest& request, v1::Gate& response) {
  return Repeat(&v1::Headgate::Stub::AsyncGetGate, request, kReadTimeout, response);
}
CallResult Controller::ListTimeline(const v1::ListTimelineRequest& request,
                                    v1::ListTimelineResponse& response) {
  return Repeat(&v1::Headgate::Stub::AsyncListTimeline, request, kReadTimeout, response);
}
CallResult Controller::ListDatabases(const v1::ListDatabasesRequest& request,
                                     v1::ListDatabasesResponse& response) {
  return Repeat(&v1::Headgate::Stub::AsyncListDatabases, request, kReadTimeout, response);
}

template CallResult Controller::Repeat(Mutation<v1::GateRequest>, const v1::GateRequest&, Duration,
                                       v1::Outcome&);
template CallResult Controller::Repeat(Mutation<v1::RetreatRequest>, const v1::RetreatRequest&,
                                       Duration, v1::Outcome&);
template CallResult Controller::Repeat(Mutation<v1::OpenGateRequest>, const v1::OpenGateRequest&,
                                       Duration, v1::Outcome&);
template CallResult Controller::Repeat(Mutation<v1::CreateGateRequest>,
                                       const v1::CreateGateRequest&, Duration, v1::Outcome&);
template CallResult Controller::Repeat(Mutation<v1::SplitGateRequest>, const v1::SplitGateRequest&,
                                       Duration, v1::Outcome&);
template CallResult Controller::Repeat(Mutation<v1::StartRestorationRequest>,
                                       const v1::StartRestorationRequest&, Duration, v1::Outcome&);
template CallResult Controller::Repeat(Mutation<v1::RemoveAgentRequest>,
                                       const v1::RemoveAgentRequest&, Duration, v1::Outcome&);

}  // namespace headgate::cli
