// What is different between two looks at a gate, one line for each change; and how a followed
// restoration ends. Pure; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "cli/exit_code.h"
#include "cli/text.h"
#include "headgate/v1/operator.pb.h"

namespace headgate::cli {

// What is wrong with each load balancer, by its name: GistOfTrouble, "" where nothing is.
using Gists = std::map<std::string, std::string>;
Gists GistsOf(const v1::Gate& gate);

struct Look {
  v1::Gate gate;
  // What of it is told: not always the newest.
  Gists gists;
};

// `before` is null at the first look: then the whole state in a few lines.
Lines Changes(const Look* before, const Look& look, TimePoint now);
Lines Changes(const v1::Gate* before, const v1::Gate& gate, TimePoint now);

// Of a restoration that runs, where nothing has changed for long.
std::string StillLine(const v1::Gate& gate, TimePoint now);

struct End {
  ExitCode code = ExitCode::kDone;
  std::string text;
};

// Nothing while the restoration `id` goes on and needs nobody.
std::optional<End> EndOf(const v1::Gate& gate, const std::string& id);

}  // namespace headgate::cli
