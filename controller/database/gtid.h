// MariaDB's global transaction ids, and how late a replica is that has replayed up to some of them.
// A transaction has a domain (a stream of its own), the id of the server that wrote it, and a
// number that grows within the domain. Pure; GtidLag belongs to one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "controller/database/lag_ring.h"

namespace headgate::database {

struct Gtid {
  std::uint32_t domain = 0;
  std::uint32_t server = 0;
  std::uint64_t sequence = 0;
  friend bool operator==(const Gtid&, const Gtid&) = default;
};

// "0-1-100,5-2-7", or empty; nullopt for nonsense.
std::optional<std::vector<Gtid>> ParseGtids(std::string_view text);
// The same, where each domain occurs once: the last transaction of each, by domain.
using GtidPosition = std::map<std::uint32_t, Gtid>;
std::optional<GtidPosition> ParseGtidPosition(std::string_view text);
std::string ToString(const Gtid& gtid);

// Whether a server that is at `replayed` has everything up to `position`.
bool Covers(const GtidPosition& replayed, const GtidPosition& position);
// How many transactions it still lacks, of all domains.
std::uint64_t TransactionsBehind(const GtidPosition& replayed, const GtidPosition& position);

// As LagRing, of each domain; the worst counts. A domain that a replica has never had anything of
// is one that it need not have, as far as it was there at the first Add: with file positions in
// place of GTIDs a replica knows only the domains that are still written.
class GtidLag {
 public:
  void Add(TimePoint at, const GtidPosition& position);
  Duration LagOf(const GtidPosition& replayed, TimePoint now) const;

 private:
  struct Domain {
    LagRing ring;
    std::uint64_t at_first = 0;
  };
  std::map<std::uint32_t, Domain> domains_;
};

}  // namespace headgate::database
