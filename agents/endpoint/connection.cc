#include "agents/endpoint/connection.h"

#include <boost/beast/http/read.hpp>
#include <utility>

#include "agents/core/http_call.h"

namespace headgate::endpoint {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::size_t kDrainBytes = 4096;
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

}  // namespace

Connection::Connection(Socket socket, Desk& desk, const Limits& limits, ServerCounts& counts)
    : stream_(std::move(socket)), desk_(desk), limits_(limits), counts_(counts) {
  ++counts_.connections;
}

Connection::~Connection() { --counts_.connections; }

void Connection::Read() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(limits_.header_bytes_max));
  parser_->body_limit(0);
  stream_.expires_after(limits_.idle_max);
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](const beast::error_code& error, std::size_t) {
                     self->OnRead(error);
                   });
}

void Connection::OnRead(const beast::error_code& error) {
  if (error == beast::error::timeout) ++counts_.idle_closed;
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
  Write(Plain(503, "too many connections to the endpoint\n"), 11, false, true);
}

void Connection::Write(const Answer& answer, unsigned version, bool keeps_alive, bool has_body) {
  response_ = {};
  response_.version(version);
  response_.result(answer.status);
  for (const auto& [name, value] : answer.headers) response_.insert(name, value);
  if (has_body) response_.body() = answer.body;
  response_.keep_alive(keeps_alive);
  response_.prepare_payload();
  if (answer.status == kNoContent) response_.erase(http::field::content_length);
  stream_.expires_after(limits_.answer_max);
  http::async_write(stream_, response_,
                    [self = shared_from_this()](const beast::error_code& error, std::size_t) {
                      if (error) return;
                      if (self->response_.keep_alive()) return self->Read();
                      beast::error_code ignored;
                      self->stream_.socket().shutdown(Socket::shutdown_send, ignored);
                      self->Drain();
                    });
}

void Connection::Drain() {
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(kDrainBytes),
                          [self = shared_from_this()](const beast::error_code& error, std::size_t) {
                            if (!error) self->Drain();
                          });
}

}  // namespace headgate::endpoint
