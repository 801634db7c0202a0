#include "common/http/status_server.h"

#include <fmt/format.h>
#include <httplib.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <string_view>
#include <utility>

#include "common/http/task_queue.h"
#include "common/http/tls_context.h"
#include "common/metrics/exposition.h"
#include "common/tls/address.h"

namespace headgate::http {
namespace {

constexpr time_t kClientPatienceSeconds = 1;
constexpr std::chrono::milliseconds kShutdownMax{1'000};
constexpr std::size_t kRequestBodyBytesMax = 1'024;

struct Endpoint {
  std::string host;
  int port = 0;
};

absl::StatusOr<Endpoint> ParseEndpoint(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    return absl::InvalidArgumentError(
        fmt::format("{:?} is no address to listen on; write one like 127.0.0.1:9464", address));
  }
  Endpoint endpoint{std::string(address.substr(0, colon)), 0};
  if (endpoint.host.front() == '[' && endpoint.host.back() == ']') {
    endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
  }
  const std::string_view port = address.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.begin(), port.end(), endpoint.port);
  if (error != std::errc() || end != port.end() || endpoint.port < 0 || endpoint.port > 65'535) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {:?} is no port; write 0 (any free one) to 65535", address, port));
  }
  return endpoint;
}

// httplib's own would set SO_REUSEPORT, with which two programs share a port without a word.
void SetSocketOptions(int fd) {
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
}

void Configure(httplib::Server& server) {
  server.new_task_queue = [] { return new BoundedTaskQueue(kThreads, kConnectionsWaitingMax); };
  server.set_socket_options(SetSocketOptions);
  // One request per connection: idle keep-alive connections would hold all threads.
  server.set_keep_alive_max_count(1);
  server.set_keep_alive_timeout(kClientPatienceSeconds);
  server.set_read_timeout(kClientPatienceSeconds);
  server.set_write_timeout(kClientPatienceSeconds);
  server.set_payload_max_length(kRequestBodyBytesMax);
}

std::unique_ptr<httplib::Server> MakeServer(const std::optional<tls::Material>& tls) {
  if (!tls.has_value()) return std::make_unique<httplib::Server>();
  return std::make_unique<httplib::SSLServer>(
      [&tls](SSL_CTX& context) { return PrepareServerContext(context, *tls); });
}

void Answer(httplib::Response& response, const absl::Status& status) {
  response.status = status.ok() ? 200 : 503;
  response.set_content(status.ok() ? "ok\n" : std::string(status.message()) + "\n",
                       "text/plain; charset=utf-8");
}

}  // namespace

struct StatusServer::State {
  std::unique_ptr<httplib::Server> server;

  std::mutex mutex;
  std::condition_variable changed;
  // Protected by mutex.
  std::optional<StatusPages> pages;
  int in_use = 0;
  bool finished = false;

  // The pages of this server while `use` runs; nothing once it is being destroyed.
  template <typename Use>
  void WithPages(httplib::Response& response, const Use& use) {
    const StatusPages* borrowed = nullptr;
    {
      const std::lock_guard lock(mutex);
      if (pages.has_value()) {
        borrowed = &*pages;
        ++in_use;
      }
    }
    if (borrowed == nullptr) {
      Answer(response, absl::UnavailableError("stopping"));
      return;
    }
    use(*borrowed);
    const std::lock_guard lock(mutex);
    --in_use;
    changed.notify_all();
  }
};

absl::StatusOr<std::unique_ptr<StatusServer>> StatusServer::Start(
    const StatusServerOptions& options, StatusPages pages) {
  const auto endpoint = ParseEndpoint(options.address);
  if (!endpoint.ok()) return endpoint.status();
  if (!options.tls.has_value()) {
    if (auto allowed = tls::CheckPlaintextAllowed(options.address, options.plaintext_asked_for,
                                                  options.plaintext_flag);
        !allowed.ok()) {
      return allowed;
    }
  }
  auto state = std::make_shared<State>();
  state->server = MakeServer(options.tls);
  if (!state->server->is_valid()) {
    return absl::FailedPreconditionError(
        fmt::format("{}: OpenSSL does not take the certificate; issue a new one with `headgate "
                    "certs issue`",
                    options.address));
  }
  httplib::Server& server = *state->server;
  Configure(server);
  // A raw pointer: the server belongs to the state that its handlers use.
  State* const raw = state.get();
  server.Get("/metrics", [raw](const httplib::Request&, httplib::Response& response) {
    raw->WithPages(response, [&response](const StatusPages& from) {
      response.set_content(from.metrics(), std::string(kExpositionType));
    });
  });
  server.Get("/livez", [raw](const httplib::Request&, httplib::Response& response) {
    raw->WithPages(response,
                   [&response](const StatusPages& from) { Answer(response, from.live()); });
  });
  server.Get("/readyz", [raw](const httplib::Request&, httplib::Response& response) {
    raw->WithPages(response,
                   [&response](const StatusPages& from) { Answer(response, from.ready()); });
  });
  state->pages = std::move(pages);

  const int port = endpoint->port == 0 ? server.bind_to_any_port(endpoint->host)
                   : server.bind_to_port(endpoint->host, endpoint->port) ? endpoint->port
                                                                         : -1;
  if (port <= 0) {
    return absl::UnavailableError(fmt::format(
        "{}: cannot listen there ({}); stop what listens there, or give another address",
        options.address, std::strerror(errno)));
  }
  return std::unique_ptr<StatusServer>(new StatusServer(std::move(state), port));
}

StatusServer::StatusServer(std::shared_ptr<State> state, int port)
    : state_(std::move(state)), port_(port) {
  listener_ = std::thread([shared = state_] {
    shared->server->listen_after_bind();
    const std::lock_guard lock(shared->mutex);
    shared->finished = true;
    shared->changed.notify_all();
  });
  // httplib forgets a stop that comes before it runs.
  while (!state_->server->is_running()) {
    {
      const std::lock_guard lock(state_->mutex);
      if (state_->finished) return;
    }
    std::this_thread::yield();
  }
}

StatusServer::~StatusServer() {
  state_->server->stop();
  bool finished = false;
  {
    std::unique_lock lock(state_->mutex);
    const auto deadline = std::chrono::steady_clock::now() + kShutdownMax;
    // Nobody may borrow the pages any more; those who have them are ours and quick.
    state_->changed.wait(lock, [this] { return state_->in_use == 0; });
    state_->pages.reset();
    finished = state_->changed.wait_until(lock, deadline, [this] { return state_->finished; });
  }
  if (finished) {
    listener_.join();
  } else {
    listener_.detach();
  }
}

}  // namespace headgate::http
