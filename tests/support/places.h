// Where a test finds the sources and the built programs. The two paths stand in one object file,
// so that every other one is the same in every clone and comes out of ccache.
#pragma once

#include <string>

namespace headgate {

// `path` below the root of the sources, e.g. "docs/PLAN.md".
std::string InSources(const std::string& path);

// A built program, e.g. "headgate-agent".
std::string BuiltProgram(const std::string& name);
// What is built for tests alone.
std::string BuiltForTests(const std::string& name);

}  // namespace headgate
