// Metrics as Prometheus reads them. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace prometheus {
class Collectable;
}

namespace headgate {

inline constexpr std::string_view kExpositionType = "text/plain; version=0.0.4; charset=utf-8";

// The text exposition format, version 0.0.4.
std::string Exposition(const prometheus::Collectable& metrics);

}  // namespace headgate
