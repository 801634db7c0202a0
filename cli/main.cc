// `headgate`: reads the world (arguments, environment, terminal, signals), runs one command.
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <system_error>
#include <thread>
#include <variant>
#include <vector>

#include "cli/arguments.h"
#include "cli/run.h"
#include "common/base/quiet_grpc.h"

namespace {

using headgate::cli::ExitCode;

constexpr int kColumnsMax = 1'000;

std::string Variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

// As the C library chooses: the first of the three that says something.
bool IsUtf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string locale = Variable(name);
    if (locale.empty()) continue;
    return locale.find("UTF-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  }
  return false;
}

// Where the caller has closed one, the next file or connection would take its number and get what
// is printed. Opened for the wrong direction, so that writing still fails.
void KeepStandardStreamsApart() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) != -1) continue;
    // The lowest free number, which is this one. A failure leaves things as they were.
    static_cast<void>(open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY));
  }
}

// As the caller wants it, where COLUMNS says so; 0: it does not.
int ColumnsWanted() {
  const std::string text = Variable("COLUMNS");
  int columns = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, columns);
  return error == std::errc() && rest == end ? std::clamp(columns, 0, kColumnsMax) : 0;
}

headgate::cli::Size Wanted(headgate::cli::Size size) {
  if (const int columns = ColumnsWanted(); columns > 0) size.columns = columns;
  return size;
}

headgate::cli::Size SizeOfTerminal() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return Wanted({});
  }
  return Wanted({.columns = size.ws_col, .rows = size.ws_row});
}

// Waits for Ctrl-C on a thread of its own, so that no code runs inside a signal handler. A second
// one ends the program whatever it is doing, and so does the first one where nobody heeds it.
class CtrlC {
 public:
  explicit CtrlC(headgate::cli::Interrupt& interrupt) : interrupt_(interrupt) {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    // Before any other thread exists, so that all of them inherit it.
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    thread_ = std::jthread([this](const std::stop_token& stop) { Wait(stop); });
  }

 private:
  void Wait(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const timespec turn{.tv_sec = 0, .tv_nsec = 50'000'000};
      const bool has_come = sigtimedwait(&signals_, nullptr, &turn) >= 0;
      const bool is_over = interrupt_.IsRaised() && (has_come || interrupt_.IsUnheard());
      if (is_over) std::_Exit(static_cast<int>(ExitCode::kDetached));
      if (has_come) interrupt_.Raise();
    }
  }

  headgate::cli::Interrupt& interrupt_;
  sigset_t signals_{};
  std::jthread thread_;
};

}  // namespace

int main(int argc, char** argv) {
  KeepStandardStreamsApart();
  headgate::QuietGrpc();
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto parsed = headgate::cli::ParseArguments(words, Variable);
  if (const auto* answer = std::get_if<headgate::cli::Answer>(&parsed)) {
    (answer->code == ExitCode::kDone ? std::cout : std::cerr) << answer->text;
    return static_cast<int>(headgate::cli::Written(answer->code, std::cout, std::cerr));
  }
  headgate::cli::Interrupt interrupt;
  const CtrlC ctrl_c(interrupt);
  const bool is_terminal = isatty(STDOUT_FILENO) == 1;
  const bool has_color = is_terminal && Variable("NO_COLOR").empty() && Variable("TERM") != "dumb";
  headgate::cli::Terminal terminal{.out = std::cout,
                                   .err = std::cerr,
                                   .is_live = is_terminal && Variable("TERM") != "dumb",
                                   .has_color = has_color,
                                   .has_width = is_terminal || ColumnsWanted() > 0,
                                   .has_blocks = IsUtf8() && Variable("NO_COLOR").empty(),
                                   .size = SizeOfTerminal};
  const headgate::SteadyClock clock;
  headgate::cli::Session session{.terminal = terminal,
                                 .interrupt = interrupt,
                                 .clock = clock,
                                 .in = std::cin,
                                 .is_root = geteuid() == 0};
  const ExitCode code = headgate::cli::Run(std::get<headgate::cli::Command>(parsed), session);
  return static_cast<int>(headgate::cli::Written(code, std::cout, std::cerr));
}
