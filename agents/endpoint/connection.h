// One connection of a load balancer's: reads a request, answers, and reads the next. Of the loop's
// thread. Include in .cc files of this room only: Beast is heavy.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <optional>
#include <string>

#include "agents/endpoint/desk.h"
#include "agents/endpoint/server.h"

namespace headgate::endpoint {

// Shared by the operations under way: the last to end ends it.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;

  Connection(Socket socket, Desk& desk, const Limits& limits, ServerCounts& counts);
  ~Connection();

  void Read();
  // There are too many: says so, and closes.
  void Refuse();

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  // One timer of the connection, which fires once in `idle_max`: one of each request would cost as
  // much as to read it.
  void Watch();
  void OnWatch();
  void OnRead(const boost::beast::error_code& error);
  void RefuseRequest(const boost::beast::error_code& error);
  void Write(const Answer& answer, unsigned version, bool keeps_alive, bool has_body);
  void OnWritten();
  // What is still on its way is thrown away, for as long as an answer may take: closed with
  // something unread, the kernel would throw away the answer.
  void Drain();

  boost::beast::basic_stream<boost::asio::generic::stream_protocol> stream_;
  Desk& desk_;
  const Limits& limits_;
  ServerCounts& counts_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  boost::asio::steady_timer watch_;
  bool is_watched_ = false;
  // Since when the request is awaited that has not come to its end yet.
  std::optional<std::chrono::steady_clock::time_point> reading_since_;
  // Of the answer that is being written.
  std::string answer_;
  std::size_t written_ = 0;
  bool keeps_alive_ = false;
};

}  // namespace headgate::endpoint
