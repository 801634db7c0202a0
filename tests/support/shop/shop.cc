#include "tests/support/shop/shop.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "fmt/format.h"

namespace headgate::shop {
namespace {

constexpr char kHtml[] = "text/html; charset=utf-8";

Pool::Settings ReplicaSettings(const ShopConfig& config) {
  return {.servers = config.replicas,
          .size = config.pool,
          .hold = config.hold,
          .queue = config.queue,
          .queue_timeout = config.queue_timeout};
}

Pool::Settings OrdersSettings(const ShopConfig& config) {
  return {.servers = {{.name = "primary", .dsn = config.orders_dsn}},
          .size = Shop::kOrdersPool,
          .hold = std::chrono::milliseconds(0),
          .queue = config.queue,
          .queue_timeout = config.queue_timeout};
}

// The shop's words for what went wrong; the label of its error counters.
const char* ReasonOf(const absl::Status& status) {
  if (absl::IsInternal(status)) return "sql";
  if (absl::IsUnavailable(status)) return "server_gone";
  if (absl::IsResourceExhausted(status)) return "queue_full";
  return "no_connection";
}

bool IsNumber(const std::string& text) {
  return !text.empty() && text.size() <= 9 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// For JSON: the shop's own texts and libpq's have no other control characters than these.
std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\n' || c == '\t' || c == '\r' ? ' ' : c;
  }
  return out + "\"";
}

}  // namespace

Shop::Shop(support::EventLoop& loop, ShopConfig config)
    : loop_(loop),
      config_(std::move(config)),
      server_(loop, [this](Ticket ticket,
                           const support::Request& request) { OnRequest(ticket, request); }),
      replicas_(loop, ReplicaSettings(config_)),
      orders_(loop, OrdersSettings(config_)) {}

void Shop::Apply(ShopConfig config) {
  config_ = std::move(config);
  replicas_.Apply(ReplicaSettings(config_));
  orders_.Apply(OrdersSettings(config_));
  ++configured_;
}

void Shop::OnRequest(Ticket ticket, const support::Request& request) {
  const std::string& target = request.target;
  if (target == "/healthz" || target == "/metrics") {
    const bool is_health = target == "/healthz";
    server_.Answer(ticket, {.status = 200,
                            .headers = {{"Content-Type", is_health ? "application/json"
                                                                   : "text/plain; version=0.0.4"}},
                            .body = is_health ? Health() : Metrics()});
    return;
  }
  constexpr std::string_view kProduct = "/product/";
  constexpr std::string_view kOrder = "/order?n=";
  if (target == "/") {
    ShowProduct(ticket, "front", "1");
  } else if (target.starts_with(kProduct) && IsNumber(target.substr(kProduct.size()))) {
    ShowProduct(ticket, "product", target.substr(kProduct.size()));
  } else if (target.starts_with(kOrder) && IsNumber(target.substr(kOrder.size()))) {
    TakeOrder(ticket, target.substr(kOrder.size()));
  } else {
    server_.Answer(ticket, {.status = 404, .headers = {}, .body = "no such page\n"});
  }
}

void Shop::ShowProduct(Ticket ticket, const std::string& page, const std::string& number) {
  ++requests_[page];
  if (FailsAsTold(ticket, page)) return;
  replicas_.Ask(ProductQuery(number), [this, ticket, page](const Pool::Answer& answer) {
    if (!answer.rows.ok()) {
      AnswerError(ticket, page, answer);
      return;
    }
    if (answer.rows->empty()) {
      server_.Answer(ticket, {.status = 404, .headers = {}, .body = "no such product\n"});
      return;
    }
    const auto& row = answer.rows->front();
    Answer(ticket, page,
           fmt::format("<h1>{}</h1><p>{}, read from {}</p>\n", row[0], row[1], answer.server));
  });
}

void Shop::TakeOrder(Ticket ticket, const std::string& number) {
  ++requests_["order"];
  ++payments_;
  if (FailsAsTold(ticket, "order")) return;
  replicas_.Ask(ProductQuery(number), [this, ticket, number](const Pool::Answer& answer) {
    if (!answer.rows.ok()) {
      AnswerError(ticket, "order", answer);
      return;
    }
    WriteOrder(ticket, number);
  });
}

void Shop::WriteOrder(Ticket ticket, const std::string& number) {
  Query insert{.sql =
                   "INSERT INTO orders (customer_id, product_id, quantity, total) "
                   "SELECT id, id, 1, price FROM products WHERE id = $1::bigint",
               .parameters = {number}};
  orders_.Ask(std::move(insert), [this, ticket](const Pool::Answer& answer) {
    if (!answer.rows.ok()) {
      AnswerError(ticket, "order", answer);
      return;
    }
    Answer(ticket, "order", "<h1>Thank you</h1>\n");
  });
}

