#include "tests/support/net/event_loop.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "common/base/check.h"

namespace headgate::support {
namespace {

constexpr int kEventsPerTurn = 256;

std::uint64_t TagOf(int fd, std::uint32_t generation) {
  return (std::uint64_t{generation} << 32) | static_cast<std::uint32_t>(fd);
}

}  // namespace

EventLoop::EventLoop()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), now_(std::chrono::steady_clock::now()) {
  HEADGATE_CHECK(epoll_ >= 0);
}

EventLoop::~EventLoop() {
  for (int fd : signal_fds_) ::close(fd);
  ::close(epoll_);
}

void EventLoop::Watch(int fd, std::uint32_t events, IoHandler handler) {
  HEADGATE_CHECK(fd >= 0);
  const auto index = static_cast<std::size_t>(fd);
  if (watched_.size() <= index) watched_.resize(index + 1);
  HEADGATE_CHECK(watched_[index].handler == nullptr);
  watched_[index] = {.generation = ++generations_,
                     .handler = std::make_shared<IoHandler>(std::move(handler))};
  epoll_event event{.events = events, .data = {.u64 = TagOf(fd, watched_[index].generation)}};
  HEADGATE_CHECK(::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0);
}

void EventLoop::Change(int fd, std::uint32_t events) {
  const Watched& watched = watched_.at(static_cast<std::size_t>(fd));
  HEADGATE_CHECK(watched.handler != nullptr);
  epoll_event event{.events = events, .data = {.u64 = TagOf(fd, watched.generation)}};
  HEADGATE_CHECK(::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0);
}

void EventLoop::Forget(int fd) {
  Watched& watched = watched_.at(static_cast<std::size_t>(fd));
  if (watched.handler == nullptr) return;
  watched.handler = nullptr;
  // libpq may have closed the descriptor already; then the kernel has forgotten it by itself.
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

EventLoop::Timer EventLoop::After(Micros wait, std::function<void()> then) {
  const Timer timer{.at = now_ + wait, .number = ++timers_made_};
  timers_.emplace(timer, std::move(then));
  return timer;
}

void EventLoop::Cancel(const Timer& timer) { timers_.erase(timer); }

void EventLoop::OnSignal(int signal_number, std::function<void()> then) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal_number);
  HEADGATE_CHECK(::sigprocmask(SIG_BLOCK, &set, nullptr) == 0);
  const int fd = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  HEADGATE_CHECK(fd >= 0);
  signal_fds_.push_back(fd);
  Watch(fd, EPOLLIN, [fd, then = std::move(then)](std::uint32_t) {
    signalfd_siginfo info;
    while (::read(fd, &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) then();
  });
}

void EventLoop::Run() {
  std::array<epoll_event, kEventsPerTurn> events;
  while (!stopped_) {
    const int count = ::epoll_wait(epoll_, events.data(), kEventsPerTurn, WaitMillis());
    HEADGATE_CHECK(count >= 0 || errno == EINTR);
    now_ = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) {
      Dispatch(events[static_cast<std::size_t>(i)].data.u64,
               events[static_cast<std::size_t>(i)].events);
    }
    FireTimers();
  }
}

int EventLoop::WaitMillis() const {
  if (timers_.empty()) return -1;
  const auto left = timers_.begin()->first.at - std::chrono::steady_clock::now();
  // Rounded up: an early wake-up would spin until the timer is due.
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::clamp<std::int64_t>(millis, 0, 60'000));
}

void EventLoop::FireTimers() {
  // Timers made by these handlers wait for the next turn: a handler that re-arms itself with no
  // wait must not starve the sockets.
  const Timer last{.at = now_, .number = timers_made_};
  while (!stopped_ && !timers_.empty() && timers_.begin()->first <= last) {
    auto node = timers_.extract(timers_.begin());
    node.mapped()();
  }
}

void EventLoop::Dispatch(std::uint64_t tag, std::uint32_t events) {
  const auto fd = static_cast<std::size_t>(tag & 0xFFFFFFFFU);
  if (fd >= watched_.size()) return;
  // An earlier handler of this turn may have closed it, and another may have its number by now.
  const Watched& watched = watched_[fd];
  if (watched.handler == nullptr || watched.generation != tag >> 32) return;
  const std::shared_ptr<IoHandler> handler = watched.handler;
  (*handler)(events);
}

}  // namespace headgate::support
