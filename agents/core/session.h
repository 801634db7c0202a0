// Keeps a session with a controller, whichever can be reached, on a thread of its own. Promises:
// the agent waits for no controller; a lost one is tried again for ever, spread over time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/core/order.h"
#include "agents/core/outbox.h"
#include "common/base/clock.h"
#include "common/log/log.h"

namespace grpc {
class ChannelCredentials;
}

namespace headgate::v1 {
class Directive;
class Report;
}  // namespace headgate::v1

namespace headgate::agent {

// Who the agent is, the same for its whole life.
struct Self {
  std::string boot_id;
  std::map<std::string, std::string> labels;
  // What it is said to be until it could be asked: "HAProxy".
  std::string load_balancer;
};

struct Credentials {
  std::shared_ptr<grpc::ChannelCredentials> channel;
  // A session ends with the certificate that opened it.
  std::optional<TimePoint> not_after;
};

class Stream;

class Session {
 public:
  // To one address.
  static constexpr Duration kConnectMax{500};
  // To all of a name's, which a resolver may be slow to tell.
  static constexpr Duration kResolveAndConnectMax{2000};
  static constexpr Duration kWelcomeMax{3000};
  static constexpr Duration kWriteMax{5000};
  // Of several controllers one whose word is refused for so long is left for the next: it may be of
  // an older reign, and the one that leads waits.
  static constexpr Duration kRefusedMax{5000};
  static constexpr Duration kBackoffMin{200};
  static constexpr Duration kBackoffMax{10'000};
  static constexpr int kFrameBytesMax = 64 * 1024;

  struct Options {
    // host:port; the start is random.
    std::vector<std::string> controllers;
    // Read anew for every connection, so that a renewed certificate is used.
    std::function<absl::StatusOr<Credentials>()> credentials;
    // Without a certificate: the agent's name. Empty: the certificate names it.
    std::string plaintext_name;
    Self self;
    Duration push_every{250};
    // False: the agent has no such gate. On gRPC's threads; must not block.
    std::function<bool(Offer)> on_offer;
  };

  Session(Options options, Outbox& outbox, const Clock& clock, Log& log);
  // Ends the session; takes at most a second.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Thread-safe: for readiness and metrics.
  bool is_connected() const { return is_connected_; }
  std::uint64_t connections() const { return connections_; }
  // When its thread was last seen at work: it waits for nothing longer than a few seconds.
  TimePoint seen_at() const { return seen_at_; }

 private:
  void Run();
  // One connection, to its end. True if the controller had welcomed us.
  bool Talk(const std::string& controller);
  bool Watch(Stream& stream, const Credentials& credentials);
  // Hands a directive on; a report if nobody took it.
  std::optional<v1::Report> Judge(const v1::Directive& directive);
  // What it says is of an older reign, or not sound.
  bool IsRefused();
  void Pause(Duration pause);
  bool IsStopped();

  const Options options_;
  Outbox& outbox_;
  const Clock& clock_;
  Log& log_;
  std::atomic<bool> is_connected_{false};
  std::atomic<std::uint64_t> connections_{0};
  std::atomic<TimePoint> seen_at_;

  std::mutex mutex_;
  std::condition_variable wake_;
  // Protected by mutex_.
  bool stopped_ = false;

  // Of the session's thread.
  std::mt19937_64 random_;
  std::uint64_t sequence_ = 0;
  std::string last_failure_;

  // Whether the last directive of the session was none.
  std::atomic<bool> is_unsound_{false};

  std::thread thread_;
};

}  // namespace headgate::agent
