#include "tests/support/shop/pool.h"

#include <vector>

#include "gtest/gtest.h"

namespace headgate::shop {
namespace {

using std::chrono::milliseconds;

// No server listens there, so every request waits, which is what these tests are about.
const Replica kNobody{.name = "nobody", .dsn = "host=/nonexistent port=1"};

TEST(Pool, AnswersWhoeverWaitsTooLong) {
  support::EventLoop loop;
  Pool pool(loop, {.servers = {kNobody}, .size = 1, .queue = 1, .queue_timeout = milliseconds(20)});
  absl::Status told;
  pool.Ask({.sql = "SELECT 1", .parameters = {}}, [&](const Pool::Answer& answer) {
    told = answer.rows.status();
    loop.Stop();
  });
  EXPECT_EQ(pool.waiting(), 1);
  loop.Run();
  EXPECT_EQ(told.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_NE(told.message().find("20 ms"), std::string::npos);
  EXPECT_EQ(pool.waiting(), 0);
}

TEST(Pool, RefusesAtOnceWhenTheQueueIsFull) {
  support::EventLoop loop;
  Pool pool(loop,
            {.servers = {kNobody}, .size = 1, .queue = 1, .queue_timeout = milliseconds(500)});
  pool.Ask({.sql = "SELECT 1", .parameters = {}}, [](const Pool::Answer&) {});
  absl::Status told;
  pool.Ask({.sql = "SELECT 1", .parameters = {}},
           [&](const Pool::Answer& answer) { told = answer.rows.status(); });
  EXPECT_EQ(told.code(), absl::StatusCode::kResourceExhausted);
}

TEST(Pool, CountsNoConnectionThatDoesNotStand) {
  support::EventLoop loop;
  Pool pool(loop, {.servers = {kNobody}, .size = 3, .queue = 1});
  loop.After(milliseconds(50), [&] { loop.Stop(); });
  loop.Run();
  EXPECT_EQ(pool.Connected("nobody"), 0);
  EXPECT_EQ(pool.in_use(), 0);
}

}  // namespace
}  // namespace headgate::shop
