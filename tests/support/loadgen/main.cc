// loadgen --ports P1,P2 [--users N] [--rps N] [--rps-max N] [--seconds N] [--connections N]
//         [--time-scale X] [--reload-ms N] [--tries N] [--order-percent N] [--seed N]
// A crowd of customers with cookies against load balancers on 127.0.0.1 (there is no option for
// another address). JSON lines on stdout, see tally.h. Ends by itself after --seconds, at most an
// hour, or on SIGINT or SIGTERM, with the summary as its last line.
#include <signal.h>

#include <cstdio>
#include <iostream>
#include <string>

#include "CLI/CLI.hpp"
#include "tests/support/loadgen/crowd.h"

namespace headgate::loadgen {
namespace {

struct Flags {
  Crowd::Options crowd;
  std::uint32_t rps = 600;
  int seconds = 60;
};

int Run(Flags flags) {
  flags.crowd.habits.think =
      Millis(static_cast<std::int64_t>(flags.crowd.users) * 1000 / flags.rps);
  support::EventLoop loop;
  Crowd crowd(loop, flags.crowd, [](const std::string& line) {
    std::cout << line << '\n';
    std::cout.flush();
  });
  const auto end = [&] { crowd.End([&] { loop.Stop(); }); };
  loop.OnSignal(SIGINT, end);
  loop.OnSignal(SIGTERM, end);
  loop.After(std::chrono::seconds(flags.seconds), end);
  crowd.Start();
  loop.Run();
  return 0;
}

int Main(int argc, char** argv) {
  Flags flags;
  Crowd::Options& crowd = flags.crowd;
  int reload_ms = static_cast<int>(crowd.habits.reload.count());
  CLI::App app("A crowd of customers against load balancers on 127.0.0.1.");
  app.add_option("--ports", crowd.ports, "Frontends, in turn for each customer")
      ->required()
      ->delimiter(',')
      ->check(CLI::Range(1, 65535));
  app.add_option("--users", crowd.users)->check(CLI::Range(1, 1'000'000));
  app.add_option("--rps", flags.rps, "Requests per second while everybody gets pages")
      ->check(CLI::Range(1, 20'000));
  app.add_option("--rps-max", crowd.requests_per_second_max, "Never more, whoever presses reload")
      ->check(CLI::Range(1, 20'000));
  app.add_option("--seconds", flags.seconds)->check(CLI::Range(1, 3600));
  app.add_option("--connections", crowd.connections_per_port, "At most, per frontend")
      ->check(CLI::Range(1, 4'000));
  app.add_option("--time-scale", crowd.habits.time_scale, "Retry-After is multiplied by this")
      ->check(CLI::Range(0.01, 100.0));
  app.add_option("--reload-ms", reload_ms, "Until an error page is reloaded, give or take a half")
      ->check(CLI::Range(1, 600'000));
  app.add_option("--tries", crowd.habits.tries, "In a row, before somebody goes away for a while")
      ->check(CLI::Range(1, 1'000));
  app.add_option("--order-percent", crowd.order_percent, "Of the visits, those that buy")
      ->check(CLI::Range(0, 60));
  app.add_option("--seed", crowd.seed);
  CLI11_PARSE(app, argc, argv);
  crowd.habits.reload = Millis(reload_ms);
  return Run(flags);
}

}  // namespace
}  // namespace headgate::loadgen

int main(int argc, char** argv) { return headgate::loadgen::Main(argc, argv); }
