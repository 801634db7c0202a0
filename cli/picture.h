// A gate as a picture for `watch` and `status`, readable at 3 a.m. on 80x24. Pure; any thread.
#pragma once

#include <optional>

#include "cli/terminal.h"
#include "cli/text.h"
#include "headgate/v1/operator.pb.h"

namespace headgate::cli {

struct PictureOptions {
  TimePoint now{};
  Size size{};
  bool has_color = false;
  // Cut to size.rows; else everything is shown.
  bool is_cut = false;
  // Lines as long as what they say; else none is wider than size.columns.
  bool is_whole = false;
  // Since when nothing has been heard of the gate: then nothing is shown as good, and ages go on.
  std::optional<TimePoint> lost_since{};
};

// Control characters of colour take no width.
Lines Picture(const v1::Gate& gate, const PictureOptions& options);

// `explain`: everything that bears on the share, whole.
Lines Explanation(const v1::Gate& gate, TimePoint now);
// `gates`: a table. Without the journal, gates may be unknown that there are.
Lines GateTable(const v1::ListGatesResponse& gates, const std::string& journal_trouble = "");
// `agents`: a table, with labels and versions.
Lines AgentTable(const v1::Gate& gate, TimePoint now);

}  // namespace headgate::cli
