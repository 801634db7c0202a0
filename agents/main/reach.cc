#include "agents/main/reach.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <future>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>

#include "common/http/tls_context.h"
#include "common/tls/x509.h"

namespace headgate::agent {
namespace {

using Monotonic = std::chrono::steady_clock;
using AddressesPtr = std::unique_ptr<addrinfo, tls::FreeWith<freeaddrinfo>>;
using ContextPtr = std::unique_ptr<SSL_CTX, tls::FreeWith<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, tls::FreeWith<SSL_free>>;

// What an HTTP/2 client says first: the preface, and SETTINGS without any.
constexpr char kHello[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
constexpr std::size_t kHelloBytes = sizeof kHello - 1;
constexpr unsigned char kAlpn[] = {2, 'h', '2'};
// The head of a frame; its type stands at kTypeAt.
constexpr std::size_t kHeadBytes = 9;
constexpr std::size_t kTypeAt = 3;
constexpr char kSettings = 4;

absl::Status Failed(const std::string& why) { return absl::UnavailableError(why); }

class Attempt {
 public:
  Attempt(std::string controller, std::shared_ptr<const tls::Material> material)
      : controller_(std::move(controller)),
        material_(std::move(material)),
        deadline_(Monotonic::now() + kReachMax) {}
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  ~Attempt() {
    ssl_.reset();
    if (fd_ >= 0) close(fd_);
  }

  Reached Run() {
    absl::Status status = Connect();
    if (status.ok() && material_) status = Greet();
    if (status.ok()) status = ExpectSettings();
    return {controller_, status, words_};
  }

 private:
  // False at the deadline.
  bool WaitFor(short events) const {
    // Rounded up: whoever wakes too early would take the end of the time for an answer.
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Monotonic::now());
    if (left.count() <= 0) return false;
    pollfd entry{fd_, events, 0};
    return poll(&entry, 1, static_cast<int>(left.count())) > 0;
  }
  absl::Status TooLate(const char* what) const {
    return Failed(fmt::format("{} within {} s: does it hang, or does a firewall stand between?",
                              what,
                              std::chrono::duration_cast<std::chrono::seconds>(kReachMax).count()));
  }

  absl::Status Connect() {
    const std::size_t colon = controller_.rfind(':');
    std::string host = controller_.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error =
        getaddrinfo(host.c_str(), controller_.substr(colon + 1).c_str(), &hints, &found);
    const AddressesPtr addresses(found);
    if (error != 0)
      return Failed(fmt::format("'{}' has no address: {}", host, gai_strerror(error)));
    absl::Status status;
    for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
      status = ConnectTo(*address);
      if (status.ok()) break;
    }
    return status;
  }

  absl::Status ConnectTo(const addrinfo& address) {
    if (fd_ >= 0) close(fd_);
    fd_ = socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd_ < 0) return Failed(std::strerror(errno));
    int error = connect(fd_, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      if (!WaitFor(POLLOUT)) return TooLate("no connection");
      socklen_t size = sizeof error;
      getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error == 0) return absl::OkStatus();
    if (error == ECONNREFUSED) {
      return Failed("nobody listens there: start headgated, or mend `controllers`");
    }
    return Failed(fmt::format("cannot be reached: {}", std::strerror(error)));
  }

