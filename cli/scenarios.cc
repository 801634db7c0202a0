#include "cli/scenarios.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include "cli/text.h"

namespace headgate::cli {
namespace {

// A sound platform; bad from the start; a regression; a cold cache; a hard knee; a quiet night.
constexpr const char* kTypical[] = {"H1", "B2", "B6", "M1", "M3", "H6"};
constexpr char kQuietNight[] = "H6";
// Of the traffic by day: 40 of 2,000.
constexpr double kNightPart = 1.0 / 50;
constexpr double kRpsMin = 0.1;
constexpr std::streamsize kBytesMax = 64 * 1024;

bool IsFileName(const std::string& name) {
  return name.find('/') != std::string::npos || name.ends_with(".yaml") || name.ends_with(".yml");
}

char Upper(char c) { return static_cast<char>(std::toupper(static_cast<unsigned char>(c))); }

// The same letters in another case, one slip of the finger, or at least the same kind.
std::string NearTo(const std::string& name) {
  std::vector<std::string> known;
  std::vector<std::string> alike;
  std::string upper;
  std::ranges::transform(name, std::back_inserter(upper), Upper);
  for (const rehearsal::BuiltInText& text : rehearsal::BuiltInTexts()) {
    known.emplace_back(text.name);
    if (upper == known.back()) return fmt::format("; did you mean '{}'?", known.back());
    if (!upper.empty() && upper.front() == known.back().front()) alike.push_back(known.back());
  }
  return fmt::format("; {} {}", alike.empty() ? "there are" : "near it are",
                     fmt::join(alike.empty() ? known : alike, ", "));
}

absl::StatusOr<rehearsal::Scenario> Load(const std::string& name,
                                         const rehearsal::Scenario& unsaid) {
  errno = 0;
  std::ifstream file(name, std::ios::binary);
  const int reason = errno;
  if (!file || !IsFileName(name)) {
    auto built_in = rehearsal::FindScenario(name, unsaid);
    if (built_in.ok()) return built_in;
  }
  if (!file) {
    if (IsFileName(name)) {
      return absl::NotFoundError(fmt::format("scenario {} cannot be read: {}{}", Clean(name),
                                             std::strerror(reason),
                                             reason == ENOENT ? ": is the path right?" : ""));
    }
    return absl::NotFoundError(
        fmt::format("there is no file and no built-in scenario '{}'{}", Clean(name), NearTo(name)));
  }
  std::string bytes(static_cast<std::size_t>(kBytesMax) + 1, '\0');
  errno = 0;
  file.read(bytes.data(), std::ssize(bytes));
  if (file.bad()) {
    return absl::NotFoundError(
        fmt::format("scenario {} cannot be read: {}", Clean(name), std::strerror(errno)));
  }
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (std::ssize(bytes) > kBytesMax || bytes.empty()) {
    return absl::InvalidArgumentError(fmt::format(
        "{} is no scenario: it must be a file of 1 to {} bytes", Clean(name), kBytesMax));
  }
  return rehearsal::ParseScenario(bytes, name, unsaid);
}

}  // namespace

absl::StatusOr<std::vector<rehearsal::Scenario>> LoadScenarios(const SimulateFlags& flags,
                                                               const rehearsal::Scenario& unsaid) {
  std::vector<std::string> names = flags.scenarios;
  const bool are_typical = names.empty();
  if (are_typical) names.assign(std::begin(kTypical), std::end(kTypical));
  std::vector<rehearsal::Scenario> scenarios;
  for (const std::string& name : names) {
    absl::StatusOr<rehearsal::Scenario> scenario = Load(name, unsaid);
    if (!scenario.ok()) return scenario.status();
    if (flags.rps) {
      const bool is_night = are_typical && name == kQuietNight;
      scenario->site.rps = is_night ? std::max(*flags.rps * kNightPart, kRpsMin) : *flags.rps;
    }
    scenarios.push_back(*std::move(scenario));
  }
  return scenarios;
}

}  // namespace headgate::cli
