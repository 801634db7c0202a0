// Text for terminals and logs: widths in characters, cutting, bars, colours. Pure; any thread.
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"

namespace headgate::cli {

using Lines = std::vector<std::string>;

// Without control characters: what an agent or a check says must not drive the terminal.
std::string Clean(std::string_view text);
// In code points; everything that we print is one column wide.
std::size_t Width(std::string_view text);
// Cut to `width` ("…" marks it), without filling up.
std::string Cut(std::string_view text, std::size_t width);
// The words of `text` that fit into `width` characters; one that is longer by itself is broken.
std::string FirstLine(std::string_view text, std::size_t width);
// On as many lines of `width` as it needs, at most `lines_max`: the last one has all the rest.
Lines Wrap(std::string_view text, std::size_t width, std::size_t lines_max);
// Cut or filled up to exactly `width`.
std::string Fit(std::string_view text, std::size_t width);

// "#####....." with `width` places; a share above 0 shows at least one #.
std::string Bar(std::uint32_t share_ppm, std::size_t width);

enum class Color { kNone, kGood, kDoubtful, kBad, kFaint, kStrong, kAlarm };
// Colours only emphasise: the words say the same.
std::string Paint(std::string_view text, Color color, bool has_color);

TimePoint ToTimePoint(const google::protobuf::Timestamp& at);
Duration ToDuration(const google::protobuf::Duration& duration);
// "0.3 s", "41 s", "12 min", "3 h": as long as people need it.
std::string FormatAge(Duration age);
// Of `at`, as seen `now`; never negative, since two machines' clocks differ.
std::string FormatSince(const google::protobuf::Timestamp& at, TimePoint now);

}  // namespace headgate::cli
