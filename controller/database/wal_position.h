// Positions in PostgreSQL's log. Pure; any thread.
#pragma once

#include <cstdint>

namespace headgate::database {

// The next byte to be written may lie behind a page's header, which no replica ever "replays": the
// end of the last record is then the start of the page.
constexpr std::uint64_t EndOfLastRecord(std::uint64_t insert_position) {
  constexpr std::uint64_t kWalPageBytes = 8'192;
  const std::uint64_t into_page = insert_position % kWalPageBytes;
  return into_page == 24 || into_page == 40 ? insert_position - into_page : insert_position;
}

}  // namespace headgate::database