Query Shop::ProductQuery(const std::string& number) const {
  // Release 2 has product names in several languages: it needs products.name to be jsonb, and a
  // server where it is still text refuses the statement.
  return {.sql = config_.release == 1
                     ? "SELECT name, price FROM products WHERE id = $1::bigint"
                     : "SELECT name ->> 'en', price FROM products WHERE id = $1::bigint",
          .parameters = {number}};
}

void Shop::Answer(Ticket ticket, const std::string& page, std::string body) {
  server_.Answer(ticket, {.status = 200,
                          .headers = {{"Content-Type", kHtml}, {"X-Page", page}},
                          .body = std::move(body)});
}

void Shop::AnswerError(Ticket ticket, const std::string& page, const Pool::Answer& answer) {
  const absl::Status& status = answer.rows.status();
  const std::string reason = ReasonOf(status);
  const std::string detail =
      answer.server.empty() ? std::string(status.message())
                            : fmt::format("{}: {}", answer.server, std::string(status.message()));
  ++errors_[reason];
  if (page == "order") ++payment_errors_[reason];
  LogOncePerSecond(reason, detail);
  server_.Answer(ticket, {.status = reason == "sql" ? 500 : 503,
                          .headers = {{"Content-Type", kHtml}},
                          .body = fmt::format("<h1>Sorry</h1><p>{}</p>\n", detail)});
}

bool Shop::FailsAsTold(Ticket ticket, const std::string& page) {
  if (config_.fail_percent == 0) return false;
  if (static_cast<int>(random_() % 100) >= config_.fail_percent) return false;
  ++errors_["told_to"];
  if (page == "order") ++payment_errors_["told_to"];
  server_.Answer(ticket, {.status = 500, .headers = {}, .body = "fail_percent says so\n"});
  return true;
}

std::string Shop::Health() const {
  std::string servers;
  for (const Replica& replica : config_.replicas) {
    servers += fmt::format("{}{}:{}", servers.empty() ? "" : ",", Quoted(replica.name),
                           replicas_.Connected(replica.name));
  }
  return fmt::format(
      "{{\"configured\":{},\"pool\":{},\"in_use\":{},\"waiting\":{},\"release\":{},"
      "\"fail_percent\":{},\"connected\":{{{}}}}}\n",
      configured_, replicas_.size(), replicas_.in_use(), replicas_.waiting(), config_.release,
      config_.fail_percent, servers);
}

std::string Shop::Metrics() const {
  std::string text = "# TYPE shop_requests_total counter\n";
  for (const auto& [page, count] : requests_) {
    text += fmt::format("shop_requests_total{{page=\"{}\"}} {}\n", page, count);
  }
  // Like most programs' counters with labels, these do not exist before their first failure.
  text += "# TYPE shop_errors_total counter\n";
  for (const auto& [reason, count] : errors_) {
    text += fmt::format("shop_errors_total{{reason=\"{}\"}} {}\n", reason, count);
  }
  text += fmt::format("# TYPE payment_total counter\npayment_total {}\n", payments_);
  text += "# TYPE payment_failed_total counter\n";
  for (const auto& [reason, count] : payment_errors_) {
    text += fmt::format("payment_failed_total{{reason=\"{}\"}} {}\n", reason, count);
  }
  text += fmt::format("# TYPE shop_pool_size gauge\nshop_pool_size {}\n", replicas_.size());
  text += fmt::format("# TYPE shop_pool_in_use gauge\nshop_pool_in_use {}\n", replicas_.in_use());
  text +=
      fmt::format("# TYPE shop_pool_waiting gauge\nshop_pool_waiting {}\n", replicas_.waiting());
  return text;
}

void Shop::LogOncePerSecond(const std::string& reason, const std::string& detail) {
  auto [entry, is_new] = logged_.try_emplace(reason, loop_.Now());
  if (!is_new && loop_.Now() - entry->second < std::chrono::seconds(1)) return;
  entry->second = loop_.Now();
  fmt::print(stderr, "{{\"at_ms\":{},\"event\":\"page_failed\",\"reason\":{},\"detail\":{}}}\n",
             loop_.UnixMillisNow(), Quoted(reason), Quoted(detail));
  std::fflush(stderr);
}

}  // namespace headgate::shop
