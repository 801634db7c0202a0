#include "common/health/health_listener.h"

#include <fmt/format.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <utility>

#include "absl/status/status.h"

namespace headgate {
namespace {

constexpr std::chrono::milliseconds kShutdownMax{200};

}  // namespace

// A server of the default health service alone is none to gRPC; this one answers UNIMPLEMENTED.
struct HealthListener::Services {
  grpc::CallbackGenericService others;
  std::unique_ptr<grpc::Server> server;
};

absl::StatusOr<std::unique_ptr<HealthListener>> HealthListener::Start(const std::string& address) {
  grpc::EnableDefaultHealthCheckService(true);
  auto services = std::make_unique<Services>();
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(kHealthQuestionBytesMax);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kHealthStreamsMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, kHealthConnectionAgeMaxMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, kHealthHandshakeMaxMs);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHealthHandshakeMaxMs);
  builder.RegisterCallbackGenericService(&services->others);
  services->server = builder.BuildAndStart();
  if (services->server == nullptr || port == 0) {
    return absl::UnavailableError(fmt::format(
        "{}: cannot listen there for health probes; stop what listens there, or give another "
        "address",
        address));
  }
  return std::unique_ptr<HealthListener>(new HealthListener(std::move(services), port));
}

HealthListener::HealthListener(std::unique_ptr<Services> services, int port)
    : services_(std::move(services)), port_(port) {
  Show(true, false);
}

HealthListener::~HealthListener() {
  services_->server->Shutdown(std::chrono::system_clock::now() + kShutdownMax);
}

void HealthListener::Show(bool is_live, bool is_ready) {
  grpc::HealthCheckServiceInterface& service = *services_->server->GetHealthCheckService();
  service.SetServingStatus("", is_live);
  service.SetServingStatus(kHealthLive, is_live);
  service.SetServingStatus(kHealthReady, is_ready);
}

}  // namespace headgate
