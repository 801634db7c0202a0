// What Ctrl-C and SIGTERM do to the program itself.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include "tests/support/places.h"
#include "tests/support/process.h"
#include "tests/support/temp_folder.h"

namespace headgate::cli {
namespace {

TEST(Signals, TheFirstOneEndsWhoWaitsForTheRestOfAPlan) {
  const test::TempFolder folder;
  const std::string fifo = folder.path() + "/plan.yaml";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const std::vector<std::vector<std::string>> commands = {
      {"validate", fifo},
      {"simulate", fifo},
      {"dbcheck", fifo},
      {"start", fifo, "--controller", "127.0.0.1:1", "--plaintext"}};
  for (std::vector<std::string> argv : commands) {
    argv.insert(argv.begin(), BuiltProgram("headgate"));
    test::Process reader(argv);
    int end = -1;
    // As soon as somebody reads.
    ASSERT_TRUE(test::Eventually(
        [&] { return (end = open(fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)) >= 0; }));
    reader.Signal(argv[1] == "validate" ? SIGINT : SIGTERM);
    EXPECT_EQ(reader.Wait(std::chrono::seconds(10)), 130) << argv[1];
    close(end);
  }
}

}  // namespace
}  // namespace headgate::cli
