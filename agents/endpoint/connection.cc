#include "agents/endpoint/connection.h"

#include <fmt/format.h>

#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <utility>

#include "agents/core/http_call.h"

namespace headgate::endpoint {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::size_t kDrainBytes = 4096;
// A browser's headers come in one piece; more of them in several.
constexpr std::size_t kReadBytes = 2048;
// RFC 9110, 8.6: has no Content-Length.
constexpr unsigned kNoContent = 204;

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

class RequestHeaders : public Headers {
 public:
  explicit RequestHeaders(const http::fields& fields) : fields_(fields) {}

  std::vector<std::string_view> All(std::string_view name) const override {
    std::vector<std::string_view> all;
    const auto [first, last] = fields_.equal_range(beast::string_view(name.data(), name.size()));
    for (auto field = first; field != last; ++field) all.push_back(View(field->value()));
    return all;
  }

 private:
  const http::fields& fields_;
};

Answer Plain(unsigned status, const char* words) {
  return {.status = status, .headers = {{"Content-Type", "text/plain"}}, .body = words};
}

// To HEAD the length of the body, and none.
std::string TextOf(const Answer& answer, unsigned version, bool keeps_alive, bool has_body) {
  constexpr unsigned kHttp11 = 11;
  const beast::string_view reason = http::obsolete_reason(http::int_to_status(answer.status));
  std::string text =
      fmt::format("HTTP/1.{} {} {}\r\n", version >= kHttp11 ? 1 : 0, answer.status, View(reason));
  for (const auto& [name, value] : answer.headers) {
    text += name;
    text += ": ";
    text += value;
    text += "\r\n";
  }
  if (version >= kHttp11 && !keeps_alive) text += "Connection: close\r\n";
  if (version < kHttp11 && keeps_alive) text += "Connection: keep-alive\r\n";
  if (answer.status != kNoContent)
    text += fmt::format("Content-Length: {}\r\n", answer.body.size());
  text += "\r\n";
  if (has_body) text += answer.body;
  return text;
}

}  // namespace

Connection::Connection(Socket socket, Desk& desk, const Limits& limits, ServerCounts& counts)
    : stream_(std::move(socket)),
      desk_(desk),
      limits_(limits),
      counts_(counts),
      watch_(stream_.get_executor()) {
  ++counts_.connections;
  buffer_.reserve(kReadBytes);
}

Connection::~Connection() { --counts_.connections; }

void Connection::Read() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(limits_.header_bytes_max));
  parser_->body_limit(0);
  reading_since_ = std::chrono::steady_clock::now();
  if (!is_watched_) Watch();
  stream_.expires_never();
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](const beast::error_code& error, std::size_t) {
                     self->OnRead(error);
                   });
}

void Connection::Watch() {
  is_watched_ = true;
  watch_.expires_at(reading_since_.value_or(std::chrono::steady_clock::now()) + limits_.idle_max);
  // Not kept alive by it.
  watch_.async_wait([weak = weak_from_this()](const beast::error_code& error) {
    const auto self = weak.lock();
    if (!error && self) self->OnWatch();
  });
}

void Connection::OnWatch() {
  if (!reading_since_ || *reading_since_ + limits_.idle_max > std::chrono::steady_clock::now()) {
    return Watch();
  }
  ++counts_.idle_closed;
  stream_.close();
}

void Connection::OnRead(const beast::error_code& error) {
  reading_since_.reset();
  const bool is_http =
      error.category() == http::make_error_code(http::error::bad_method).category();
  if (error && is_http && error != http::error::end_of_stream &&
      error != http::error::partial_message) {
    return RefuseRequest(error);
  }
  // Whoever closed it does not wait for an answer.
  if (error) return;
  const auto& request = parser_->get();
  const Answer answer = desk_.Respond({.method = View(request.method_string()),
                                       .target = View(request.target()),
                                       .headers = RequestHeaders(request)});
  Write(answer, request.version(), request.keep_alive(), request.method() != http::verb::head);
}

void Connection::RefuseRequest(const beast::error_code& error) {
  ++counts_.requests_refused;
  Answer answer = Plain(400, "this is no HTTP/1.1 request\n");
  if (error == http::error::header_limit) answer = Plain(431, "the headers are too long\n");
  if (error == http::error::body_limit) {
    answer = Plain(413, "a question about a user's request has no body: send its headers only\n");
  }
  Write(answer, 11, false, true);
}

void Connection::Refuse() {
  ++counts_.connections_refused;
  Write(Plain(503, kTooManyConnections), 11, false, true);
}

void Connection::Write(const Answer& answer, unsigned version, bool keeps_alive, bool has_body) {
  answer_ = TextOf(answer, version, keeps_alive, has_body);
  keeps_alive_ = keeps_alive;
  // Nearly always there is room: the reactor and a timer would cost as much as the answer.
  beast::error_code error;
  if (!stream_.socket().non_blocking()) stream_.socket().non_blocking(true, error);
  written_ = error ? 0 : stream_.socket().write_some(boost::asio::buffer(answer_), error);
  if (written_ == answer_.size()) return OnWritten();
  if (error && error != boost::asio::error::would_block) return;
  stream_.expires_after(limits_.answer_max);
  boost::asio::async_write(
      stream_, boost::asio::buffer(answer_) + written_,
      [self = shared_from_this()](const beast::error_code& failed, std::size_t) {
        if (!failed) self->OnWritten();
      });
}

void Connection::OnWritten() {
  if (keeps_alive_) return Read();
  beast::error_code ignored;
  stream_.socket().shutdown(Socket::shutdown_send, ignored);
  stream_.expires_after(limits_.answer_max);
  Drain();
}

void Connection::Drain() {
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(kDrainBytes),
                          [self = shared_from_this()](const beast::error_code& error, std::size_t) {
                            if (!error) self->Drain();
                          });
}

}  // namespace headgate::endpoint
