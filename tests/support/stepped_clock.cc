#include "tests/support/stepped_clock.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/check.h"
#include "tests/support/places.h"

namespace headgate::test {

SteppedClock::SteppedClock() {
  const int fd = open((folder_ / "ahead").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  HEADGATE_CHECK(fd >= 0 && ftruncate(fd, sizeof(long)) == 0);
  void* shared = mmap(nullptr, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  HEADGATE_CHECK(shared != MAP_FAILED);
  close(fd);
  shared_ = static_cast<volatile long*>(shared);
}

SteppedClock::~SteppedClock() {
  // NOLINTNEXTLINE: what was mapped is not volatile to munmap.
  munmap(const_cast<long*>(shared_), sizeof(long));
}

std::vector<std::string> SteppedClock::environment() const {
  return {"LD_PRELOAD=" + BuiltForTests("libheadgate_test_clock.so"),
          "HEADGATE_TEST_CLOCK=" + (folder_ / "ahead")};
}

void SteppedClock::Set(std::chrono::seconds ahead) { *shared_ = ahead.count(); }

}  // namespace headgate::test
