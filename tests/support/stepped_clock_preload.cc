// Loaded into a program before the C library: its wall clock is ahead by the seconds that stand in
// the file HEADGATE_TEST_CLOCK. The monotonic clock is the system's.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

namespace {

const volatile long* Map() {
  static const long kNone = 0;
  const char* path = std::getenv("HEADGATE_TEST_CLOCK");
  const int fd = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return &kNone;
  void* shared = mmap(nullptr, sizeof(long), PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  return shared == MAP_FAILED ? &kNone : static_cast<const volatile long*>(shared);
}

long Ahead() {
  static const volatile long* const kSeconds = Map();
  return *kSeconds;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  const long done = syscall(SYS_clock_gettime, clock, now);
  const bool is_wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
  if (done == 0 && is_wall) now->tv_sec += Ahead();
  return static_cast<int>(done);
}

int gettimeofday(timeval* now, void*) noexcept {
  timespec precise{};
  clock_gettime(CLOCK_REALTIME, &precise);
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* now) noexcept {
  timespec precise{};
  clock_gettime(CLOCK_REALTIME, &precise);
  if (now != nullptr) *now = precise.tv_sec;
  return precise.tv_sec;
}

}  // extern "C"
