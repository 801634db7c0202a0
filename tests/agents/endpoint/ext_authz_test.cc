// The endpoint as Envoy asks it: gRPC, with the method's path and the fields as Envoy documents
// them.
#include "agents/endpoint/ext_authz.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "agents/endpoint/check.h"
#include "interop/envoy_ext_authz.grpc.pb.h"
#include "tests/support/process.h"
#include "tests/support/temp_folder.h"

namespace headgate::endpoint {
namespace {

namespace v3 = envoy::service::auth::v3;
using testing::HasSubstr;

class ExtAuthz : public testing::Test {
 protected:
  static constexpr unsigned kNewCookies = 8;

  ExtAuthz() {
    settings_ = Settings{.gate = "shop",
                         .listen = {.path = folder_ / "shop.sock"},
                         .ext_authz = Listen{.host = "127.0.0.1", .port = test::FreePort()},
                         .share = folder_ / "shop.share",
                         .bootstrap_share = Share::All(),
                         .bypass = {"path=/healthz"},
                         .new_cookies_per_minute = kNewCookies};
    address_ = settings_.ext_authz->ToString();
    endpoint_ = std::make_unique<Endpoint>(settings_, std::nullopt, &OpenExtAuthz);
    EXPECT_EQ(endpoint_->Read().in_force, Share::All());
  }

  void Admit(const char* share) {
    endpoint_->Put({*Share::Parse(share), 7, agent::Direction::kDown});
  }