  // Whether to try again after `result` of an SSL call.
  bool WaitForSsl(int result) const {
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ:
        return WaitFor(POLLIN);
      case SSL_ERROR_WANT_WRITE:
        return WaitFor(POLLOUT);
      default:
        return false;
    }
  }
  bool IsLate() const { return Monotonic::now() >= deadline_; }

  absl::Status Greet() {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    if (context_ == nullptr || !http::PrepareServerContext(*context_, *material_)) {
      return Failed("this agent's certificate cannot be used: " + tls::TakeOpenSslError());
    }
    // Judged below, in words, and nothing is said to it before.
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_alpn_protos(context_.get(), kAlpn, sizeof kAlpn);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), fd_);
    int result = SSL_connect(ssl_.get());
    while (result != 1 && WaitForSsl(result)) result = SSL_connect(ssl_.get());
    if (result == 1) return Judge();
    if (IsLate()) return TooLate("no TLS handshake");
    return Failed(
        fmt::format("no TLS handshake ({}): is it a controller, with certificates?", Reason()));
  }
  static std::string Reason() {
    std::string reason = tls::TakeOpenSslError();
    return reason.empty() ? "it closed the connection" : reason;
  }

  // Names of hosts are not compared; see docs/decisions/0004.
  absl::Status Judge() {
    const tls::CertificatePtr certificate(SSL_get1_peer_certificate(ssl_.get()));
    if (certificate == nullptr) return Failed("it shows no certificate");
    const TimePoint not_after = tls::NotAfter(*certificate);
    const long verified = SSL_get_verify_result(ssl_.get());
    if (verified == X509_V_ERR_CERT_HAS_EXPIRED) {
      return Failed(
          fmt::format("its certificate has expired at {}: issue one with `headgate certs "
                      "issue --role controller --name NAME`",
                      FormatTime(not_after)));
    }
    // Who may not serve is named by its role.
    if (verified != X509_V_OK && verified != X509_V_ERR_INVALID_PURPOSE) {
      return Failed(fmt::format("its certificate is of another CA than tls.ca ({})",
                                X509_verify_cert_error_string(verified)));
    }
    const std::vector<std::string> uris = tls::UriNames(*certificate);
    const auto identity = tls::ParseSpiffeUri(uris.size() == 1 ? uris[0] : "");
    if (!identity.ok()) {
      return Failed(fmt::format("its certificate is not a controller's: it has {} URI names{}",
                                uris.size(), uris.empty() ? "" : ", as in " + uris[0]));
    }
    if (identity->role != tls::Role::kController) {
      return Failed(fmt::format("its certificate is not a controller's, but of {} {}",
                                tls::RoleName(identity->role), identity->name));
    }
    if (identity->trust_domain != material_->identity.trust_domain) {
      return Failed(fmt::format("it is of trust domain {}, and this agent is of {}",
                                identity->trust_domain, material_->identity.trust_domain));
    }
    words_ =
        fmt::format("controller {}, certificate until {}", identity->name, FormatTime(not_after));
    return absl::OkStatus();
  }

  long Write(const char* bytes, std::size_t size) {
    if (ssl_ == nullptr) return send(fd_, bytes, size, MSG_NOSIGNAL);
    return SSL_write(ssl_.get(), bytes, static_cast<int>(size));
  }
  // 0 or less: the end.
  long Read(char* bytes, std::size_t size) {
    if (ssl_ == nullptr) return WaitFor(POLLIN) ? recv(fd_, bytes, size, 0) : -1;
    int result = SSL_read(ssl_.get(), bytes, static_cast<int>(size));
    while (result <= 0 && WaitForSsl(result)) {
      result = SSL_read(ssl_.get(), bytes, static_cast<int>(size));
    }
    return result;
  }

  // gRPC's server says its SETTINGS to whomever it has let in; with TLS 1.3 a client learns only
  // now that its certificate is refused.
  absl::Status ExpectSettings() {
    Write(kHello, kHelloBytes);
    std::string answer;
    char chunk[256];
    while (answer.size() < kHeadBytes) {
      const long n = Read(chunk, sizeof chunk);
      if (n > 0) {
        answer.append(chunk, static_cast<std::size_t>(n));
        continue;
      }
      if (IsLate()) return TooLate("connected, but no answer");
      if (ssl_ == nullptr) return Failed("it closed the connection: does it want TLS?");
      return Failed(
          fmt::format("it refuses this agent's certificate ({}): is its CA another?", Reason()));
    }
    if (answer[kTypeAt] == kSettings) return absl::OkStatus();
    return Failed("something else than a controller listens there");
  }

  const std::string controller_;
  // Shared with those who gave up waiting: a resolver may take longer than anybody's patience.
  const std::shared_ptr<const tls::Material> material_;
  const Monotonic::time_point deadline_;
  int fd_ = -1;
  ContextPtr context_;
  SslPtr ssl_;
  std::string words_;
};

std::future<Reached> Begin(const std::string& controller,
                           const std::shared_ptr<const tls::Material>& material) {
  std::promise<Reached> promise;
  std::future<Reached> reached = promise.get_future();
  // Detached, because getaddrinfo knows no deadline; it owns all that it uses.
  std::thread([controller, material, promise = std::move(promise)]() mutable {
    // OpenSSL writes to sockets that the other end has closed.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    promise.set_value(Attempt(controller, material).Run());
  }).detach();
  return reached;
}

}  // namespace

std::vector<Reached> ReachControllers(const std::vector<std::string>& controllers,
                                      const std::optional<tls::Material>& material) {
  constexpr Duration kGrace{200};
  const auto shared = material ? std::make_shared<const tls::Material>(*material) : nullptr;
  const auto deadline = Monotonic::now() + kReachMax + kGrace;
  std::vector<std::future<Reached>> attempts;
  attempts.reserve(controllers.size());
  for (const std::string& controller : controllers) attempts.push_back(Begin(controller, shared));
  std::vector<Reached> all;
  for (std::size_t i = 0; i < controllers.size(); ++i) {
    if (attempts[i].wait_until(deadline) == std::future_status::ready) {
      all.push_back(attempts[i].get());
    } else {
      all.push_back({controllers[i], Failed("its name is not resolved within 2 s"), ""});
    }
  }
  return all;
}

}  // namespace headgate::agent
