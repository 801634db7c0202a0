#include "controller/database/verdicts.h"

#include <fmt/format.h>

#include "common/base/duration.h"
#include "controller/database/words.h"

namespace headgate::database {
Finding FindingOf(Severity severity, const char* kind, const std::string& server, std::string text,
                  bool drains) {
  return {.severity = severity,
          .drains = drains,
          .kind = kind,
          .server = server,
          .text = std::move(text)};
}

Finding JudgeSilenceOf(const std::string& server, const std::string& address,
                       const absl::Status& status) {
  const std::string text =
      fmt::format("{} ({}): {}", Called(server), address, std::string(status.message()));
  // Nobody listens: that is proof. A timeout may as well be our own link, so it proves nothing.
  if (absl::IsUnavailable(status)) return FindingOf(Severity::kFailed, "unreachable", server, text);
  if (absl::IsDeadlineExceeded(status))
    return FindingOf(Severity::kUnknown, "timeout", server, text);
  if (absl::IsPermissionDenied(status))
    return FindingOf(Severity::kUnknown, "no_privilege", server, text);
  if (absl::IsInvalidArgument(status)) return FindingOf(Severity::kUnknown, "dsn", server, text);
  return FindingOf(Severity::kUnknown, "error", server, text);
}

Finding JudgeUnfedReplica(const std::string& replica) {
  return FindingOf(Severity::kFailed, "not_streaming", replica,
                   fmt::format("replica {}: it does not answer, and the primary, which fed it "
                               "before, does not any more",
                               replica));
}

std::optional<Finding> JudgeLagOf(const std::string& server, Duration lag,
                                  const Inventory& inventory) {
  if (lag <= inventory.lag_soft) return std::nullopt;
  const bool is_hard = lag > inventory.lag_hard;
  return FindingOf(
      is_hard ? Severity::kFailed : Severity::kDegraded, "lag", server,
      fmt::format("replica {}: it is {} behind the primary, over {}", server, FormatDuration(lag),
                  FormatDuration(is_hard ? inventory.lag_hard : inventory.lag_soft)));
}

std::optional<Finding> JudgeBytesBehind(const std::string& server, std::uint64_t bytes,
                                        const Inventory& inventory) {
  const SoftHard& bounds = inventory.bounds.bytes_behind;
  if (bytes <= bounds.soft) return std::nullopt;
  const bool is_hard = bytes > bounds.hard;
  return FindingOf(
      is_hard ? Severity::kFailed : Severity::kDegraded, "bytes_behind", server,
      fmt::format("replica {}: it has {} of the primary's log still to replay, over {}", server,
                  Mebibytes(bytes), Mebibytes(is_hard ? bounds.hard : bounds.soft)));
}

}  // namespace headgate::database
