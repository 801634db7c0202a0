// headgated: reads the command line, blocks the signals, and runs the program. The agents keep what
// they enforce: stopping the controller changes nothing for users.
#include <pthread.h>
#include <sys/resource.h>

#include <csignal>
#include <optional>
#include <utility>

#include "common/base/quiet_grpc.h"
#include "common/systemd/service.h"
#include "controller/main/options.h"
#include "controller/main/program.h"

namespace headgate {
namespace {

constexpr int kFailed = 1;

// Every thread inherits this mask, so that only Program::Run sees them.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

// gRPC stops listening for good once descriptors run out: take all that may be had.
void TakeDescriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace
}  // namespace headgate

int main(int argc, char** argv) {
  headgate::QuietGrpc();
  headgate::TakeDescriptors();
  const sigset_t signals = headgate::BlockSignals();
  int exit_code = 0;
  const std::optional<headgate::Options> options = headgate::ParseOptions(argc, argv, exit_code);
  if (!options) return exit_code;
  headgate::systemd::Service service;
  using End = headgate::Program::End;
  End end = End::kStartOver;
  headgate::conductor::Legacy legacy;
  while (end == End::kStartOver) {
    headgate::Program program(*options, service, std::move(legacy));
    end = program.Run(signals);
    legacy = program.Leave();
  }
  return end == End::kStopped ? 0 : headgate::kFailed;
}