  v3::CheckResponse Check(const std::string& path,
                          const std::map<std::string, std::string>& headers) {
    v3::CheckRequest request;
    auto& attributes = *request.mutable_attributes();
    attributes.mutable_source()->mutable_address()->mutable_socket_address()->set_address(
        "203.0.113.7");
    auto& http = *attributes.mutable_request()->mutable_http();
    http.set_method("GET");
    http.set_path(path);
    http.set_host("shop.example");
    http.set_scheme("https");
    for (const auto& [name, value] : headers) (*http.mutable_headers())[name] = value;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    context.set_wait_for_ready(true);
    v3::CheckResponse response;
    const auto stub = v3::Authorization::NewStub(
        grpc::CreateChannel(address_, grpc::InsecureChannelCredentials()));
    const grpc::Status status = stub->Check(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  const test::TempFolder folder_;
  Settings settings_;
  std::string address_;
  std::unique_ptr<Endpoint> endpoint_;
};

std::map<std::string, std::string> HeadersOf(const v3::DeniedHttpResponse& denied) {
  std::map<std::string, std::string> headers;
  for (const auto& option : denied.headers()) {
    headers[option.header().key()] = option.header().value();
  }
  return headers;
}

TEST_F(ExtAuthz, IsTheServiceThatEnvoyCalls) {
  EXPECT_STREQ(v3::Authorization::service_full_name(), "envoy.service.auth.v3.Authorization");
}

TEST_F(ExtAuthz, AdmitsAndGivesACookieBesideTheApplicationsOwn) {
  const auto in = Check("/cart", {{"cookie", "headgate_uid=a"}});
  EXPECT_EQ(in.status().code(), 0);
  EXPECT_EQ(in.ok_response().response_headers_to_add_size(), 0);
  const auto given = Check("/", {{"accept", "text/html"}, {"x-forwarded-proto", "https"}});
  ASSERT_EQ(given.ok_response().response_headers_to_add_size(), 2);
  const auto& option = given.ok_response().response_headers_to_add(0);
  EXPECT_EQ(option.header().key(), "Set-Cookie");
  EXPECT_THAT(option.header().value(), HasSubstr("; Secure"));
  EXPECT_TRUE(option.append().value());
  // In the place of what the application says.
  const auto& cache = given.ok_response().response_headers_to_add(1);
  EXPECT_EQ(cache.header().key() + ": " + cache.header().value(), "Cache-Control: private");
  EXPECT_TRUE(cache.has_append() && !cache.append().value());
}

TEST_F(ExtAuthz, ARefusalIsADeniedResponseWithThePage) {
  Admit("0%");
  const auto out = Check("/cart", {{"accept", "text/html"}});
  EXPECT_NE(out.status().code(), 0);
  ASSERT_TRUE(out.has_denied_response());
  EXPECT_EQ(out.denied_response().status().code(), 503);
  EXPECT_THAT(out.denied_response().body(), HasSubstr("not open to everybody yet"));
  const auto headers = HeadersOf(out.denied_response());
  EXPECT_EQ(headers.at("Cache-Control"), "no-store");
  EXPECT_EQ(headers.count("Retry-After"), 1U);
  EXPECT_EQ(headers.count("Set-Cookie"), 1U);
  EXPECT_EQ(Check("/healthz?a", {}).status().code(), 0);
  EXPECT_EQ(endpoint_->ReadCounters()->bypassed, 1U);
  EXPECT_EQ(endpoint_->ReadCounters()->refused, 1U);
}

TEST_F(ExtAuthz, WhoDrawsAgainAndAgainIsDenied) {
  Admit("0%");
  const auto draw = [&] { return Check("/", {{"accept", "text/html"}}).denied_response(); };
  // Twice as many, if one minute ends and the next begins meanwhile.
  unsigned drawn = 0;
  while (drawn <= 2 * kNewCookies && HeadersOf(draw()).count("Set-Cookie") == 1) ++drawn;
  EXPECT_GE(drawn, kNewCookies);
  EXPECT_LE(drawn, 2 * kNewCookies);
  const auto limited = draw();
  EXPECT_EQ(limited.status().code(), 429);
  EXPECT_THAT(limited.body(), HasSubstr("Too many new visitors"));
  EXPECT_EQ(HeadersOf(limited).at("Retry-After"), "60");
}

TEST_F(ExtAuthz, AQuestionThatIsTooLongIsRefusedAndTheNextIsAnswered) {
  v3::CheckRequest request;
  (*request.mutable_attributes()->mutable_request()->mutable_http()->mutable_headers())["a"] =
      std::string(kCheckBytesMax + 1, 'a');
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  v3::CheckResponse response;
  const auto channel = grpc::CreateChannel(address_, grpc::InsecureChannelCredentials());
  const auto status = v3::Authorization::NewStub(channel)->Check(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(Check("/", {{"cookie", "headgate_uid=a"}}).status().code(), 0);
}

TEST_F(ExtAuthz, CheckSaysWhoDoesNotAnswerThere) {
  const auto finds = [](const Settings& settings) {
    return fmt::format("{}", fmt::join(endpoint::Check(settings), "\n"));
  };
  std::filesystem::permissions(folder_.path(), std::filesystem::perms(0755));
  EXPECT_EQ(finds(settings_), "");
  Settings other = settings_;
  other.ext_authz->port = test::FreePort();
  EXPECT_THAT(finds(other), HasSubstr("cannot be reached (Connection refused)"));
  other.ext_authz = Listen{.path = folder_ / "none.sock"};
  EXPECT_THAT(finds(other), HasSubstr("none.sock: cannot be reached"));
  // The other of the agent's own two: the address that is forgotten first.
  other.ext_authz = settings_.listen;
  EXPECT_THAT(finds(other), HasSubstr("answered by something else than gRPC"));
}

TEST_F(ExtAuthz, TheShareFileIsForEnvoyToReadAndCheckSaysWhenItCannot) {
  using std::filesystem::perms;
  const auto may_read = [&] {
    return (std::filesystem::status(settings_.share).permissions() & perms::others_read) !=
           perms::none;
  };
  std::filesystem::permissions(settings_.share, perms(0600));
  endpoint_->Read();
  EXPECT_TRUE(may_read());
  std::filesystem::permissions(folder_.path(), perms(0700));
  EXPECT_THAT(endpoint::Check(settings_), testing::Contains(HasSubstr("chmod o+x")));
  std::filesystem::permissions(folder_.path(), perms(0755));
  std::filesystem::permissions(settings_.share, perms(0640));
  EXPECT_THAT(endpoint::Check(settings_), testing::Contains(HasSubstr("chmod 644")));
  // Of a load balancer whose group the file is.
  Settings of_group = settings_;
  of_group.group = "root";
  const bool is_of_root = chown(settings_.share.c_str(), static_cast<uid_t>(-1), 0) == 0;
  EXPECT_EQ(endpoint::Check(of_group).empty(), is_of_root);
  // Who asks in another way reads no file.
  Settings http = settings_;
  http.ext_authz.reset();
  EXPECT_THAT(endpoint::Check(http), testing::IsEmpty());
}

TEST_F(ExtAuthz, AListenerThatIsTakenIsSaid) {
  Settings settings{.gate = "bank",
                    .listen = {.path = folder_ / "bank.sock"},
                    .ext_authz = *ParseListen("ext_authz", address_),
                    .share = folder_ / "bank.share"};
  Endpoint other(settings, std::nullopt, &OpenExtAuthz);
  EXPECT_THAT(other.Read().trouble, HasSubstr("(ext_authz)"));
}

}  // namespace
}  // namespace headgate::endpoint
