#include "controller/api/server.h"

#include <fmt/format.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <utility>

#include "common/tls/credentials.h"
#include "common/tls/local_socket.h"
#include "controller/api/agent_service.h"
#include "controller/api/operator_service.h"

namespace headgate::api {
namespace {

// A plan of 64 KiB and its frame; agents' frames are held to 64 KiB by their service.
constexpr int kMessageBytesMax = 128 << 10;
constexpr std::chrono::milliseconds kShutdownMax{500};
constexpr int kKeepaliveMs = 5'000;
constexpr int kHandshakeMaxMs = 5'000;

void SetLimits(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // A peer that hangs is noticed within two of these.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // Who connects and says nothing keeps a descriptor no longer than this.
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMaxMs);
}

}  // namespace

struct Servers::Listener {
  Listener(Loop& loop, conductor::Conductor& conductor, const CallerRules& rules)
      : operators(loop, conductor, rules), agents(loop, conductor, rules) {}
  ~Listener() {
    if (server != nullptr) server->Shutdown(std::chrono::system_clock::now() + kShutdownMax);
  }

  OperatorService operators;
  AgentService agents;
  std::unique_ptr<grpc::Server> server;
};

Servers::Servers() = default;
Servers::~Servers() = default;

absl::StatusOr<std::unique_ptr<Servers>> Servers::Start(const ServerOptions& options, Loop& loop,
                                                        conductor::Conductor& conductor) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  std::unique_ptr<Servers> servers(new Servers);
  if (!options.listen.empty()) {
    if (absl::Status status = servers->ServeNetwork(options, loop, conductor); !status.ok()) {
      return status;
    }
  }
  if (options.socket.empty()) return servers;
  absl::StatusOr<std::string> address = tls::PrepareLocalSocket(options.socket);
  if (!address.ok()) return address.status();
  servers->local_ = std::make_unique<Listener>(
      loop, conductor, CallerRules{.trust_domain = "", .is_plaintext = false});
  grpc::ServerBuilder local;
  SetLimits(local);
  local.AddListeningPort(*address, tls::LocalServerCredentials());
  local.RegisterService(&servers->local_->operators);
  servers->local_->server = local.BuildAndStart();
  if (servers->local_->server == nullptr) {
    return absl::UnavailableError(fmt::format("cannot listen on the socket {}", options.socket));
  }
  return servers;
}

absl::Status Servers::ServeNetwork(const ServerOptions& options, Loop& loop,
                                   conductor::Conductor& conductor) {
  const CallerRules rules{
      .trust_domain = options.tls ? options.tls->identity.trust_domain : "loopback",
      .is_plaintext = !options.tls};
  network_ = std::make_unique<Listener>(loop, conductor, rules);
  grpc::ServerBuilder builder;
  SetLimits(builder);
  builder.AddListeningPort(
      options.listen,
      options.tls ? tls::ServerCredentials(*options.tls) : grpc::InsecureServerCredentials(),
      &port_);
  builder.RegisterService(&network_->operators);
  builder.RegisterService(&network_->agents);
  network_->server = builder.BuildAndStart();
  if (network_->server != nullptr && port_ != 0) return absl::OkStatus();
  return absl::UnavailableError(fmt::format(
      "cannot listen on {}: is the port taken, or the address not this host's?", options.listen));
}

}  // namespace headgate::api
