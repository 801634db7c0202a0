// Looks up one host name without blocking its caller: libpq would resolve names inside
// PQconnectStart and could block there for half a minute, just when DNS is part of the outage.
// One thread owns it. Promises: no call blocks; at most one lookup is under way at a time, so that
// a dead resolver costs one waiting thread and not one more with each attempt.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace headgate::database {

class Resolver {
 public:
  // More addresses than this are left out.
  static constexpr std::size_t kAddressesMax = 4;

  // Whether libpq would look up `host`: not a numeric address, not a folder of Unix sockets.
  static bool NeedsLookup(const std::string& host);

  // Joins the lookup that is under way, if there is one.
  void Begin(const std::string& host);
  bool IsDone() const;
  // Numeric addresses; NOT_FOUND if the name does not exist, UNAVAILABLE if nobody could tell.
  // Call once, when done.
  absl::StatusOr<std::vector<std::string>> Take();

 private:
  struct Lookup;
  // Shared with the thread that looks up: getaddrinfo cannot be cancelled, so the thread may
  // outlive this object.
  std::shared_ptr<Lookup> lookup_;
};

}  // namespace headgate::database
