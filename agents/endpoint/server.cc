#include "agents/endpoint/server.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>
#include <type_traits>
#include <utility>

#include "agents/endpoint/access_log.h"
#include "agents/endpoint/connection.h"

namespace headgate::endpoint {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Of connections that wait to be accepted.
constexpr int kBacklog = 1024;
// Without file descriptors left, accepting anew at once would only burn the processor.
constexpr Duration kAcceptRetry{50};

absl::Status CannotListen(const Listen& listen, const error_code& error) {
  return absl::UnavailableError(
      fmt::format("cannot listen on {}: {}: give another address, or stop "
                  "what listens there",
                  listen.ToString(), error.message()));
}

}  // namespace

class Server::Loop {
 public:
  Loop(const Options& options, Desk& desk, LogTaker take_log, ServerCounts& counts)
      : options_(options),
        desk_(desk),
        take_log_(std::move(take_log)),
        counts_(counts),
        tcp_(context_),
        local_(context_),
        log_(context_),
        retry_(context_) {}

  ~Loop() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
    if (is_bound_) unlink(options_.listen.path.c_str());
  }

  absl::Status Open() {
    absl::Status status = options_.listen.is_unix() ? OpenLocal() : OpenTcp();
    if (status.ok() && options_.access_log) status = OpenLog(*options_.access_log);
    return status;
  }

  void Run() {
    if (options_.listen.is_unix()) {
      Accept(local_);
    } else {
      Accept(tcp_);
    }
    if (options_.access_log) Receive();
    thread_ = std::thread([this] { context_.run(); });
  }

 private:
  absl::Status OpenTcp() {
    error_code error;
    const auto address = asio::ip::make_address(options_.listen.host, error);
    const asio::ip::tcp::endpoint endpoint(address, options_.listen.port);
    if (!error) tcp_.open(endpoint.protocol(), error);
    if (!error) tcp_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) tcp_.bind(endpoint, error);
    if (!error) tcp_.listen(kBacklog, error);
    return error ? CannotListen(options_.listen, error) : absl::OkStatus();
  }

  absl::Status OpenLocal() {
    const std::string& path = options_.listen.path;
    if (absl::Status status = RemoveStaleSocket(path); !status.ok()) return status;
    error_code error;
    const asio::local::stream_protocol::endpoint endpoint(path);
    local_.open(endpoint.protocol(), error);
    if (!error) local_.bind(endpoint, error);
    if (error) return CannotListen(options_.listen, error);
    is_bound_ = true;
    // Before it listens: nobody gets in meanwhile.
    if (absl::Status status = SetAccess(path, options_.mode, options_.group); !status.ok()) {
      return status;
    }
    local_.listen(kBacklog, error);
    return error ? CannotListen(options_.listen, error) : absl::OkStatus();
  }

  absl::Status OpenLog(const Listen& listen) {
    error_code error;
    const auto address = asio::ip::make_address(listen.host, error);
    const asio::ip::udp::endpoint endpoint(address, listen.port);
    if (!error) log_.open(endpoint.protocol(), error);
    if (!error) log_.bind(endpoint, error);
    return error ? CannotListen(listen, error) : absl::OkStatus();
  }

  template <typename Acceptor>
  void Accept(Acceptor& acceptor) {
    acceptor.async_accept([this, &acceptor](const error_code& error, auto socket) {
      if (error) {
        retry_.expires_after(kAcceptRetry);
        retry_.async_wait([this, &acceptor](const error_code&) { Accept(acceptor); });
        return;
      }
      if constexpr (std::is_same_v<Acceptor, asio::ip::tcp::acceptor>) {
        // Answers are whole in one write: holding the next one back only costs time.
        error_code ignored;
        socket.set_option(asio::ip::tcp::no_delay(true), ignored);
      }
      const bool is_full = counts_.connections >= options_.limits.connections_max;
      const auto connection = std::make_shared<Connection>(Connection::Socket(std::move(socket)),
                                                           desk_, options_.limits, counts_);
      if (is_full) {
        connection->Refuse();
      } else {
        connection->Read();
      }
      Accept(acceptor);
    });
  }

  void Receive() {
    log_.async_receive(asio::buffer(datagram_), [this](const error_code& error, std::size_t size) {
      if (error == asio::error::operation_aborted) return;
      if (!error) take_log_({datagram_.data(), size});
      Receive();
    });
  }

  const Options options_;
  Desk& desk_;
  const LogTaker take_log_;
  ServerCounts& counts_;
  bool is_bound_ = false;
  // One more than may come: a longer datagram is cut, and must not look whole.
  std::array<char, kDatagramBytesMax + 1> datagram_;
  // Of the loop's thread; first, so that what waits in it dies last.
  asio::io_context context_{1};
  asio::ip::tcp::acceptor tcp_;
  asio::local::stream_protocol::acceptor local_;
  asio::ip::udp::socket log_;
  asio::steady_timer retry_;
  std::thread thread_;
};

Server::Server(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}

Server::~Server() = default;

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Options& options, Desk& desk,
                                                      LogTaker take_log, ServerCounts& counts) {
  auto loop = std::make_unique<Loop>(options, desk, std::move(take_log), counts);
  if (absl::Status opened = loop->Open(); !opened.ok()) return opened;
  loop->Run();
  return std::unique_ptr<Server>(new Server(std::move(loop)));
}

}  // namespace headgate::endpoint
