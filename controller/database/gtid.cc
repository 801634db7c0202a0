#include "controller/database/gtid.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace headgate::database {
namespace {

// A number that ends at `end` or at the text's own; false: there is none.
template <typename Number>
bool TakeNumber(std::string_view& text, char end, Number& number) {
  const std::size_t length = std::min(text.find(end), text.size());
  const auto [stop, error] = std::from_chars(text.data(), text.data() + length, number);
  if (length == 0 || error != std::errc() || stop != text.data() + length) return false;
  text.remove_prefix(std::min(length + 1, text.size()));
  return true;
}

std::uint64_t SequenceOf(const GtidPosition& position, std::uint32_t domain) {
  const auto found = position.find(domain);
  return found == position.end() ? 0 : found->second.sequence;
}

}  // namespace

std::optional<std::vector<Gtid>> ParseGtids(std::string_view text) {
  std::vector<Gtid> gtids;
  while (!text.empty()) {
    Gtid& gtid = gtids.emplace_back();
    const std::size_t end = std::min(text.find(','), text.size());
    std::string_view one = text.substr(0, end);
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    if (!TakeNumber(one, '-', gtid.domain) || !TakeNumber(one, '-', gtid.server) ||
        !TakeNumber(one, ',', gtid.sequence) || !one.empty()) {
      return std::nullopt;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return gtids;
}

std::optional<GtidPosition> ParseGtidPosition(std::string_view text) {
  const auto gtids = ParseGtids(text);
  if (!gtids.has_value()) return std::nullopt;
  GtidPosition position;
  for (const Gtid& gtid : *gtids) {
    if (!position.emplace(gtid.domain, gtid).second) return std::nullopt;
  }
  return position;
}

std::string ToString(const Gtid& gtid) {
  return fmt::format("{}-{}-{}", gtid.domain, gtid.server, gtid.sequence);
}

bool Covers(const GtidPosition& replayed, const GtidPosition& position) {
  return TransactionsBehind(replayed, position) == 0;
}

std::uint64_t TransactionsBehind(const GtidPosition& replayed, const GtidPosition& position) {
  std::uint64_t behind = 0;
  for (const auto& [domain, last] : position) {
    const std::uint64_t done = SequenceOf(replayed, domain);
    if (last.sequence > done) behind += last.sequence - done;
  }
  return behind;
}

void GtidLag::Add(TimePoint at, const GtidPosition& position) {
  const bool is_first = domains_.empty();
  // A domain that is gone means another primary, or one that has begun anew.
  std::erase_if(domains_, [&](const auto& domain) { return !position.contains(domain.first); });
  for (const auto& [domain, last] : position) {
    Domain& known = domains_[domain];
    if (is_first) known.at_first = last.sequence;
    known.ring.Add(at, last.sequence);
  }
}

Duration GtidLag::LagOf(const GtidPosition& replayed, TimePoint now) const {
  Duration lag(0);
  for (const auto& [domain, known] : domains_) {
    const std::uint64_t sequence =
        replayed.contains(domain) ? replayed.at(domain).sequence : known.at_first;
    lag = std::max(lag, known.ring.LagOf(sequence, now));
  }
  return lag;
}

}  // namespace headgate::database
