// gRPC's health service (grpc.health.v1) alone on a port of its own, for an orchestrator's probes:
// a kubelet has no certificate, and comes from the network. It is the one listener that is
// plaintext off loopback, only where it was asked for: nothing can be commanded or learnt there but
// whether the program lives and is ready. Start and destroy it on one thread; Show on any.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace headgate {

// At once. A kubelet's probe takes a connection for milliseconds; beyond this the oldest is ended
// and counted, so that neither descriptors nor probes run out.
inline constexpr int kHealthConnectionsMax = 64;
// Who watches keeps a stream; beyond these a connection's calls wait.
inline constexpr int kHealthStreamsMax = 8;
// Who connects and says nothing keeps a descriptor no longer than this.
inline constexpr int kHealthHandshakeMaxMs = 5'000;
// A connection is ended after this, busy or not; whoever still asks comes back.
inline constexpr int kHealthConnectionAgeMaxMs = 60'000;
// Whoever does not end it then is cut off, and counted.
inline constexpr int kHealthConnectionEndMs = 70'000;
// A question is the name of a service.
inline constexpr int kHealthQuestionBytesMax = 1'024;

// The services that may be asked for; "" is as "live".
inline constexpr char kHealthLive[] = "live";
inline constexpr char kHealthReady[] = "ready";

class HealthListener {
 public:
  // `address`: "0.0.0.0:9466"; port 0 takes a free one. Until the first Show it lives and is not
  // ready. `count_ended`: a connection was ended because of a bound; on a thread of the listener's,
  // until its destructor is through. UNAVAILABLE names the address and the remedy.
  static absl::StatusOr<std::unique_ptr<HealthListener>> Start(const std::string& address,
                                                               std::function<void()> count_ended);
  ~HealthListener();
  HealthListener(const HealthListener&) = delete;
  HealthListener& operator=(const HealthListener&) = delete;

  void Show(bool is_live, bool is_ready);
  // The port that is bound.
  int port() const { return port_; }

 private:
  struct Services;
  HealthListener(std::unique_ptr<Services> services, int port);

  const std::unique_ptr<Services> services_;
  const int port_;
};

}  // namespace headgate
