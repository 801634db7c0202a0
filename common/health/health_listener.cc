#include "common/health/health_listener.h"

#include <fmt/format.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <utility>

#include "absl/status/status.h"
#include "common/health/connections.h"

namespace headgate {
namespace {

constexpr std::chrono::milliseconds kShutdownMax{200};

absl::Status CannotListen(const std::string& address, absl::string_view why) {
  return absl::UnavailableError(fmt::format(
      "{}: cannot listen there for health probes ({}); stop what listens there, or give another "
      "address",
      address, std::string(why)));
}

}  // namespace

// A server of the default health service alone is none to gRPC; this one answers UNIMPLEMENTED.
struct HealthListener::Services {
  grpc::CallbackGenericService others;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> door;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<HealthConnections> connections;
};

absl::StatusOr<std::unique_ptr<HealthListener>> HealthListener::Start(
    const std::string& address, std::function<void()> count_ended) {
  auto services = std::make_unique<Services>();
  auto connections = HealthConnections::Bind(address);
  if (!connections.ok()) return CannotListen(address, connections.status().message());
  services->connections = *std::move(connections);
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  // gRPC has no bound of connections of its own.
  services->door = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(kHealthQuestionBytesMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kHealthStreamsMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, kHealthConnectionAgeMaxMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, kHealthHandshakeMaxMs);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHealthHandshakeMaxMs);
  builder.RegisterCallbackGenericService(&services->others);
  services->server = builder.BuildAndStart();
  if (services->server == nullptr) return CannotListen(address, "gRPC does not start");
  services->connections->Start(
      {.hand_over =
           [door = services->door.get()](int listener, int fd) {
             grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
             connection.listener_fd = listener;
             connection.fd = fd;
             door->HandleNewConnection(&connection);
           },
       .count_ended = std::move(count_ended)});
  const int port = services->connections->port();
  return std::unique_ptr<HealthListener>(new HealthListener(std::move(services), port));
}

HealthListener::HealthListener(std::unique_ptr<Services> services, int port)
    : services_(std::move(services)), port_(port) {
  Show(true, false);
}

HealthListener::~HealthListener() {
  services_->connections.reset();
  services_->server->Shutdown(std::chrono::system_clock::now() + kShutdownMax);
}

void HealthListener::Show(bool is_live, bool is_ready) {
  grpc::HealthCheckServiceInterface& service = *services_->server->GetHealthCheckService();
  service.SetServingStatus("", is_live);
  service.SetServingStatus(kHealthLive, is_live);
  service.SetServingStatus(kHealthReady, is_ready);
}

}  // namespace headgate
