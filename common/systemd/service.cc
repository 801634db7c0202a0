#include "common/systemd/service.h"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cstdint>

namespace headgate::systemd {
namespace {

constexpr Duration kAliveEveryMin{10};

std::optional<Duration> AliveEvery() {
  std::uint64_t micros = 0;
  if (sd_watchdog_enabled(/*unset_environment=*/0, &micros) <= 0) return std::nullopt;
  const auto third = std::chrono::microseconds(micros / 3);
  return std::max(kAliveEveryMin, std::chrono::duration_cast<Duration>(third));
}

// It is news for whoever looks on: nothing here depends on its arriving.
void Notify(const std::string& state) { sd_notify(/*unset_environment=*/0, state.c_str()); }

}  // namespace

Service::Service() : alive_every_(AliveEvery()) {}

void Service::Ready() const { Notify("READY=1"); }
void Service::Alive() const { Notify("WATCHDOG=1"); }
void Service::Stopping() const { Notify("STOPPING=1"); }

void Service::Say(const std::string& status) {
  std::string line = status;
  std::ranges::replace(line, '\n', ' ');
  {
    const std::lock_guard lock(mutex_);
    if (line == said_) return;
    said_ = line;
  }
  Notify("STATUS=" + line);
}

}  // namespace headgate::systemd
