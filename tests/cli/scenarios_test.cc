#include "cli/scenarios.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace headgate::cli {
namespace {

TEST(Scenarios, AFileThatCannotBeReadIsToldWithTheSystemsReason) {
  const auto why = [](const std::string& name) {
    SimulateFlags flags;
    flags.scenarios = {name};
    return std::string(LoadScenarios(flags, {}).status().message());
  };
  EXPECT_EQ(why("./nope.yaml"),
            "scenario ./nope.yaml cannot be read: No such file or directory: is the path right?");
  EXPECT_EQ(why("/tmp"), "scenario /tmp cannot be read: Is a directory");
}

}  // namespace
}  // namespace headgate::cli
