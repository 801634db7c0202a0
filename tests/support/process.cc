#include "tests/support/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <string_view>
#include <thread>
#include <utility>

#include "common/base/check.h"

namespace headgate::test {
namespace {

constexpr std::chrono::milliseconds kPoll{5};

std::string ContentOf(int fd) {
  std::string content;
  char chunk[4096];
  off_t at = 0;
  while (true) {
    const ssize_t n = pread(fd, chunk, sizeof chunk, at);
    if (n <= 0) return content;
    content.append(chunk, static_cast<std::size_t>(n));
    at += n;
  }
}

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

bool HasStopped(const std::filesystem::path& thread) {
  std::ifstream file(thread / "stat");
  const std::string stat{std::istreambuf_iterator<char>(file), {}};
  // The state follows the name, which may itself hold parentheses.
  const std::size_t at = stat.rfind(") ");
  return at == std::string::npos ||
         std::string_view("TtZX").find(stat[at + 2]) != std::string_view::npos;
}

bool HaveAllThreadsStopped(pid_t pid) {
  std::error_code gone;
  const std::filesystem::directory_iterator threads("/proc/" + std::to_string(pid) + "/task", gone);
  return std::all_of(begin(threads), end(threads),
                     [](const auto& thread) { return HasStopped(thread.path()); });
}

int Append(int fd) {
  // O_APPEND, so that two writers of one capture do not overwrite each other.
  fcntl(fd, F_SETFL, O_APPEND);
  return fd;
}

}  // namespace

Process::Process(Options options)
    : stdout_fd_(Append(memfd_create("stdout", MFD_CLOEXEC))),
      stderr_fd_(Append(memfd_create("stderr", MFD_CLOEXEC))) {
  HEADGATE_CHECK(stdout_fd_ >= 0 && stderr_fd_ >= 0 && !options.argv.empty());
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  for (std::string& entry : options.environment) environment.push_back(std::move(entry));
  const std::vector<char*> argv = Pointers(options.argv);
  const std::vector<char*> envp = Pointers(environment);
  const pid_t parent = getpid();
  pid_ = fork();
  HEADGATE_CHECK(pid_ >= 0);
  if (pid_ != 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  dup2(stdout_fd_, STDOUT_FILENO);
  dup2(stderr_fd_, STDERR_FILENO);
  const int null = open("/dev/null", O_RDONLY);
  if (null >= 0) dup2(null, STDIN_FILENO);
  if (options.before_exec) options.before_exec();
  execvpe(argv[0], argv.data(), envp.data());
  _exit(127);
}

Process::~Process() {
  Stop();
  close(stdout_fd_);
  close(stderr_fd_);
}

bool Process::IsRunning() { return !Wait(std::chrono::milliseconds(0)).has_value(); }

void Process::Signal(int signal) const {
  if (exit_code_) return;
  kill(pid_, signal);
  if (signal == SIGSTOP) HEADGATE_CHECK(Eventually([&] { return HaveAllThreadsStopped(pid_); }));
}

std::optional<int> Process::Wait(std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!exit_code_) {
    int status = 0;
    const pid_t done = waitpid(pid_, &status, WNOHANG);
    if (done == pid_) {
      exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      break;
    }
    if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
    std::this_thread::sleep_for(kPoll);
  }
  return exit_code_;
}

int Process::Stop() {
  if (exit_code_) return *exit_code_;
  Signal(SIGTERM);
  // A stopped process would never see the SIGTERM.
  Signal(SIGCONT);
  if (const auto code = Wait(kStopPatience)) return *code;
  Signal(SIGKILL);
  return Wait(kStopPatience).value_or(-1);
}

std::string Process::Output() const { return ContentOf(stdout_fd_) + ContentOf(stderr_fd_); }
std::string Process::Stdout() const { return ContentOf(stdout_fd_); }

Finished RunToEnd(std::vector<std::string> argv, std::chrono::milliseconds patience) {
  Process process(std::move(argv));
  if (!process.Wait(patience)) {
    process.Signal(SIGKILL);
    process.Wait(Process::kStopPatience);
  }
  return Finished{process.Stop(), process.Stdout(), process.Output()};
}

std::uint16_t FreePort() {
  // Below those that the system gives to whoever connects somewhere (ip_local_port_range): one of
  // these may be anybody's by the time that a server comes back to it.
  constexpr std::uint16_t kLeast = 10'000;
  constexpr std::uint16_t kMost = 32'000;
  thread_local std::set<std::uint16_t> given;
  thread_local std::mt19937 random{std::random_device{}()};
  std::uniform_int_distribution<std::uint16_t> draw(kLeast, kMost);
  while (true) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    HEADGATE_CHECK(fd >= 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const std::uint16_t port = draw(random);
    address.sin_port = htons(port);
    const bool is_free = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    close(fd);
    if (is_free && given.insert(port).second) return port;
  }
}

bool Eventually(const std::function<bool()>& condition, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

}  // namespace headgate::test
