#include "controller/database/verdicts.h"

#include <fmt/format.h>

#include "common/base/duration.h"
#include "controller/database/words.h"

namespace headgate::database {
namespace {

Finding Of(Severity severity, const char* kind, const std::string& server, std::string text) {
  return {.severity = severity,
          .drains = false,
          .kind = kind,
          .server = server,
          .text = std::move(text)};
}

}  // namespace

Finding JudgeSilenceOf(const std::string& server, const std::string& address,
                       const absl::Status& status) {
  const std::string text =
      fmt::format("{} ({}): {}", Called(server), address, std::string(status.message()));
  // Nobody listens: that is proof. A timeout may as well be our own link, so it proves nothing.
  if (absl::IsUnavailable(status)) return Of(Severity::kFailed, "unreachable", server, text);
  if (absl::IsDeadlineExceeded(status)) return Of(Severity::kUnknown, "timeout", server, text);
  if (absl::IsPermissionDenied(status)) return Of(Severity::kUnknown, "no_privilege", server, text);
  if (absl::IsInvalidArgument(status)) return Of(Severity::kUnknown, "dsn", server, text);
  return Of(Severity::kUnknown, "error", server, text);
}

std::optional<Finding> JudgeLagOf(const std::string& server, Duration lag,
                                  const Inventory& inventory) {
  if (lag <= inventory.lag_soft) return std::nullopt;
  const bool is_hard = lag > inventory.lag_hard;
  return Of(
      is_hard ? Severity::kFailed : Severity::kDegraded, "lag", server,
      fmt::format("replica {}: it is {} behind the primary, over {}", server, FormatDuration(lag),
                  FormatDuration(is_hard ? inventory.lag_hard : inventory.lag_soft)));
}

std::optional<Finding> JudgeBytesBehind(const std::string& server, std::uint64_t bytes,
                                        const Inventory& inventory) {
  const SoftHard& bounds = inventory.bounds.bytes_behind;
  if (bytes <= bounds.soft) return std::nullopt;
  const bool is_hard = bytes > bounds.hard;
  return Of(is_hard ? Severity::kFailed : Severity::kDegraded, "bytes_behind", server,
            fmt::format("replica {}: it has {} of the primary's log still to replay, over {}",
                        server, Mebibytes(bytes), Mebibytes(is_hard ? bounds.hard : bounds.soft)));
}

}  // namespace headgate::database
