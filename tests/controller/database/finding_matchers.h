// How tests of a probe or a judge look at findings, and how GoogleTest shows them.
#pragma once

#include <gmock/gmock.h>

#include <ostream>
#include <string>

#include "controller/database/inventory.h"

namespace headgate::database {

inline void PrintTo(const Finding& finding, std::ostream* out) {
  const char* severity = finding.severity == Severity::kFailed     ? "FAILED"
                         : finding.severity == Severity::kDegraded ? "DEGRADED"
                                                                   : "UNKNOWN";
  *out << severity << (finding.drains ? ", drains" : "") << ", " << finding.kind << " of "
       << finding.server << ": " << finding.text;
}

inline auto IsFinding(Severity severity, const std::string& kind, const std::string& server) {
  return ::testing::AllOf(::testing::Field("severity", &Finding::severity, severity),
                          ::testing::Field("kind", &Finding::kind, kind),
                          ::testing::Field("server", &Finding::server, server));
}

inline auto Says(const std::string& part) {
  return ::testing::Field("text", &Finding::text, ::testing::HasSubstr(part));
}

}  // namespace headgate::database
