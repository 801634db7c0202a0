// The way between an agent and its load balancer, which can be spoilt and mended while both run.
// Its own thread; any one other thread calls it.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace headgate::test {

class Relay {
 public:
  enum class Way {
    kForwards,
    // Takes the connection and what is said, and never answers.
    kHangs,
    kAnswersGarbage,
    // Hangs up when it is asked.
    kAnswersNothing
  };

  // Listens on a Unix socket, for another one.
  Relay(const std::string& path, const std::string& target);
  // Listens on a port of loopback, for another one.
  Relay(std::uint16_t port, std::uint16_t target);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // The connections that there are have ended when it returns.
  void Become(Way way);
  Way way() const { return way_; }
  // Connections that came so far.
  int connections() const { return connections_; }
  // Nothing passes, either way, and nobody is told: the connections stay, and go on afterwards.
  void Stall(bool stalls);

 private:
  struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
  };
  // Two ends; the target's is -1 if it is not forwarded.
  struct Link {
    int client = -1;
    int target = -1;
    Way way = Way::kForwards;
  };

  static Address Unix(const std::string& path);
  static Address Loopback(std::uint16_t port);
  void Begin(const Address& own);
  void Wake() const;
  void Run();
  void Accept();
  // False: it is over.
  bool Serve(const Link& link, bool client_speaks, bool target_speaks) const;
  static void Close(const Link& link);

  Address target_;
  std::atomic<Way> way_{Way::kForwards};
  std::atomic<bool> stops_{false};
  std::atomic<int> connections_{0};
  std::atomic<bool> stalls_{false};
  // Since the links were last looked at.
  std::atomic<bool> has_changed_{false};
  int listener_ = -1;
  int wake_ = -1;
  // Of its own thread.
  std::vector<Link> links_;
  std::thread thread_;
};

}  // namespace headgate::test
