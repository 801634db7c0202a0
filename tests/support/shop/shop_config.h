// What the shop is told by its configuration file: `name value` lines, `#` comments. The file is
// read at the start and again on SIGHUP. A value, without threads.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace headgate::shop {

struct Replica {
  std::string name;
  std::string dsn;
  friend bool operator==(const Replica&, const Replica&) = default;
};

struct ShopConfig {
  static constexpr int kPoolMax = 500;
  static constexpr int kQueueMax = 10'000;
  static constexpr int kMillisMax = 60'000;
  static constexpr std::size_t kReplicasMax = 16;

  // `pool`: connections to the replicas, in turn.
  int pool = 40;
  // `hold_ms`: how long a page keeps its connection after the answer has come, as a page does that
  // computes between two queries. The knee is at pool / hold requests per second.
  std::chrono::milliseconds hold{20};
  // `queue`: requests that may wait for a connection; further ones are answered 503 at once.
  int queue = 40;
  // `queue_timeout_ms`: a request that has waited this long is answered 503.
  std::chrono::milliseconds queue_timeout{500};
  // `release`: 1 or 2. Release 2 needs products.name to be jsonb.
  int release = 1;
  // `fail_percent`: this part of the pages is answered 500 without asking a database.
  int fail_percent = 0;
  // `orders DSN`: the primary, where orders are written. Required.
  std::string orders_dsn;
  // `replica NAME DSN`, at least one.
  std::vector<Replica> replicas;

  friend bool operator==(const ShopConfig&, const ShopConfig&) = default;

  // INVALID_ARGUMENT names the line, the value and the bound.
  static absl::StatusOr<ShopConfig> Parse(std::string_view text);
};

}  // namespace headgate::shop
