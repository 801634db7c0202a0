// What the service manager hears of this process: that it is ready, how it is, that it lives, and
// that it stops (sd_notify). Where none asked for it, all of it does nothing.
// Made before there are other threads; every call from any thread.
// Alive comes from the thread whose work must go on, so that one that hangs is noticed: systemd
// then ends the process and starts it again. What a load balancer enforces is not touched by that.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "common/base/clock.h"

namespace headgate::systemd {

class Service {
 public:
  // Reads what the service manager put into the environment.
  Service();

  // How often Alive should be called: a third of the time after which a silent process is ended.
  // Unset: nobody watches.
  std::optional<Duration> alive_every() const { return alive_every_; }

  void Ready() const;
  void Alive() const;
  void Stopping() const;
  // One line for `systemctl status`; sent when it differs from the last one.
  void Say(const std::string& status);

 private:
  const std::optional<Duration> alive_every_;

  std::mutex mutex_;
  // Protected by mutex_.
  std::string said_;
};

}  // namespace headgate::systemd
