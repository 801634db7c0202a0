// The shop: a few pages made from database replicas, orders written to the primary, and Prometheus
// metrics about both. It lives on its event loop's thread. A page errs for real: the replica's own
// SQL error, a pool without a free connection, or a primary that does not take the order.
//   /            one product        /product/N   that product
//   /order?n=N   buys it            /healthz     settings in force, as JSON
//   /metrics     for Prometheus
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>

#include "tests/support/net/event_loop.h"
#include "tests/support/net/http_server.h"
#include "tests/support/shop/pool.h"
#include "tests/support/shop/shop_config.h"

namespace headgate::shop {

class Shop {
 public:
  // Connections to the primary, for orders.
  static constexpr int kOrdersPool = 4;

  Shop(support::EventLoop& loop, ShopConfig config);

  absl::Status Listen(std::uint16_t port) { return server_.Listen(port); }
  std::uint16_t port() const { return server_.port(); }

  // New settings; counted in /healthz as "configured".
  void Apply(ShopConfig config);

 private:
  using Ticket = support::HttpServer::Ticket;

  void OnRequest(Ticket ticket, const support::Request& request);
  void ShowProduct(Ticket ticket, const std::string& page, const std::string& number);
  void TakeOrder(Ticket ticket, const std::string& number);
  void WriteOrder(Ticket ticket, const std::string& number);
  void Answer(Ticket ticket, const std::string& page, std::string body);
  void AnswerError(Ticket ticket, const std::string& page, const Pool::Answer& answer);
  // True: this one was told to fail, and is answered.
  bool FailsAsTold(Ticket ticket, const std::string& page);
  Query ProductQuery(const std::string& number) const;
  std::string Health() const;
  std::string Metrics() const;
  void LogOncePerSecond(const std::string& reason, const std::string& detail);

  support::EventLoop& loop_;
  ShopConfig config_;
  support::HttpServer server_;
  Pool replicas_;
  Pool orders_;
  std::mt19937 random_{20240814};
  std::uint64_t configured_ = 1;
  std::map<std::string, std::uint64_t> requests_;        // by page
  std::map<std::string, std::uint64_t> errors_;          // by reason
  std::map<std::string, std::uint64_t> payment_errors_;  // by reason
  std::uint64_t payments_ = 0;
  std::map<std::string, support::EventLoop::Instant> logged_;  // by reason
};

}  // namespace headgate::shop
