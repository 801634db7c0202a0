#include "agents/endpoint/ext_authz.h"

#include <fmt/format.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <string>

#include "common/base/text.h"
#include "interop/envoy_ext_authz.grpc.pb.h"

namespace headgate::endpoint {
namespace {

namespace v3 = envoy::service::auth::v3;

constexpr int kPermissionDenied = 7;
// From here on an answer is a refusal: 503 with the page, 429 to who draws too often.
constexpr unsigned kRefusalsFrom = 400;
constexpr std::chrono::milliseconds kStopMax{500};

class CheckHeaders : public Headers {
 public:
  explicit CheckHeaders(const v3::HttpRequest& request) : request_(request) {}

  std::vector<std::string_view> All(std::string_view name) const override {
    const auto found = request_.headers().find(std::string(name));
    if (found == request_.headers().end()) return {};
    return {found->second};
  }

 private:
  const v3::HttpRequest& request_;
};

v3::HeaderValueOption& Add(google::protobuf::RepeatedPtrField<v3::HeaderValueOption>& headers,
                           const std::pair<std::string, std::string>& header) {
  v3::HeaderValueOption& option = *headers.Add();
  option.mutable_header()->set_key(header.first);
  option.mutable_header()->set_value(header.second);
  return option;
}

void Write(const Answer& answer, v3::CheckResponse& response) {
  if (answer.status < kRefusalsFrom) {
    response.mutable_status()->set_code(0);
    auto& headers = *response.mutable_ok_response()->mutable_response_headers_to_add();
    // The rest is for the load balancer; Cache-Control is the application's, but where a cookie is
    // given, which no cache may give to others.
    for (const auto& header : answer.headers) {
      if (header.first != "Set-Cookie") continue;
      // Beside the application's own cookies.
      Add(headers, header).mutable_append()->set_value(true);
      Add(headers, {"Cache-Control", "private"}).mutable_append()->set_value(false);
    }
    return;
  }
  response.mutable_status()->set_code(kPermissionDenied);
  v3::DeniedHttpResponse& denied = *response.mutable_denied_response();
  denied.mutable_status()->set_code(static_cast<int>(answer.status));
  for (const auto& header : answer.headers) Add(*denied.mutable_headers(), header);
  denied.set_body(ValidUtf8(answer.body));
}

class CheckService : public v3::Authorization::CallbackService {
 public:
  explicit CheckService(Desk& desk) : desk_(desk) {}

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const v3::CheckRequest* request,
                                  v3::CheckResponse* response) override {
    const v3::HttpRequest& http = request->attributes().request().http();
    Write(desk_.DecideForEnvoy(
              {.dialect = Dialect::kEnvoy,
               .method = http.method(),
               .target = http.path(),
               .peer = request->attributes().source().address().socket_address().address()},
              CheckHeaders(http)),
          *response);
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  Desk& desk_;
};

class CheckDoor : public Door {
 public:
  explicit CheckDoor(Desk& desk) : service_(desk) {}
  ~CheckDoor() override {
    if (server_) server_->Shutdown(std::chrono::system_clock::now() + kStopMax);
  }

  absl::Status Open(const Settings& settings) {
    const Listen& listen = *settings.ext_authz;
    if (listen.is_unix()) {
      // gRPC itself would remove a socket on which somebody listens.
      if (absl::Status status = RemoveStaleSocket(listen.path); !status.ok()) return status;
    }
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(listen.ToString(), grpc::InsecureServerCredentials(), &port);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kChecksAtATimeMax);
    builder.SetMaxReceiveMessageSize(kCheckBytesMax);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    if (!server_ || port == 0) {
      return absl::UnavailableError(fmt::format(
          "cannot listen on {} (ext_authz): give another address, or stop what listens there",
          listen.ToString()));
    }
    return listen.is_unix() ? SetAccess(listen.path, settings.mode, settings.group)
                            : absl::OkStatus();
  }

 private:
  CheckService service_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Door>> OpenExtAuthz(const Settings& settings, Desk& desk) {
  auto door = std::make_unique<CheckDoor>(desk);
  if (absl::Status opened = door->Open(settings); !opened.ok()) return opened;
  return std::unique_ptr<Door>(std::move(door));
}

}  // namespace headgate::endpoint
