// shop --port PORT --config FILE: the shop of the demo, on 127.0.0.1. SIGHUP reads the file again
// (a file that is refused changes nothing), SIGINT and SIGTERM end it. JSON lines on stderr.
#include <signal.h>

#include <charconv>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#include "fmt/format.h"
#include "tests/support/shop/shop.h"

namespace headgate::shop {
namespace {

absl::StatusOr<ShopConfig> ReadConfig(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return absl::NotFoundError(fmt::format("{} cannot be read", path));
  auto config = ShopConfig::Parse(text.str());
  if (config.ok()) return config;
  return absl::InvalidArgumentError(
      fmt::format("{}: {}", path, std::string(config.status().message())));
}

void Log(const support::EventLoop& loop, const char* event, const std::string& detail) {
  fmt::print(stderr, "{{\"at_ms\":{},\"event\":\"{}\",{}}}\n", loop.UnixMillisNow(), event, detail);
  std::fflush(stderr);
}

void Reload(const support::EventLoop& loop, const std::string& path, Shop& shop) {
  auto config = ReadConfig(path);
  if (!config.ok()) {
    Log(loop, "config_refused",
        fmt::format("\"detail\":\"{}\"", std::string(config.status().message())));
    return;
  }
  const std::string detail =
      fmt::format("\"pool\":{},\"replicas\":{},\"release\":{},\"fail_percent\":{}", config->pool,
                  config->replicas.size(), config->release, config->fail_percent);
  shop.Apply(*std::move(config));
  Log(loop, "configured", detail);
}

int Run(std::uint16_t port, const std::string& config_path) {
  support::EventLoop loop;
  auto config = ReadConfig(config_path);
  if (!config.ok()) {
    fmt::print(stderr, "shop: {}\n", std::string(config.status().message()));
    return 2;
  }
  Shop shop(loop, *std::move(config));
  if (auto status = shop.Listen(port); !status.ok()) {
    fmt::print(stderr, "shop: {}\n", std::string(status.message()));
    return 1;
  }
  loop.OnSignal(SIGHUP, [&] { Reload(loop, config_path, shop); });
  loop.OnSignal(SIGINT, [&] { loop.Stop(); });
  loop.OnSignal(SIGTERM, [&] { loop.Stop(); });
  Log(loop, "ready", fmt::format("\"port\":{}", shop.port()));
  loop.Run();
  return 0;
}

}  // namespace
}  // namespace headgate::shop

int main(int argc, char** argv) {
  std::string config;
  int port = -1;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string_view value = argv[i + 1];
    if (name == "--config") config = value;
    if (name == "--port") std::from_chars(value.data(), value.data() + value.size(), port);
  }
  if (argc != 5 || config.empty() || port < 0 || port > 65535) {
    fmt::print(stderr, "usage: shop --port PORT --config FILE   (port 0: any free one)\n");
    return 2;
  }
  return headgate::shop::Run(static_cast<std::uint16_t>(port), config);
}
