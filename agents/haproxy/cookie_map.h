// The map of the keys that HAProxy verifies the gate's cookie with: a file for its next start, and
// its memory behind the stats socket. Any thread. Promises: returns within two of the socket's
// patiences and the time that the disk takes.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agents/haproxy/stats_socket.h"
#include "common/base/cookie_keys.h"

namespace headgate::haproxy {

// Of `show map` on the keys' file. NOT_FOUND: HAProxy has not loaded it, and verifies nothing.
absl::StatusOr<CookieKeys> ParseCookieMap(const std::string& answer);

class CookieMap {
 public:
  // `known_table`: of the cookies that HAProxy has verified lately.
  CookieMap(std::string path, std::string known_table, const StatsSocket& socket);

  std::string ShowCommand() const;
  // What stands both in the file and in `memory`; without keys where they differ.
  CookieKeys Agreed(const CookieKeys& memory) const;
  // What HAProxy would verify with after a start; without keys where the file is damaged.
  CookieKeys InFile() const;
  // HAProxy starts with any content, and not without a file. One that is missing, or holds no keys
  // while its memory does, is made anew.
  absl::Status MendFile() const;
  // The file first, durably, then the memory, and reads it back.
  absl::Status Put(const CookieKeys& keys) const;

 private:
  absl::StatusOr<CookieKeys> ReadMemory() const;

  const std::string path_;
  const std::string known_table_;
  const StatsSocket& socket_;
};

}  // namespace headgate::haproxy
