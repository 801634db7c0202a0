#include "tests/support/places.h"

namespace headgate {

std::string InSources(const std::string& path) { return HEADGATE_SOURCE_DIR "/" + path; }

std::string BuiltProgram(const std::string& name) { return HEADGATE_BINARY_DIR "/bin/" + name; }
std::string BuiltForTests(const std::string& name) { return HEADGATE_BINARY_DIR "/tests/" + name; }

}  // namespace headgate
