#include "cli/preflight_teller.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/text.h"
#include "common/base/rounded.h"

namespace headgate::cli {

void PreflightTeller::Look() {
  if (controller_.channel() == nullptr) return;
  if (!stream_) stream_.emplace(controller_.channel(), gate_);
  // A stream that ends is not opened again: the call itself tells how it went.
  while (stream_->Next(Duration(0)) == WatchStream::Event::kGate) Tell(stream_->gate());
}

void PreflightTeller::Tell(const v1::Gate& gate) {
  if (gate.restoration().phase() != v1::PHASE_PREFLIGHT) return;
  std::string waits;
  for (const std::string& wait : gate.restoration().waits_for()) {
    waits += (waits.empty() ? "" : "; ") + Clean(wait);
  }
  std::string gist = waits;
  gist.erase(std::remove_if(gist.begin(), gist.end(),
                            [](char c) { return (c >= '0' && c <= '9') || c == '.'; }),
             gist.end());
  if (told_ == gist) return;
  err_ << (waits.empty()
               ? fmt::format("preflight: nothing is in the way, it passes when that lasts {}",
                             FormatRounded(ready_for_))
               : fmt::format("{}: waits for: {}",
                             told_ ? "preflight"
                                   : "preflight needs " + FormatRounded(ready_for_) + " in order",
                             waits))
       << std::endl;
  told_ = std::move(gist);
}

}  // namespace headgate::cli
