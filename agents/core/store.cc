#include "agents/core/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/escaping.h"
#include "agents/core/files.h"
#include "common/base/bucket.h"

namespace headgate::agent {
namespace {

using nlohmann::json;

std::string CheckOf(const json& content) { return fmt::format("{:016x}", Hash64(content.dump())); }

// The check tells a damaged file from a strange one; a truncated file is no JSON at all.
std::string Seal(const json& content) {
  return json{{"content", content}, {"check", CheckOf(content)}}.dump(2) + "\n";
}

absl::StatusOr<json> Unseal(const std::string& path, const std::string& text) {
  const auto damaged = [&](const char* how) {
    return absl::DataLossError(fmt::format("{} is damaged ({})", path, how));
  };
  try {
    const json sealed = json::parse(text);
    const json& content = sealed.at("content");
    if (sealed.at("check").get<std::string>() != CheckOf(content))
      return damaged("its check fails");
    return content;
  } catch (const json::exception&) {
    return damaged("it is cut off or was written by something else");
  }
}

absl::StatusOr<std::optional<json>> LoadSealed(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadSmallFile(path);
  if (absl::IsNotFound(text.status())) return std::nullopt;
  if (!text.ok()) return text.status();
  absl::StatusOr<json> content = Unseal(path, *text);
  if (!content.ok()) return content.status();
  return *std::move(content);
}

json ToJson(const Memory& memory) {
  const Directive& directive = memory.directive;
  json keys = json::array();
  for (const CookieKey& key : directive.cookie_keys.keys) {
    keys.push_back({{"id", key.id}, {"secret", absl::BytesToHexString(key.secret)}});
  }
  return json{{"gate", directive.gate},
              {"epoch", directive.version.epoch},
              {"revision", directive.version.revision},
              {"share_ppm", directive.share.ppm()},
              {"no_raise", directive.no_raise},
              {"retry_after_s", directive.retry_after_s},
              {"cookie_key", directive.cookie_keys.issuing},
              {"cookie_keys", std::move(keys)},
              {"granted_ppm", memory.granted.ppm()}};
}

// Throws what json throws.
absl::StatusOr<Memory> MemoryFrom(const json& content) {
  const auto share = Share::FromPpm(content.at("share_ppm").get<std::uint64_t>());
  const auto granted = Share::FromPpm(content.at("granted_ppm").get<std::uint64_t>());
  if (!share.ok()) return share.status();
  if (!granted.ok()) return granted.status();
  Memory memory;
  memory.directive = Directive{.gate = content.at("gate").get<std::string>(),
                               .version = {content.at("epoch").get<std::uint64_t>(),
                                           content.at("revision").get<std::uint64_t>()},
                               .share = *share,
                               .no_raise = content.at("no_raise").get<bool>(),
                               .retry_after_s = content.at("retry_after_s").get<std::uint32_t>()};
  memory.granted = *granted;
  // A state of before there were any has none.
  if (!content.contains("cookie_keys")) return memory;
  CookieKeys& keys = memory.directive.cookie_keys;
  keys.issuing = content.at("cookie_key").get<std::uint32_t>();
  for (const json& key : content.at("cookie_keys")) {
    keys.keys.push_back({.id = key.at("id").get<std::uint32_t>(),
                         .secret = absl::HexStringToBytes(key.at("secret").get<std::string>())});
  }
  return memory;
}

json ToJson(const LocalOverride& local_override) {
  json content{{"kind", local_override.is_ceiling ? "ceiling" : "exactly"},
               {"share_ppm", local_override.share.ppm()}};
  if (local_override.until) content["until_unix_ms"] = UnixMillis(*local_override.until);
  if (local_override.ceiling_after) {
    content["ceiling_after_ppm"] = local_override.ceiling_after->ppm();
  }
  return content;
}

// Throws what json throws.
absl::StatusOr<LocalOverride> OverrideFrom(const json& content) {
  const auto share = Share::FromPpm(content.at("share_ppm").get<std::uint64_t>());
  if (!share.ok()) return share.status();
  LocalOverride local_override;
  local_override.share = *share;
  local_override.is_ceiling = content.at("kind").get<std::string>() == "ceiling";
  if (content.contains("until_unix_ms")) {
    local_override.until = FromUnixMillis(content.at("until_unix_ms").get<std::int64_t>());
  }
  if (content.contains("ceiling_after_ppm")) {
    const auto after = Share::FromPpm(content.at("ceiling_after_ppm").get<std::uint64_t>());
    if (!after.ok()) return after.status();
    local_override.ceiling_after = *after;
  }
  return local_override;
}

}  // namespace

FileStore::FileStore(const std::string& folder, std::string gate)
    : folder_(folder),
      gate_(std::move(gate)),
      memory_path_(fmt::format("{}/{}.state.json", folder, gate_)),
      override_path_(fmt::format("{}/{}.override.json", folder, gate_)),
      spare_path_(fmt::format("{}/{}.override.spare", folder, gate_)) {}

absl::StatusOr<std::optional<Memory>> FileStore::LoadMemory() {
  const absl::StatusOr<std::optional<json>> content = LoadSealed(memory_path_);
  if (!content.ok()) return content.status();
  if (!*content) return std::nullopt;
  try {
    absl::StatusOr<Memory> memory = MemoryFrom(**content);
    if (!memory.ok()) return absl::DataLossError(std::string(memory.status().message()));
    if (memory->directive.gate != gate_) {
      return absl::DataLossError(
          fmt::format("{} is of gate '{}', not '{}'", memory_path_, memory->directive.gate, gate_));
    }
    return *std::move(memory);
  } catch (const json::exception& error) {
    return absl::DataLossError(fmt::format("{} is damaged ({})", memory_path_, error.what()));
  }
}

bool FileStore::HasMemory() const {
  return access(memory_path_.c_str(), F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

absl::Status FileStore::SaveMemory(const Memory& memory) {
  return WriteDurably(memory_path_, Seal(ToJson(memory)));
}

absl::StatusOr<std::optional<LocalOverride>> FileStore::LoadOverride() {
  const absl::StatusOr<std::optional<json>> content = LoadSealed(override_path_);
  if (!content.ok()) return content.status();
  if (!*content) return std::nullopt;
  try {
    absl::StatusOr<LocalOverride> local_override = OverrideFrom(**content);
    if (!local_override.ok()) return local_override.status();
    return *std::move(local_override);
  } catch (const json::exception& error) {
    return absl::DataLossError(fmt::format("{} is damaged ({})", override_path_, error.what()));
  }
}

absl::Status FileStore::SaveOverride(const LocalOverride& local_override) {
  const std::string text = Seal(ToJson(local_override));
  absl::Status status = ReplaceFile(override_path_, text);
  if (!absl::IsResourceExhausted(status)) return status;
  if (WriteReserved(override_path_, spare_path_, text).ok()) return absl::OkStatus();
  return status;
}

absl::Status FileStore::KeepRoom() { return Reserve(spare_path_); }

absl::Status FileStore::ReleaseOverride() { return RemoveFile(override_path_); }

absl::Status FileStore::EndOverride(const LocalOverride& ended,
                                    const std::optional<LocalOverride>& next) {
  // The operator goes first, and the agent waits for nobody.
  const absl::StatusOr<Turn> turn = TakeTurn(Duration(0));
  if (!turn.ok()) return turn.status();
  const auto present = LoadOverride();
  if (!present.ok()) return present.status();
  if (*present != ended) return absl::OkStatus();
  return next ? SaveOverride(*next) : ReleaseOverride();
}

FileStore::Turn::~Turn() {
  if (fd_ >= 0) close(fd_);
}

// The folder itself is what is locked: that needs no room on a full disk, and no file that the
// agent's user and root would have to share.
absl::StatusOr<FileStore::Turn> FileStore::TakeTurn(Duration patience) const {
  constexpr Duration kLook{10};
  const int fd = open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return absl::NotFoundError(fmt::format("cannot open {}: {}", folder_, std::strerror(errno)));
  }
  Turn turn(fd);
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return absl::InternalError(fmt::format("cannot lock {}: {}", folder_, std::strerror(errno)));
    }
    if (patience <= Duration(0)) {
      return absl::UnavailableError(
          fmt::format("another headgate-agent is changing the override in {}", folder_));
    }
    // flock knows no deadline.
    poll(nullptr, 0, static_cast<int>(kLook.count()));
    patience -= kLook;
  }
  return turn;
}

absl::Status FileStore::SyncOverride() {
  const absl::Status status = MakeDurable(override_path_);
  return absl::IsNotFound(status) ? SyncFolderOf(override_path_) : status;
}

}  // namespace headgate::agent
