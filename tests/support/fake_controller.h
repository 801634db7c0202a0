// A controller that behaves: it welcomes agents, sends directives and renews them, and remembers
// what it is told. Thread-safe.
#pragma once

#include <grpcpp/security/server_credentials.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/base/outlook.h"
#include "common/base/version.h"
#include "headgate/v1/agent.pb.h"

namespace headgate::test {

class FakeController {
 public:
  struct Options {
    // 0: a free one.
    int port = 0;
    Duration valid_for = std::chrono::seconds(15);
    Duration renew_every = std::chrono::seconds(1);
    std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
  };

  FakeController() : FakeController(Options{}) {}
  explicit FakeController(const Options& options);
  ~FakeController();
  FakeController(const FakeController&) = delete;
  FakeController& operator=(const FakeController&) = delete;

  std::string address() const;
  int port() const;
  // The newest directive of its gate, for whoever is or comes connected.
  void Direct(const Directive& directive);
  // With this digest instead of the right one.
  void DirectWithDigest(const Directive& directive, std::uint64_t digest);
  // What goes with every directive from the next one on.
  void Foretell(const Outlook& outlook);
  void AskFullState();

  int sessions() const;
  int hellos() const;
  v1::Hello hello() const;
  // The newest report of the gate, Hello's included.
  v1::Report report(const std::string& gate = "shop") const;
  v1::Counters counters() const;
  v1::GateCounters gate_counters(const std::string& gate = "shop") const;
  // Of each gap in the sequence of counters.
  int gaps() const;
  // As the certificate or the metadata says.
  std::string agent() const;

 private:
  class Service;
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace headgate::test
