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

// A plan of 64 KiB, the schemas that it expects, and their frame; agents' frames are held to 64 KiB
// by their service.
constexpr int kMessageBytesMax = 256 << 10;
constexpr std::chrono::milliseconds kShutdownMax{500};
constexpr int kKeepaliveMs = 5'000;
constexpr int kHandshakeMaxMs = 5'000;
// Each connection keeps a buffer of one frame for good, and what agents are told is short: gRPC's
// own 16 KiB would be 12 MB more with a thousand of them.
constexpr int kTlsFrameBytes = 4 << 10;

void Prepare(grpc::ServerBuilder& builder) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // A peer that hangs is noticed within two of these.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // Who connects and says nothing keeps a descriptor no longer than this.
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMaxMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, static_cast<int>(kIdleMax.count()));
  builder.AddChannelArgument(GRPC_ARG_TSI_MAX_FRAME_SIZE, kTlsFrameBytes);
}

}  // namespace

struct Listener::Services {
  Services(Loop& loop, conductor::Conductor& conductor, const CallerRules& rules,
           ShowDatabases databases)
      : operators(loop, conductor, rules, std::move(databases)), agents(loop, conductor, rules) {}
  ~Services() {
    if (server != nullptr) server->Shutdown(std::chrono::system_clock::now() + kShutdownMax);
  }

  OperatorService operators;
  AgentService agents;
  std::unique_ptr<grpc::Server> server;
};

Listener::Listener(std::unique_ptr<Services> services) : services_(std::move(services)) {}
Listener::~Listener() = default;

absl::StatusOr<std::unique_ptr<Listener>> Listener::OnNetwork(
    const std::string& listen, const std::optional<tls::Material>& tls, Loop& loop,
    conductor::Conductor& conductor, ShowDatabases databases) {
  const CallerRules rules{.trust_domain = tls ? tls->identity.trust_domain : "loopback",
                          .is_plaintext = !tls};
  std::unique_ptr<Listener> listener(
      new Listener(std::make_unique<Services>(loop, conductor, rules, std::move(databases))));
  Services& services = *listener->services_;
  grpc::ServerBuilder builder;
  Prepare(builder);
  builder.AddListeningPort(listen,
                           tls ? tls::ServerCredentials(*tls) : grpc::InsecureServerCredentials(),
                           &listener->port_);
  builder.RegisterService(&services.operators);
  builder.RegisterService(&services.agents);
  services.server = builder.BuildAndStart();
  if (services.server != nullptr && listener->port_ != 0) return listener;
  return absl::UnavailableError(fmt::format(
      "cannot listen on {}: is the port taken, or the address not this host's?", listen));
}

absl::StatusOr<std::unique_ptr<Listener>> Listener::OnSocket(const std::string& path, Loop& loop,
                                                             conductor::Conductor& conductor,
                                                             ShowDatabases databases) {
  absl::StatusOr<std::string> address = tls::PrepareLocalSocket(path);
  if (!address.ok()) return address.status();
  const CallerRules rules{.trust_domain = "", .is_plaintext = false};
  std::unique_ptr<Listener> listener(
      new Listener(std::make_unique<Services>(loop, conductor, rules, std::move(databases))));
  Services& services = *listener->services_;
  grpc::ServerBuilder builder;
  Prepare(builder);
  builder.AddListeningPort(*address, tls::LocalServerCredentials());
  builder.RegisterService(&services.operators);
  services.server = builder.BuildAndStart();
  if (services.server != nullptr) return listener;
  return absl::UnavailableError(fmt::format("cannot listen on the socket {}", path));
}

}  // namespace headgate::api
