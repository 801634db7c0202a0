// A gate with a disk and a load balancer that always obey, for its tests.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "agents/core/gate.h"

namespace headgate::agent {

inline const TimePoint kStart = FromUnixMillis(1'723'658'400'000);

inline Share Percent(const char* text) { return *Share::Parse(text); }

inline Offer OfferOf(std::uint64_t epoch, std::uint64_t revision, const char* share,
                     bool no_raise = false) {
  Offer offer;
  offer.directive = {.gate = "shop",
                     .version = {epoch, revision},
                     .share = Percent(share),
                     .no_raise = no_raise,
                     .retry_after_s = 10};
  offer.digest = DigestOf(offer.directive);
  offer.valid_for = std::chrono::seconds(15);
  return offer;
}

inline Reading ReadingOf(const char* share) {
  Reading reading;
  reading.in_force = Percent(share);
  reading.at_next_start = Percent(share);
  reading.retry_after_s = 10;
  reading.instance = "1";
  return reading;
}

inline Reading Unreachable(const char* file_share) {
  Reading reading;
  reading.at_next_start = Percent(file_share);
  reading.trouble = "cannot connect to HAProxy's stats socket";
  return reading;
}

// Does every duty at once, on a disk and a load balancer that always obey, and writes down which.
inline std::string Settle(Gate& gate, Reading& reading, TimePoint now) {
  std::string story;
  for (int i = 0; i < 10; ++i) {
    const Duty duty = gate.NextDuty(now);
    if (const auto* save = std::get_if<Save>(&duty)) {
      story += "save " + save->memory.granted.ToString() + ", ";
      gate.OnSaved(*save, absl::OkStatus(), now);
    } else if (const auto* apply = std::get_if<Apply>(&duty)) {
      story += "apply " + apply->share.ToString() + ", ";
      reading.in_force = reading.at_next_start = apply->share;
      reading.retry_after_s = apply->retry_after_s;
      gate.OnApplied(*apply, {}, now);
      gate.OnSynced(absl::OkStatus());
      gate.Observe(reading);
    } else if (const auto* probe = std::get_if<Probe>(&duty)) {
      story += "probe " + probe->share.ToString() + ", ";
      gate.OnProbed(*probe, absl::OkStatus(), now);
    } else if (const auto* put = std::get_if<PutKeys>(&duty)) {
      story += "keys, ";
      reading.cookie_keys = put->keys;
      gate.OnKeysPut(absl::OkStatus(), now);
      gate.Observe(reading);
    } else {
      return story;
    }
  }
  ADD_FAILURE() << "no end of duties: " << story;
  return story;
}

// A gate that enforces 20 % of version 7.3.
struct Settled {
  explicit Settled(const Rails& rails = {}) : gate("shop", rails, std::nullopt, kStart) {
    gate.Observe(reading);
    EXPECT_FALSE(gate.Consider(OfferOf(7, 3, "20%"), now).has_value());
    Settle(gate, reading, now);
  }
  Reading reading = ReadingOf("100%");
  Gate gate;
  TimePoint now = kStart + std::chrono::minutes(1);
};

}  // namespace headgate::agent
